//! One calling application.

use std::path::PathBuf;

use proofline_assure::Account;
use proofline_events::TenantName;
use proofline_settings::{SecretFileError, read_secret_file};
use secrecy::SecretString;
use url::Url;

use crate::Origin;

/// A calling application: what it may use and what is its own.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its name.
    pub name: TenantName,
    /// Where its end-users' browsers come from and may be sent back to.
    pub web_origins: Vec<Origin>,
    /// Its internal services that are told of each end; each has a durable consumer.
    pub subscribers: Vec<String>,
    /// Where its own webhook secret is, if it has one.
    pub events_secret_file: Option<PathBuf>,
    /// Its own Assure account, if it has one.
    pub assure: Option<Account>,
}

impl Tenant {
    /// Whether the origin of this address is listed, both compared as parsed.
    pub fn lists_origin_of(&self, url: &Url) -> bool {
        self.web_origins.iter().any(|origin| origin.is_of(url))
    }

    /// Whether a browser's `Origin` header names a listed origin.
    pub fn lists_origin(&self, header: &str) -> bool {
        self.web_origins.iter().any(|origin| origin.as_str() == header)
    }

    /// Reads its own webhook secret; `None` when it has none.
    ///
    /// # Errors
    ///
    /// When the file is absent, unreadable or empty.
    pub fn events_secret(&self) -> Result<Option<SecretString>, SecretFileError> {
        self.events_secret_file.as_deref().map(read_secret_file).transpose()
    }
}
