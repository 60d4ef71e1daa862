//! Webhook events: subscriptions of the account, told of every process that ends.

mod event;
mod sending;

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use url::Url;
use uuid::Uuid;

use crate::settings::Settings;

pub(crate) use self::event::Event;
pub(crate) use self::sending::{Delivery, publish, send};

/// What the reference could not read; third parties guess so.
const HEADER: HeaderName = HeaderName::from_static("x-signicat-signature");

/// How the bytes of a signature become text.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    #[default]
    Hex,
    Base64,
}

/// Somebody to be told.
#[derive(Clone)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) url: Url,
    /// Without it nothing is signed.
    pub(crate) secret: Option<SecretString>,
    pub(crate) header: HeaderName,
    pub(crate) encoding: Encoding,
    /// Before the encoded signature, such as `sha256=`.
    pub(crate) prefix: String,
    /// What was sent so far.
    pub(crate) deliveries: Vec<Delivery>,
}

impl Subscription {
    pub(crate) fn new(url: Url) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            url,
            secret: None,
            header: HEADER,
            encoding: Encoding::default(),
            prefix: String::new(),
            deliveries: Vec::new(),
        }
    }

    /// The signature of a body, as its header carries it.
    fn signature(&self, body: &[u8]) -> Option<HeaderValue> {
        let secret = self.secret.as_ref()?.expose_secret();
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .expect("HMAC takes a key of any length")
            .chain_update(body)
            .finalize()
            .into_bytes();
        let text = match self.encoding {
            Encoding::Hex => mac.iter().map(|b| format!("{b:02x}")).collect(),
            Encoding::Base64 => STANDARD.encode(mac),
        };
        HeaderValue::from_str(&format!("{}{text}", self.prefix)).ok()
    }
}

/// All subscriptions, oldest first.
pub(crate) struct Webhooks(Mutex<Vec<Subscription>>);

impl Webhooks {
    pub(crate) fn new(settings: &Settings) -> Self {
        let first = settings.webhook_url.clone().map(|url| Subscription {
            secret: settings.webhook_secret.clone(),
            ..Subscription::new(url)
        });
        Self(Mutex::new(first.into_iter().collect()))
    }

    /// Never held across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Subscription>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, id: &str) -> Option<Subscription> {
        self.lock().iter().find(|s| s.id == id).cloned()
    }
}
