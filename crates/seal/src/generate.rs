//! New keys.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{SecretString, zeroize::Zeroizing};

use crate::{
    Keyring, KeyringError,
    aead::{KEY_BYTES, randomise},
};

/// A fresh random key as an entry for a keyring: `id:key`.
///
/// # Errors
///
/// [`KeyringError`] when the id is not 1 to 16 of a-z and 0-9.
///
/// # Panics
///
/// When the operating system has no randomness to give.
pub fn generate_entry(id: &str) -> Result<SecretString, KeyringError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    randomise(key.as_mut());
    let entry = Zeroizing::new(format!("{id}:{}", STANDARD.encode(key.as_ref())));
    Keyring::parse(&entry)?;
    Ok(SecretString::from(entry.as_str()))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_new_entry_is_a_keyring_of_its_own_and_never_the_same_twice() {
        let one = generate_entry("k2").unwrap();
        let other = generate_entry("k2").unwrap();
        assert_eq!(Keyring::parse(one.expose_secret()).unwrap().ids().collect::<Vec<_>>(), ["k2"]);
        assert_ne!(one.expose_secret(), other.expose_secret());
        for unfit in ["", "K2", "k2,k3", "k2:"] {
            assert!(generate_entry(unfit).is_err(), "{unfit}");
        }
    }
}
