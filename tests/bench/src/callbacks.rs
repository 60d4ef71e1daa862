//! Callbacks as Assure sends them, each with a token and `Authorization` of its own.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use http_body_util::Full;
use hyper::header;
use proofline_seal::{Capability, Keyring, Purpose};
use secrecy::ExposeSecret;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::{
    harness::{TOKEN_KEYS, Verification},
    load::Call,
};

/// Counts verifications that nobody asked for: callback-receiver can't know.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Callbacks that are ready to be sent, each once. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Callbacks {
    calls: Arc<Vec<Call>>,
    next: Arc<AtomicUsize>,
}

impl Callbacks {
    /// Makes so many, of as many verifications.
    pub(crate) fn mint(count: usize) -> Self {
        let calls = (0..count).map(|_| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let id = format!("vrf_bench{number:020}");
            call(&id, &format!("d-{number:030}"), &format!("p-{number:030}"))
        });
        Self::of(calls.collect())
    }

    fn of(calls: Vec<Call>) -> Self {
        Self { calls: Arc::new(calls), next: Arc::default() }
    }

    /// The same, to be sent to somebody else.
    pub(crate) fn again(&self) -> Self {
        Self { calls: self.calls.clone(), next: Arc::default() }
    }

    /// The next that was not sent yet.
    pub(crate) fn next(&self) -> Option<Call> {
        self.calls.get(self.next.fetch_add(1, Ordering::Relaxed)).cloned()
    }
}

/// The callback of a verification that there is.
pub(crate) fn of(verification: &Verification) -> Call {
    call(&verification.id, &verification.dossier_id, &verification.process_id)
}

#[expect(clippy::disallowed_methods, reason = "the services read the clock too")]
fn call(id: &str, dossier_id: &str, process_id: &str) -> Call {
    static KEYS: OnceLock<Keyring> = OnceLock::new();
    let keys = KEYS.get_or_init(|| Keyring::parse(TOKEN_KEYS).unwrap());
    let (token, authorization) = keys.mint_callback(&Capability {
        purpose: Purpose::Callback,
        tenant: "acme".to_owned(),
        verification_id: id.to_owned(),
        expires_at: OffsetDateTime::now_utc() + Duration::DAY,
        detail: None,
    });
    let body = json!({ "dossierId": dossier_id, "processId": process_id, "status": "accepted" });
    hyper::Request::post(format!("/callbacks/{token}"))
        .header(header::HOST, "receiver")
        .header(header::AUTHORIZATION, authorization.expose_secret())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(body.to_string()))
        .unwrap()
}
