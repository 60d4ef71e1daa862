//! `POST /callbacks/{token}`: Assure says that a process is finished.
//!
//! The token in the address names the verification and was made by us; the `Authorization` that
//! we gave to Assure must come with it. Both are checked before the body is read. A forged or lying
//! callback that had both would make us look at Assure once, and nothing else.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header},
};
use proofline_ambient::clock;
use proofline_events::{VerificationKey, v1::SignalSource};
use proofline_journal::Signal;
use proofline_problem::{Code, Problem};
use proofline_seal::Purpose;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    app::App,
    body::{self, id_or_nothing},
};

/// The body. Other members are let through: Assure may add some.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Callback {
    dossier_id: String,
    process_id: String,
    status: String,
}

pub(crate) async fn receive(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let token = path.map(|Path(token)| token).unwrap_or_default();
    let key = authenticate(&app, &token, &headers)?;
    let callback = read(body).await?;
    app.record(&key, callback.signal()).await
}

/// No difference tells a stranger which of the two was wrong, or whether a verification exists.
fn authenticate(app: &App, token: &str, headers: &HeaderMap) -> Result<VerificationKey, Problem> {
    let refuse = || {
        let detail = "The address or the Authorization header is not valid.";
        app.refuse("/callbacks/{token}", Problem::new(Code::Unauthorized, detail))
    };
    let redeemed =
        app.token_keys.redeem(Purpose::Callback, token, clock::now()).map_err(|_| refuse())?;
    let presented = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if !presented.is_some_and(|value| redeemed.authorizes(&app.token_keys, value)) {
        return Err(refuse());
    }
    let capability = &redeemed.capability;
    VerificationKey::parse(&capability.tenant, &capability.verification_id).map_err(|_| refuse())
}

async fn read(body: Body) -> Result<Callback, Problem> {
    body::read_json(&body::read(body).await?).ok_or_else(|| {
        Problem::new(
            Code::Malformed,
            "The body must be JSON with the strings dossierId, processId and status.",
        )
    })
}

impl Callback {
    pub(crate) fn signal(&self) -> Signal {
        Signal {
            id: format!("callback.{}", self.digest()),
            source: SignalSource::Callback,
            claimed_dossier_id: id_or_nothing(&self.dossier_id),
            claimed_process_id: id_or_nothing(&self.process_id),
            claimed_status: id_or_nothing(&self.status),
        }
    }

    /// The same for every repeat of one callback, whatever its white space and order.
    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for member in [&self.dossier_id, &self.process_id, &self.status] {
            hash.update((member.len() as u64).to_be_bytes());
            hash.update(member);
        }
        let digest: [u8; 32] = hash.finalize().into();
        digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callback(dossier_id: &str, process_id: &str) -> Callback {
        let (dossier_id, process_id) = (dossier_id.into(), process_id.into());
        Callback { dossier_id, process_id, status: "accepted".into() }
    }

    #[test]
    fn a_repeat_has_the_same_digest_and_another_callback_has_not() {
        assert_eq!(callback("a", "b").digest(), callback("a", "b").digest());
        assert_ne!(callback("a", "b").digest(), callback("ab", "").digest());
    }

    #[tokio::test]
    async fn a_body_of_wrong_types_or_size_is_refused() {
        for (body, code) in [
            (Body::from("{"), Code::Malformed),
            (Body::from(r#"["d","p","s"]"#), Code::Malformed),
            (Body::from(r#"{"dossierId":1,"processId":"p","status":"s"}"#), Code::Malformed),
            (Body::from(r#"{"dossierId":"d"}"#), Code::Malformed),
            (Body::from(vec![b' '; body::MAX_BYTES + 1]), Code::PayloadTooLarge),
        ] {
            let problem = read(body).await.err().unwrap();
            assert_eq!(problem.code(), Some(code));
        }
        assert!(
            read(Body::from(r#"{"dossierId":"d","processId":"p","status":"s","x":1}"#))
                .await
                .is_ok()
        );
    }
}
