//! The cipher, in one place: `nonce ‖ ciphertext ‖ tag` behind a header of the caller's.

use chacha20poly1305::{AeadInOut as _, KeyInit as _, Tag, XChaCha20Poly1305, XNonce};

pub(crate) const NONCE_BYTES: usize = 24;
pub(crate) const TAG_BYTES: usize = 16;
pub(crate) const KEY_BYTES: usize = 32;

/// Fills `bytes` with randomness.
///
/// # Panics
///
/// When the operating system has none to give: nothing may be sealed or signed then.
pub(crate) fn randomise(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives randomness");
}

/// Appends a random nonce, what `write` appends (encrypted), and the tag.
pub(crate) fn seal_into(
    message: &mut Vec<u8>,
    key: &[u8; KEY_BYTES],
    associated: &[u8],
    write: impl FnOnce(&mut Vec<u8>),
) {
    let mut nonce = XNonce::default();
    randomise(&mut nonce);
    message.extend_from_slice(&nonce);
    let start = message.len();
    write(message);
    let tag = XChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(&nonce, associated, (&mut message[start..]).into())
        .expect("far below the cipher's limit of 256 GiB");
    message.extend_from_slice(&tag);
}

/// Undoes [`seal_into`]: the plaintext, or `None` when anything about it is wrong.
pub(crate) fn open(key: &[u8; KEY_BYTES], associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_at_checked(NONCE_BYTES)?;
    let (ciphertext, tag) = rest.split_at_checked(rest.len().checked_sub(TAG_BYTES)?)?;
    let nonce = XNonce::try_from(nonce).ok()?;
    let tag = Tag::try_from(tag).ok()?;
    let mut plaintext = ciphertext.to_vec();
    XChaCha20Poly1305::new(key.into())
        .decrypt_inout_detached(&nonce, associated, plaintext.as_mut_slice().into(), &tag)
        .ok()?;
    Some(plaintext)
}
