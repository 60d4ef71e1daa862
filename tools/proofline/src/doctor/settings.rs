//! The settings of an installation, those of intake and of `proofline provision` together.

use proofline_assure::Account;
use proofline_journal::{ProvisionSettings, Settings as NatsSettings};
use proofline_seal::Keys;
use proofline_settings::{Reader, Url, parse_url};
use proofline_tenants::Tenants;

/// What is examined.
pub(crate) struct Settings {
    pub(super) nats: NatsSettings,
    /// Where the NATS servers tell about themselves, if that is known.
    pub(super) monitoring: Vec<Url>,
    pub(super) provision: ProvisionSettings,
    pub(super) tenants: Tenants,
    pub(super) keys: Keys,
    pub(super) assure: Account,
    pub(super) public_url: Url,
    pub(super) upload_url: Url,
    pub(super) api_url: Url,
}

impl Settings {
    /// Reads and documents them.
    pub(crate) fn read(r: &mut Reader) -> Option<Self> {
        let nats = NatsSettings::read(r);
        let monitoring = r.optional_parsed(
            "PROOFLINE_NATS_MONITORING",
            "http URLs, comma-separated",
            "Monitoring endpoints of all NATS servers, such as http://nats-0:8222; without them \
             nobody can look at sync_interval and at the disks.",
            |text| text.split(',').map(|url| parse_url(url.trim())).collect::<Result<_, _>>(),
        );
        let provision = ProvisionSettings::read(r);
        let tenants = Tenants::read(r);
        let keys = Keys::read(r);
        let assure = Account::read(r);
        let mut url = |name, default, about| r.url(name, Some(default), about);
        let public_url = url(
            "PROOFLINE_PUBLIC_URL",
            "http://127.0.0.1:8082",
            "callback-receiver as Assure and end-users reach it.",
        );
        let upload_url =
            url("PROOFLINE_UPLOAD_URL", "http://127.0.0.1:8081", "upload as its callers reach it.");
        let api_url =
            url("PROOFLINE_API_URL", "http://127.0.0.1:8080", "intake as its callers reach it.");
        Some(Self {
            nats: nats?,
            monitoring: monitoring?.unwrap_or_default(),
            provision: provision?,
            tenants: tenants?,
            keys: keys?,
            assure: assure?,
            public_url: public_url?,
            upload_url: upload_url?,
            api_url: api_url?,
        })
    }
}
