//! Recognising a repeat without keeping what was repeated.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::keyring::{Key, Keyring};

/// A keyed digest: without the key nobody can tell whether a guessed text has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The key it was made with.
    pub key_id: String,
    /// HMAC-SHA256.
    pub digest: [u8; 32],
}

impl Keyring {
    /// The fingerprint of `bytes` under the first key.
    #[must_use]
    pub fn fingerprint(&self, bytes: &[u8]) -> Fingerprint {
        let key = self.first();
        let digest = hmac(key, bytes).finalize().into_bytes().into();
        Fingerprint { key_id: key.id.clone(), digest }
    }

    /// Whether `bytes` have this fingerprint, compared in constant time; `None` when its key is gone.
    #[must_use]
    pub fn matches(&self, fingerprint: &Fingerprint, bytes: &[u8]) -> Option<bool> {
        let key = self.find(&fingerprint.key_id)?;
        Some(hmac(key, bytes).verify_slice(&fingerprint.digest).is_ok())
    }
}

fn hmac(key: &Key, bytes: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key.subkey("fingerprint").as_ref())
        .expect("HMAC takes a key of any length")
        .chain_update(bytes)
}

#[cfg(test)]
mod tests {
    use crate::example_keys::{NEW, OLD, keyring};

    #[test]
    fn a_fingerprint_matches_its_text_alone_and_depends_on_the_key() {
        let ours = keyring(OLD);
        let fingerprint = ours.fingerprint(b"a request");
        assert_eq!(ours.matches(&fingerprint, b"a request"), Some(true));
        assert_eq!(ours.matches(&fingerprint, b"another"), Some(false));
        let other_key = keyring(&NEW.replace("new", "old"));
        assert_eq!(other_key.matches(&fingerprint, b"a request"), Some(false));
    }

    #[test]
    fn a_fingerprint_outlives_rotation_until_its_key_is_gone() {
        let fingerprint = keyring(OLD).fingerprint(b"a request");
        let rotated = keyring(&format!("{NEW},{OLD}"));
        assert_eq!(rotated.matches(&fingerprint, b"a request"), Some(true));
        assert_eq!(rotated.fingerprint(b"a request").key_id, "new");
        let without = keyring(NEW);
        assert_eq!(without.matches(&fingerprint, b"a request"), None);
    }
}
