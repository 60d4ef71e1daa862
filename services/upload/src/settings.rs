//! The settings of this service.

use std::net::SocketAddr;

use proofline_assure::Account;
use proofline_seal::{Keyring, read_token_keys};
use proofline_service::{RateSettings, http::Limits};
use proofline_settings::Reader;
use proofline_tenants::Tenants;

/// What can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    pub(crate) limits: Limits,
    pub(crate) rates: RateSettings,
    pub(crate) nats: proofline_journal::Settings,
    pub(crate) tenants: Tenants,
    pub(crate) token_keys: Keyring,
    pub(crate) assure: Account,
    pub(crate) max_image_bytes: u64,
}

impl Settings {
    /// Reads and documents them.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let listen = r.address("PROOFLINE_LISTEN", "127.0.0.1:8081", "Where images come in.");
        let admin_listen = r.address(
            "PROOFLINE_ADMIN_LISTEN",
            "127.0.0.1:9081",
            "Where /livez, /readyz and /metrics are.",
        );
        let limits = Limits::read(r);
        let rates = RateSettings::read(r);
        let nats = proofline_journal::Settings::read(r);
        let tenants = Tenants::read(r);
        let token_keys = read_token_keys(r);
        let assure = Account::read(r);
        let max_image_bytes = r.integer(
            "PROOFLINE_MAX_IMAGE_BYTES",
            10_485_760,
            "bytes",
            1..=1_073_741_824,
            "Limit of one image.",
        );
        Some(Self {
            listen: listen?,
            admin_listen: admin_listen?,
            limits: limits?,
            rates: rates?,
            nats: nats?,
            tenants: tenants?,
            token_keys: token_keys?,
            assure: assure?,
            max_image_bytes: max_image_bytes?,
        })
    }
}
