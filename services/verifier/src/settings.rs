//! The settings of this service.

use std::net::SocketAddr;

use proofline_assure::Account;
use proofline_settings::Reader;

/// What can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) admin_listen: SocketAddr,
    pub(crate) nats: proofline_journal::Settings,
    pub(crate) assure: Account,
}

impl Settings {
    /// Reads and documents them.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let admin_listen = r.address(
            "PROOFLINE_ADMIN_LISTEN",
            "127.0.0.1:9083",
            "Where /livez, /readyz and /metrics are.",
        );
        let nats = proofline_journal::Settings::read(r);
        let assure = Account::read(r);
        Some(Self { admin_listen: admin_listen?, nats: nats?, assure: assure? })
    }
}
