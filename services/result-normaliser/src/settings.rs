//! The settings of this service.

use std::{net::SocketAddr, time::Duration};

use proofline_assure::Account;
use proofline_journal::Retention;
use proofline_seal::{Keyring, read_sealing_keys};
use proofline_settings::{Reader, Url};
use proofline_tenants::Tenants;

/// A verification's longest deadline, and a week.
const LONGEST_LIFE: Duration = Duration::from_secs(37 * 24 * 60 * 60);

/// What can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) admin_listen: SocketAddr,
    pub(crate) nats: proofline_journal::Settings,
    pub(crate) keyring: Keyring,
    pub(crate) assure: Account,
    pub(crate) tenants: Tenants,
    pub(crate) api_url: Url,
    pub(crate) callback_grace: Duration,
    pub(crate) result_retention: Duration,
    pub(crate) delete_after: Option<Duration>,
}

impl Settings {
    /// Reads and documents them.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let admin_listen = r.address(
            "PROOFLINE_ADMIN_LISTEN",
            "127.0.0.1:9084",
            "Where /livez, /readyz and /metrics are.",
        );
        let nats = proofline_journal::Settings::read(r);
        let keyring = read_sealing_keys(r);
        let assure = Account::read(r);
        let tenants = Tenants::read_if_given(r);
        let api_url = r.url(
            "PROOFLINE_API_URL",
            Some("http://127.0.0.1:8080"),
            "intake as its callers reach it, for the result's address in events.",
        );
        let callback_grace = r.duration(
            "PROOFLINE_CALLBACK_GRACE",
            "5m",
            "How long after the end-user's return a process that is not submitted through Proofline \
             is left to its callback.",
        );
        let retention = Retention::read(r);
        let delete_after = r.optional_duration(
            "ASSURE_DELETE_AFTER",
            "Delete process and dossier in Assure this long after the end, the result being sealed \
             here; unset: they stay until they are erased.",
        );
        // Whose deletion comes due must still be in the log.
        if let (Some(retention), Some(Some(delete_after))) = (&retention, &delete_after)
            && *delete_after + LONGEST_LIFE > retention.events
        {
            r.fault(
                "ASSURE_DELETE_AFTER",
                "must be at least 37d shorter than PROOFLINE_EVENT_RETENTION",
            );
        }
        Some(Self {
            admin_listen: admin_listen?,
            nats: nats?,
            keyring: keyring?,
            assure: assure?,
            tenants: tenants?,
            api_url: api_url?,
            callback_grace: callback_grace?,
            result_retention: retention?.results,
            delete_after: delete_after?,
        })
    }
}
