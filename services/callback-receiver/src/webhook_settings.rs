//! How account-level webhooks are authenticated.

use std::collections::BTreeMap;

use axum::http::HeaderName;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use proofline_settings::Reader;
use proofline_tenants::{TenantName, Tenants};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The secrets of the tenants that have a webhook, and where its signature stands. What Signicat
/// documents of the signature is not readable, so header, encoding and prefix can be set.
#[derive(Debug, Clone)]
pub(crate) struct Webhooks {
    /// More than one while a secret is being replaced.
    secrets: BTreeMap<TenantName, Vec<SecretString>>,
    pub(crate) header: HeaderName,
    encoding: Encoding,
    prefix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Hex,
    Base64,
}

impl Webhooks {
    pub(crate) fn read(r: &mut Reader) -> Option<Self> {
        let tenants = Tenants::read_without_accounts_if_given(r);
        let common = r.optional_secret(
            "PROOFLINE_EVENTS_SECRET",
            "Secret of the account-level webhook, for tenants without one of their own; without \
             either the webhook is off. One on each line while it is being replaced: all count.",
        );
        let header = r.parsed(
            "PROOFLINE_EVENTS_SIGNATURE_HEADER",
            Some("X-Signicat-Signature"),
            "header name",
            "Header of the webhook that holds the HMAC-SHA256 of the raw body.",
            str::parse::<HeaderName>,
        );
        let encoding = r.parsed(
            "PROOFLINE_EVENTS_SIGNATURE_ENCODING",
            Some("hex"),
            "hex or base64",
            "How the signature is written.",
            Encoding::parse,
        );
        let prefix = r.optional_text(
            "PROOFLINE_EVENTS_SIGNATURE_PREFIX",
            "What stands before the signature, such as sha256=.",
        );
        let secrets = secrets(r, &tenants?, common?.as_ref());
        Some(Self {
            secrets: secrets?,
            header: header?,
            encoding: encoding?,
            prefix: prefix?.unwrap_or_default(),
        })
    }

    /// Whether the signature is this tenant's secret over this body, compared in constant time.
    /// Also `false` for a tenant that is not known, or has no webhook.
    pub(crate) fn is_authentic(
        &self,
        tenant: &TenantName,
        signature: Option<&str>,
        body: &[u8],
    ) -> bool {
        let presented = signature
            .and_then(|text| text.trim().strip_prefix(&self.prefix))
            .and_then(|text| self.encoding.decode(text));
        match (self.secrets.get(tenant), presented) {
            (Some(secrets), Some(presented)) => {
                secrets.iter().any(|secret| signs(secret, body, &presented))
            }
            (None, _) | (_, None) => false,
        }
    }
}

fn signs(secret: &SecretString, body: &[u8], presented: &[u8]) -> bool {
    let key = secret.expose_secret().as_bytes();
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(body);
    mac.verify_slice(presented).is_ok()
}

/// A tenant's own secrets, else the common ones.
fn secrets(
    r: &mut Reader,
    tenants: &Tenants,
    common: Option<&SecretString>,
) -> Option<BTreeMap<TenantName, Vec<SecretString>>> {
    let mut secrets = BTreeMap::new();
    let mut is_whole = true;
    for tenant in tenants.iter() {
        match tenant.events_secret() {
            Ok(own) => {
                let all = own.as_ref().or(common).map_or_else(Vec::new, each);
                if !all.is_empty() {
                    secrets.insert(tenant.name.clone(), all);
                }
            }
            Err(error) => {
                is_whole = false;
                let detail = format!("tenants.{}.events_secret_file: {error}", tenant.name);
                r.fault("PROOFLINE_TENANTS_FILE", detail);
            }
        }
    }
    is_whole.then_some(secrets)
}

/// One on each line.
fn each(secrets: &SecretString) -> Vec<SecretString> {
    let lines = secrets.expose_secret().lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).map(SecretString::from).collect()
}

impl Encoding {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            _ => Err("must be hex or base64"),
        }
    }

    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => STANDARD.decode(text).ok(),
            Self::Hex => {
                let digit = |byte: u8| {
                    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
                };
                let (pairs, rest) = text.as_bytes().as_chunks::<2>();
                let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
                if rest.is_empty() { bytes.collect() } else { None }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proofline_settings::Source;

    use super::*;

    fn webhooks(settings: &[(&'static str, &str)]) -> Webhooks {
        with_secret("key", settings)
    }

    fn with_secret(secret: &str, settings: &[(&'static str, &str)]) -> Webhooks {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("tenants.toml");
        std::fs::write(&file, "[tenants.acme]\napi_key_sha256 = []\n").unwrap();
        let source = Source::from_pairs(settings.iter().copied())
            .with("PROOFLINE_TENANTS_FILE", file.as_os_str().to_owned())
            .with("PROOFLINE_EVENTS_SECRET", secret);
        let mut reader = Reader::new(&source);
        let webhooks = Webhooks::read(&mut reader);
        reader.finish(webhooks).unwrap()
    }

    const BODY: &[u8] = b"The quick brown fox jumps over the lazy dog";
    /// The well-known HMAC-SHA256 of that text under "key".
    const HEX: &str = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";

    #[test]
    fn a_signature_counts_for_its_tenant_and_body_only() {
        let webhooks = webhooks(&[]);
        let [acme, other] = ["acme", "other"].map(|name| TenantName::parse(name).unwrap());
        assert!(webhooks.is_authentic(&acme, Some(HEX), BODY));
        assert!(webhooks.is_authentic(&acme, Some(&HEX.to_uppercase()), BODY));
        assert!(!webhooks.is_authentic(&acme, Some(HEX), b"another body"));
        assert!(!webhooks.is_authentic(&acme, Some(&HEX[2..]), BODY));
        assert!(!webhooks.is_authentic(&acme, Some("x"), BODY));
        assert!(!webhooks.is_authentic(&acme, None, BODY));
        assert!(!webhooks.is_authentic(&other, Some(HEX), BODY));
    }

    #[test]
    fn while_a_secret_is_being_replaced_both_count() {
        let acme = TenantName::parse("acme").unwrap();
        for secret in ["key\nnext", "next\nkey\n", "next\r\n\r\nkey"] {
            assert!(with_secret(secret, &[]).is_authentic(&acme, Some(HEX), BODY), "{secret:?}");
        }
        assert!(!with_secret("next\nother", &[]).is_authentic(&acme, Some(HEX), BODY));
    }

    #[test]
    fn encoding_and_prefix_can_be_set() {
        let webhooks = webhooks(&[
            ("PROOFLINE_EVENTS_SIGNATURE_ENCODING", "base64"),
            ("PROOFLINE_EVENTS_SIGNATURE_PREFIX", "sha256="),
        ]);
        let acme = TenantName::parse("acme").unwrap();
        let signature = "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=";
        assert!(webhooks.is_authentic(&acme, Some(&format!("sha256={signature}")), BODY));
        assert!(!webhooks.is_authentic(&acme, Some(signature), BODY));
    }
}
