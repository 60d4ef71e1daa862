//! Keys from settings.

use proofline_settings::Reader;
use secrecy::ExposeSecret;

use crate::Keyring;

const FORM: &str = "id:key, comma-separated; key is 32 bytes in standard base64";
const ABOUT_KEYS: &str =
    "Sealing and signing keys; the first seals and signs, all open and verify.";
const ABOUT_TOKEN_KEYS: &str =
    "Keys of capabilities (callback, return, upload), derived from PROOFLINE_KEYS when not given.";

/// The keys of a service that seals documents and mints capabilities.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Wrap data keys, make fingerprints.
    pub sealing: Keyring,
    /// Mint and redeem capabilities.
    pub tokens: Keyring,
}

impl Keys {
    /// Reads `PROOFLINE_KEYS` and `PROOFLINE_TOKEN_KEYS`.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let sealing = read_sealing_keys(r);
        let tokens =
            r.optional_parsed_secret("PROOFLINE_TOKEN_KEYS", FORM, ABOUT_TOKEN_KEYS, |text| {
                Keyring::parse(text.expose_secret())
            });
        let (sealing, tokens) = (sealing?, tokens?);
        let tokens = tokens.unwrap_or_else(|| token_keys(&sealing));
        Some(Self { sealing, tokens })
    }
}

/// Reads `PROOFLINE_KEYS`, for a service that only opens and seals.
pub fn read_sealing_keys(r: &mut Reader) -> Option<Keyring> {
    r.parsed_secret("PROOFLINE_KEYS", FORM, ABOUT_KEYS, |text| Keyring::parse(text.expose_secret()))
}

/// Reads `PROOFLINE_TOKEN_KEYS`, or derives them of `PROOFLINE_KEYS`, for a service that only
/// handles capabilities and should have no other keys.
pub fn read_token_keys(r: &mut Reader) -> Option<Keyring> {
    let tokens = r.optional_parsed_secret("PROOFLINE_TOKEN_KEYS", FORM, ABOUT_TOKEN_KEYS, |text| {
        Keyring::parse(text.expose_secret())
    });
    let keys = r.optional_parsed_secret("PROOFLINE_KEYS", FORM, ABOUT_KEYS, |text| {
        Keyring::parse(text.expose_secret())
    });
    match (tokens?, keys?) {
        (Some(tokens), _) => Some(tokens),
        (None, Some(keys)) => Some(token_keys(&keys)),
        (None, None) => {
            r.fault("PROOFLINE_TOKEN_KEYS", "is required, or PROOFLINE_KEYS to derive it from");
            None
        }
    }
}

fn token_keys(keys: &Keyring) -> Keyring {
    keys.derive("tokens")
}
