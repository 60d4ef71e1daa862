//! API keys: only their hashes are known here.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of an API key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyHash([u8; 32]);

impl KeyHash {
    /// Hashes a key as presented.
    pub(crate) fn of(api_key: &str) -> Self {
        Self(Sha256::digest(api_key.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits, of either case.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let digits: Vec<u8> =
            text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        // An odd digit would be dropped by the pairing, so the text is measured too.
        let bytes = bytes.try_into().ok().filter(|_| digits.len() == 64)?;
        Some(Self(bytes))
    }

    /// Compares without telling by its time how much was right.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Not shown: a weak key could be found from its hash.
impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn hexadecimal_of_either_case_is_read() {
        assert_eq!(KeyHash::from_hex(EMPTY), Some(KeyHash::of("")));
        assert_eq!(KeyHash::from_hex(&EMPTY.to_uppercase()), Some(KeyHash::of("")));
    }

    #[test]
    fn anything_but_64_digits_is_refused() {
        let long = format!("{EMPTY}0");
        for text in ["", "abc", &EMPTY[1..], &EMPTY[2..], &long, &EMPTY.replace('e', "g")] {
            assert_eq!(KeyHash::from_hex(text), None, "{text}");
        }
    }
}
