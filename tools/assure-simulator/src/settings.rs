//! What can be set, and the defaults.

use std::time::Duration;

use proofline_settings::Reader;
use secrecy::SecretString;
use url::Url;

use crate::script::Script;
use crate::status::Status;

/// How one simulator behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where end-users reach the hosted pages; without it the address listened on.
    pub public_url: Option<Url>,
    /// The API client that may ask for tokens.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// The scope that must be asked for.
    pub scope: String,
    /// How long a token is good.
    pub token_lifetime: Duration,
    /// From Start verification to the final status, unless a script says otherwise.
    pub processing_time: Duration,
    /// How processes end, unless a script says otherwise.
    pub default_outcome: Status,
    /// Whether `notificationUrl` is honoured (the older generation of the API).
    pub callbacks: bool,
    /// How often a callback is sent in all while its receiver does not answer 200.
    pub callback_attempts: u32,
    /// Pause between two attempts.
    pub callback_retry: Duration,
    /// How long a receiver may take to answer.
    pub callback_timeout: Duration,
    /// Where events go from the start; more subscriptions come through the admin API.
    pub webhook_url: Option<Url>,
    /// Signs them, if given.
    pub webhook_secret: Option<SecretString>,
    /// How often an event is sent in all while its receiver does not answer with success.
    pub webhook_attempts: u32,
    /// Pause between two attempts.
    pub webhook_retry: Duration,
    /// From an event to its `expiresAt`, after which it is not sent again.
    pub webhook_lifetime: Duration,
    /// Largest image accepted, decoded.
    pub max_image_bytes: usize,
    /// Decides which calls a fault with a probability hits.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: None,
            client_id: "simulator".to_owned(),
            client_secret: SecretString::from("simulator-secret"),
            scope: "signicat-api".to_owned(),
            token_lifetime: Duration::from_secs(600),
            processing_time: Duration::from_millis(300),
            default_outcome: Status::Accepted,
            callbacks: true,
            callback_attempts: 6,
            callback_retry: Duration::from_secs(2),
            callback_timeout: Duration::from_secs(10),
            webhook_url: None,
            webhook_secret: None,
            webhook_attempts: 6,
            webhook_retry: Duration::from_secs(2),
            webhook_lifetime: Duration::from_secs(3600),
            max_image_bytes: 10 * 1024 * 1024,
            seed: 1,
        }
    }
}

