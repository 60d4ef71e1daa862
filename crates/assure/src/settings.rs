//! The account at Assure.

use proofline_settings::Reader;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use url::Url;

/// Where Assure is, and who we are there.
#[derive(Debug, Clone)]
pub struct Account {
    /// All calls hang under this address.
    pub base_url: Url,
    /// Where access tokens come from.
    pub token_url: Url,
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: SecretString,
    /// OAuth scope.
    pub scope: String,
}

impl Account {
    /// Names the account in shared places, the same in every process that has these settings.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.base_url.as_str(), &self.client_id] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads `ASSURE_BASE_URL`, `ASSURE_TOKEN_URL`, `ASSURE_CLIENT_ID`, `ASSURE_CLIENT_SECRET` and
    /// `ASSURE_SCOPE`.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let base_url =
            r.url("ASSURE_BASE_URL", Some("https://api.signicat.com/assure"), "Assure's API.");
        let token_url = r.url(
            "ASSURE_TOKEN_URL",
            Some("https://api.signicat.com/auth/open/connect/token"),
            "Where Assure's access tokens come from.",
        );
        let client_id = r.text("ASSURE_CLIENT_ID", None, "Client id of the Assure account.");
        let client_secret =
            r.secret("ASSURE_CLIENT_SECRET", "Client secret of the Assure account.");
        let scope =
            r.text("ASSURE_SCOPE", Some("signicat-api"), "OAuth scope of the Assure account.");
        Some(Self {
            base_url: base_url?,
            token_url: token_url?,
            client_id: client_id?,
            client_secret: client_secret?,
            scope: scope?,
        })
    }
}
