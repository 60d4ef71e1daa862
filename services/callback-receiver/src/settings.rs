//! The settings of this service.

use std::{net::SocketAddr, num::NonZeroU32};

use proofline_seal::{Keyring, read_token_keys};
use proofline_service::{RateSettings, http::Limits};
use proofline_settings::Reader;

use crate::webhook_settings::Webhooks;

/// What can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    pub(crate) limits: Limits,
    pub(crate) refusals_per_second: NonZeroU32,
    pub(crate) nats: proofline_journal::Settings,
    pub(crate) token_keys: Keyring,
    pub(crate) webhooks: Webhooks,
}

impl Settings {
    /// Reads and documents them.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let listen =
            r.address("PROOFLINE_LISTEN", "127.0.0.1:8082", "Where Assure's callbacks come in.");
        let admin_listen = r.address(
            "PROOFLINE_ADMIN_LISTEN",
            "127.0.0.1:9082",
            "Where /livez, /readyz and /metrics are.",
        );
        let limits = Limits::read(r);
        let refusals_per_second = RateSettings::read_refusals(r);
        let nats = proofline_journal::Settings::read(r);
        let token_keys = read_token_keys(r);
        let webhooks = Webhooks::read(r);
        Some(Self {
            listen: listen?,
            admin_listen: admin_listen?,
            limits: limits?,
            refusals_per_second: refusals_per_second?,
            nats: nats?,
            token_keys: token_keys?,
            webhooks: webhooks?,
        })
    }
}