impl Settings {
    /// Reads the settings named `SIMULATOR_…`.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let default = Self::default();
        let public_url = r.optional_parsed(
            "SIMULATOR_PUBLIC_URL",
            "http or https URL",
            "Where end-users reach the hosted pages; without it the address listened on.",
            web_address,
        );
        let client_id = r.text(
            "SIMULATOR_CLIENT_ID",
            Some(&default.client_id),
            "API client that may ask for tokens.",
        );
        let client_secret = r.optional_secret(
            "SIMULATOR_CLIENT_SECRET",
            "Secret of that client; without it simulator-secret.",
        );
        let scope =
            r.text("SIMULATOR_SCOPE", Some(&default.scope), "Scope that must be asked for.");
        let token_lifetime =
            r.duration("SIMULATOR_TOKEN_LIFETIME", "600s", "How long a token is good.");
        let processing_time = r.duration(
            "SIMULATOR_PROCESSING_TIME",
            "300ms",
            "From Start verification to the final status, unless a script says otherwise.",
        );
        let default_outcome = r.parsed(
            "SIMULATOR_DEFAULT_OUTCOME",
            Some("accepted"),
            "a final status",
            "How processes end, unless a script says otherwise.",
            |word| match Status::from(word) {
                status if status.is_final() => Ok(status),
                _ => Err("must be a final status"),
            },
        );
        let callbacks = r.parsed(
            "SIMULATOR_CALLBACKS",
            Some("on"),
            "on or off",
            "Whether notificationUrl is honoured.",
            |word| match word {
                "on" => Ok(true),
                "off" => Ok(false),
                _ => Err("must be on or off"),
            },
        );
        let callback_attempts = r.integer(
            "SIMULATOR_CALLBACK_ATTEMPTS",
            default.callback_attempts,
            "attempts",
            1..=1000,
            "How often a callback is sent in all while its receiver does not answer 200.",
        );
        let callback_retry =
            r.duration("SIMULATOR_CALLBACK_RETRY", "2s", "Pause between two attempts.");
        let callback_timeout =
            r.duration("SIMULATOR_CALLBACK_TIMEOUT", "10s", "How long a receiver may take.");
        let webhook_url = r.optional_parsed(
            "SIMULATOR_WEBHOOK_URL",
            "http or https URL",
            "Where webhook events go from the start.",
            web_address,
        );
        let webhook_secret = r.optional_secret(
            "SIMULATOR_WEBHOOK_SECRET",
            "Signs those events; unsigned without it.",
        );
        let webhook_attempts = r.integer(
            "SIMULATOR_WEBHOOK_ATTEMPTS",
            default.webhook_attempts,
            "attempts",
            1..=1000,
            "How often an event is sent in all while its receiver does not answer with success.",
        );
        let webhook_retry =
            r.duration("SIMULATOR_WEBHOOK_RETRY", "2s", "Pause between two attempts.");
        let webhook_lifetime =
            r.duration("SIMULATOR_WEBHOOK_LIFETIME", "1h", "From an event to its expiresAt.");
        let max_image_bytes = r.integer(
            "SIMULATOR_MAX_IMAGE_BYTES",
            default.max_image_bytes,
            "bytes",
            1..=100 * 1024 * 1024,
            "Largest image accepted, decoded.",
        );
        let seed = r.integer(
            "SIMULATOR_SEED",
            default.seed,
            "",
            0..=u64::MAX,
            "Decides which calls a fault with a probability hits.",
        );
        Some(Self {
            public_url: public_url?,
            client_id: client_id?,
            client_secret: client_secret?.unwrap_or(default.client_secret),
            scope: scope?,
            token_lifetime: token_lifetime?,
            processing_time: processing_time?,
            default_outcome: default_outcome?,
            callbacks: callbacks?,
            callback_attempts: callback_attempts?,
            callback_retry: callback_retry?,
            callback_timeout: callback_timeout?,
            webhook_url: webhook_url?,
            webhook_secret: webhook_secret?,
            webhook_attempts: webhook_attempts?,
            webhook_retry: webhook_retry?,
            webhook_lifetime: webhook_lifetime?,
            max_image_bytes: max_image_bytes?,
            seed: seed?,
        })
    }

    /// What happens to a process nobody wrote a script for.
    pub(crate) fn default_script(&self) -> Script {
        Script {
            outcome: self.default_outcome.clone(),
            processing_time: self.processing_time,
            ..Script::default()
        }
    }
}

/// An address that can be called.
pub(crate) fn web_address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or("must be an http or https URL")
}

#[cfg(test)]
mod tests {
    use proofline_settings::{Faults, Source};

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Faults> {
        let source = Source::from_pairs(pairs.iter().copied());
        let mut reader = Reader::new(&source);
        let settings = Settings::read(&mut reader);
        reader.finish(settings)
    }

    #[test]
    fn without_variables_the_defaults_are_those_of_the_library() {
        let settings = read(&[]).unwrap();
        assert_eq!(format!("{settings:?}"), format!("{:?}", Settings::default()));
    }

    #[test]
    fn every_wrong_setting_is_told_and_no_secret_is_shown() {
        let wrong = [
            ("SIMULATOR_DEFAULT_OUTCOME", "pending"),
            ("SIMULATOR_CALLBACKS", "yes"),
            ("SIMULATOR_SEED", "-1"),
        ];
        assert_eq!(read(&wrong).unwrap_err().iter().count(), 3);

        let settings = read(&[("SIMULATOR_CLIENT_SECRET", "planted")]).unwrap();
        assert!(!format!("{settings:?}").contains("planted"));
    }
}
