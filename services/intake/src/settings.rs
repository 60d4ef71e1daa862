//! The settings of this service.

use std::{net::SocketAddr, time::Duration};

use proofline_assure::Account;
use proofline_seal::Keys;
use proofline_service::{RateSettings, http::Limits};
use proofline_settings::{Reader, Url};
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
    pub(crate) keys: Keys,
    pub(crate) assure: Account,
    pub(crate) completion: Completion,
    pub(crate) page_members: Vec<String>,
    pub(crate) public_url: Url,
    pub(crate) upload_url: Url,
    pub(crate) expires_after: Duration,
}

/// Events are kept at least a week longer than this.
const LATEST_DEADLINE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How Assure tells that a process is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Completion {
    /// Each process is given an address to call back and what to authenticate with.
    pub(crate) by_callback: bool,
}

impl Settings {
    /// Reads and documents them.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let listen =
            r.address("PROOFLINE_LISTEN", "127.0.0.1:8080", "Where callers' requests come in.");
        let admin_listen = r.address(
            "PROOFLINE_ADMIN_LISTEN",
            "127.0.0.1:9080",
            "Where /livez, /readyz and /metrics are.",
        );
        let limits = Limits::read(r);
        let rates = RateSettings::read(r);
        let nats = proofline_journal::Settings::read(r);
        let tenants = Tenants::read(r);
        let keys = Keys::read(r);
        let assure = Account::read(r);
        let completion = r.parsed(
            "ASSURE_COMPLETION",
            Some("callback,events"),
            "callback, events, or both, comma-separated",
            "How Assure tells the end: by a callback to each process, by an account-level webhook.",
            Completion::parse,
        );
        let page_members = r.parsed(
            "ASSURE_PAGE_MEMBERS",
            Some("redirectUrl,url"),
            "names, comma-separated",
            "Members of Assure's answer to Create process that may have the address of the \
             end-user's page; the first that is there is taken.",
            page_members,
        );
        let public_url = r.url(
            "PROOFLINE_PUBLIC_URL",
            Some("http://127.0.0.1:8082"),
            "callback-receiver as Assure and end-users reach it.",
        );
        let upload_url = r.url(
            "PROOFLINE_UPLOAD_URL",
            Some("http://127.0.0.1:8081"),
            "upload as its callers reach it.",
        );
        let expires_after = r.duration(
            "PROOFLINE_EXPIRES_AFTER",
            "24h",
            "Default deadline of a verification, at most 30d.",
        );
        let is_too_late = |deadline: &Duration| *deadline > LATEST_DEADLINE;
        if expires_after.as_ref().is_some_and(is_too_late) {
            r.fault("PROOFLINE_EXPIRES_AFTER", "must be at most 30d");
        }
        Some(Self {
            listen: listen?,
            admin_listen: admin_listen?,
            limits: limits?,
            rates: rates?,
            nats: nats?,
            tenants: tenants?,
            keys: keys?,
            assure: assure?,
            completion: completion?,
            page_members: page_members?,
            public_url: public_url?,
            upload_url: upload_url?,
            expires_after: expires_after?,
        })
    }
}

fn page_members(text: &str) -> Result<Vec<String>, &'static str> {
    let names: Vec<_> = text.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().any(String::is_empty) {
        true => Err("must be names, comma-separated"),
        false => Ok(names),
    }
}

impl Completion {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut by_callback = false;
        for way in text.split(',').map(str::trim) {
            match way {
                "callback" => by_callback = true,
                "events" => {}
                _ => return Err("must be callback, events, or both, comma-separated"),
            }
        }
        Ok(Self { by_callback })
    }
}
