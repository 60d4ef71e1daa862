//! The operator's keys: the first seals and signs, all open and verify.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;

use crate::aead::KEY_BYTES;
use crate::context::encode;

const MAX_ID_CHARS: usize = 16;

/// One or more named keys. Cloning it shares them.
///
/// Rotation without downtime: add the new key at the end everywhere, then move it to the front everywhere, then
/// remove the old one when nothing needs it any more.
#[derive(Clone)]
pub struct Keyring {
    keys: Arc<[Key]>,
}

/// A master key. Never used itself: every use has a key derived from it.
pub(crate) struct Key {
    pub(crate) id: String,
    secret: SecretBox<[u8; KEY_BYTES]>,
}

/// Everything that is wrong with a list of keys, one entry each; nothing of the keys is quoted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", faults.join("; "))]
pub struct KeyringError {
    /// The faults, each naming the entry by its place in the list.
    pub faults: Vec<String>,
}

impl Keyring {
    /// Reads `id:key,id:key…` with ids of `[a-z0-9]{1,16}` and keys of 32 bytes in standard base64.
    ///
    /// # Errors
    ///
    /// All faults together: no key at all, an entry without a colon, an unfit or repeated id, a wrong key.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let mut keys = Vec::<Key>::new();
        let mut faults = Vec::new();
        for (index, entry) in text.split(',').map(str::trim).enumerate() {
            match parse_entry(entry) {
                Ok(key) if keys.iter().any(|other| other.id == key.id) => {
                    faults.push(format!("key {}: its id is used twice", index + 1));
                }
                Ok(key) => keys.push(key),
                Err(fault) => faults.push(format!("key {}: {fault}", index + 1)),
            }
        }
        if faults.is_empty() {
            Ok(Self { keys: keys.into() })
        } else {
            Err(KeyringError { faults })
        }
    }

    /// A keyring with the same ids, whose keys are good for `usage` and tell nothing about these ones.
    #[must_use]
    pub fn derive(&self, usage: &str) -> Self {
        let keys = self.keys.iter().map(|key| Key {
            id: key.id.clone(),
            secret: SecretBox::new(Box::new(*key.expand(&["proofline.keyring.v1", usage]))),
        });
        Self { keys: keys.collect() }
    }

    /// The ids, the one that seals and signs first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.id.as_str())
    }

    /// The ids of keys that nobody drew at random: a text, or the same few bytes again and again.
    pub fn guessable_ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter(|key| key.is_guessable()).map(|key| key.id.as_str())
    }

    /// The key that seals and signs.
    pub(crate) fn first(&self) -> &Key {
        &self.keys[0]
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }
}

/// Of 32 random bytes fewer are different about once in 10^18 times.
const LEAST_DISTINCT_BYTES: usize = 16;

impl Key {
    fn is_guessable(&self) -> bool {
        let key = self.secret.expose_secret();
        let distinct: BTreeSet<_> = key.iter().collect();
        distinct.len() < LEAST_DISTINCT_BYTES || key.iter().all(|b| matches!(b, b' '..=b'~'))
    }

    /// The key for one use of this crate.
    pub(crate) fn subkey(&self, usage: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        self.expand(&["proofline.seal.v1", usage])
    }

    fn expand(&self, info: &[&str]) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut derived = Zeroizing::new([0; KEY_BYTES]);
        Hkdf::<Sha256>::new(None, self.secret.expose_secret())
            .expand(&encode(info), derived.as_mut())
            .expect("32 bytes are within HKDF's limit");
        derived
    }
}

pub(crate) fn is_key_id(text: &str) -> bool {
    (1..=MAX_ID_CHARS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn parse_entry(entry: &str) -> Result<Key, &'static str> {
    if entry.is_empty() {
        return Err("is empty");
    }
    let (id, encoded) = entry.split_once(':').ok_or("has no colon between id and key")?;
    if !is_key_id(id) {
        return Err("its id must be 1 to 16 of a-z and 0-9");
    }
    let wrong = "must be 32 bytes in standard base64 (44 characters)";
    let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| wrong)?);
    let secret = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| wrong)?;
    Ok(Key { id: id.to_owned(), secret: SecretBox::new(Box::new(secret)) })
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")?;
        f.debug_list().entries(self.ids()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "a1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    #[test]
    fn keys_are_read_in_order_and_debug_shows_ids_alone() {
        let text = format!("{ONE}, b2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=");
        let keyring = Keyring::parse(&text).unwrap();
        assert_eq!(keyring.ids().collect::<Vec<_>>(), ["a1", "b2"]);
        assert_eq!(format!("{keyring:?}"), r#"Keyring["a1", "b2"]"#);
    }

    #[test]
    fn a_text_or_a_pattern_is_guessable_and_what_was_drawn_is_not() {
        let text = format!(
            "{ONE},b2:cHJvb2ZsaW5lIGRlbW86IG5vdCBhIHNlY3JldCBrZXk=,\
             c3:GxvVZ7Y0lqf3m2hTQkzq1o9Jx4w8s5uR6nEybP0aDcE="
        );
        let keyring = Keyring::parse(&text).unwrap();
        assert_eq!(keyring.guessable_ids().collect::<Vec<_>>(), ["a1", "b2"]);
        assert_eq!(keyring.derive("tokens").guessable_ids().count(), 0);
    }

    #[test]
    fn every_fault_is_told_by_place_and_no_secret_is_quoted() {
        let text = format!("{ONE},{ONE},hunter2,Bad:AQEB,c3:hunter2,c4:AQEB,");
        let error = Keyring::parse(&text).unwrap_err();
        assert_eq!(
            error.faults,
            [
                "key 2: its id is used twice",
                "key 3: has no colon between id and key",
                "key 4: its id must be 1 to 16 of a-z and 0-9",
                "key 5: must be 32 bytes in standard base64 (44 characters)",
                "key 6: must be 32 bytes in standard base64 (44 characters)",
                "key 7: is empty",
            ]
        );
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(Keyring::parse("").unwrap_err().faults, ["key 1: is empty"]);
    }

    #[test]
    fn derived_keys_differ_by_usage_and_from_their_origin() {
        let keyring = Keyring::parse(ONE).unwrap();
        let subkey = |keyring: &Keyring| *keyring.first().subkey("x");
        let tokens = keyring.derive("tokens");
        assert_eq!(tokens.ids().collect::<Vec<_>>(), ["a1"]);
        assert_eq!(subkey(&tokens), subkey(&keyring.derive("tokens")));
        assert_ne!(subkey(&tokens), subkey(&keyring));
        assert_ne!(subkey(&tokens), subkey(&keyring.derive("others")));
    }
}
