//! The key of one verification's personal data.

use std::fmt;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use secrecy::zeroize::Zeroizing;

use crate::aead::{self, KEY_BYTES};
use crate::context::Subject;
use crate::error::OpenError;
use crate::keyring::{Keyring, is_key_id};

/// The most that opening a document unpacks: a sealed bomb must not exhaust the process.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;

const WRAPPED: u8 = 1;
const DOCUMENT: u8 = 1;

/// Seals and opens the documents of one verification.
///
/// It is kept only wrapped; deleting the wrapping makes everything sealed with it unreadable.
pub struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

impl DataKey {
    /// A new random key.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn generate() -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        aead::randomise(key.as_mut());
        Self(key)
    }

    /// Compresses and encrypts `plaintext`, to be opened with the same subject and kind only.
    ///
    /// `kind` says what the document is ("result", "next-action"), so that one is never taken for another. A
    /// plaintext over [`MAX_DOCUMENT_BYTES`] is sealed, but will not open.
    #[must_use]
    pub fn seal(&self, subject: Subject<'_>, kind: &str, plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = vec![DOCUMENT];
        aead::seal_into(&mut sealed, &self.0, &subject.bind("document", &[kind]), |message| {
            let mut encoder = DeflateEncoder::new(message, Compression::default());
            encoder
                .write_all(plaintext)
                .and_then(|()| encoder.finish())
                .expect("writing to memory does not fail");
        });
        sealed
    }

    /// Opens what [`seal`](Self::seal) made for the same subject and kind.
    ///
    /// # Errors
    ///
    /// [`OpenError::Forged`] for anything else; [`OpenError::TooLarge`].
    pub fn open(
        &self,
        subject: Subject<'_>,
        kind: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        let Some((&DOCUMENT, rest)) = sealed.split_first() else {
            return Err(OpenError::Forged);
        };
        let compressed = aead::open(&self.0, &subject.bind("document", &[kind]), rest);
        inflate(&Zeroizing::new(compressed.ok_or(OpenError::Forged)?), MAX_DOCUMENT_BYTES)
    }
}

impl Keyring {
    /// Encrypts `data_key` under the first key.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn wrap(&self, data_key: &DataKey, subject: Subject<'_>) -> Vec<u8> {
        let key = self.first();
        let mut wrapped = vec![WRAPPED, u8::try_from(key.id.len()).expect("at most 16 characters")];
        wrapped.extend_from_slice(key.id.as_bytes());
        let associated = subject.bind("data-key", &[&key.id]);
        aead::seal_into(&mut wrapped, &key.subkey("data-key"), &associated, |message| {
            message.extend_from_slice(data_key.0.as_ref());
        });
        wrapped
    }

    /// The id of the key that `wrapped` was made under, as it says itself; `None` when [`wrap`](Self::wrap) did not
    /// make it.
    #[must_use]
    pub fn wrapped_under(wrapped: &[u8]) -> Option<&str> {
        split_wrapped(wrapped).map(|(id, _)| id)
    }

    /// Decrypts what [`wrap`](Self::wrap) made for the same subject, under whichever key it was.
    ///
    /// # Errors
    ///
    /// [`OpenError::UnknownKey`] when that key is not in the keyring (any more), else [`OpenError::Forged`].
    pub fn unwrap(&self, wrapped: &[u8], subject: Subject<'_>) -> Result<DataKey, OpenError> {
        let (id, sealed) = split_wrapped(wrapped).ok_or(OpenError::Forged)?;
        let key = self.find(id).ok_or_else(|| OpenError::UnknownKey(id.to_owned()))?;
        let associated = subject.bind("data-key", &[id]);
        let opened = aead::open(&key.subkey("data-key"), &associated, sealed).map(Zeroizing::new);
        let bytes = opened.and_then(|bytes| bytes.as_slice().try_into().ok());
        bytes.map(|bytes| DataKey(Zeroizing::new(bytes))).ok_or(OpenError::Forged)
    }
}

/// `version ‖ length of id ‖ id ‖ sealed`.
fn split_wrapped(wrapped: &[u8]) -> Option<(&str, &[u8])> {
    let (&[version, length], rest) = wrapped.split_first_chunk()?;
    let (id, sealed) = rest.split_at_checked(length.into())?;
    let id = std::str::from_utf8(id).ok().filter(|id| is_key_id(id))?;
    (version == WRAPPED).then_some((id, sealed))
}

fn inflate(compressed: &[u8], limit: usize) -> Result<Vec<u8>, OpenError> {
    let mut plaintext = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    DeflateDecoder::new(compressed)
        .take(bound)
        .read_to_end(&mut plaintext)
        .map_err(|_| OpenError::Forged)?;
    if plaintext.len() > limit { Err(OpenError::TooLarge { limit }) } else { Ok(plaintext) }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(***)")
    }
}

#[cfg(test)]
mod tests;
