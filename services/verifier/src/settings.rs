//! The settings of this service.

use std::{net::SocketAddr, time::Duration};

use proofline_assure::Account;
use proofline_seal::{Keyring, read_sealing_keys};
use proofline_settings::Reader;
use proofline_tenants::Tenants;

/// What can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) admin_listen: SocketAddr,
    pub(crate) nats: proofline_journal::Settings,
    pub(crate) keyring: Keyring,
    pub(crate) assure: Account,
    pub(crate) tenants: Tenants,
    pub(crate) callback_grace: Duration,
    pub(crate) reconcile_interval: Duration,
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
        let keyring = read_sealing_keys(r);
        let assure = Account::read(r);
        let tenants = Tenants::read_if_given(r);
        let callback_grace = r.duration(
            "PROOFLINE_CALLBACK_GRACE",
            "5m",
            "How long after submission a process is left to its callback; six times as long after \
             creation, when it is not submitted.",
        );
        let reconcile_interval = r.duration(
            "PROOFLINE_RECONCILE_INTERVAL",
            "60s",
            "How often overdue processes are looked up, all together.",
        );
        Some(Self {
            admin_listen: admin_listen?,
            nats: nats?,
            keyring: keyring?,
            assure: assure?,
            tenants: tenants?,
            callback_grace: callback_grace?,
            reconcile_interval: reconcile_interval?,
        })
    }
}
