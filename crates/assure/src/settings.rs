//! The account at Assure.

use proofline_settings::Reader;
use secrecy::SecretString;
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
