//! `GET /return/{token}`: the end-user comes back from a page.
//!
//! That is a signal to look, as a callback is, and then the end-user goes on to the caller's page,
//! which the token names. It is encrypted in there by us, so nobody can send an end-user elsewhere.
//! They go on also when NATS is away: then reconciliation finds the end.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use proofline_ambient::clock;
use proofline_events::{VerificationKey, v1::SignalSource};
use proofline_journal::Signal;
use proofline_problem::{Code, Problem};
use proofline_seal::Purpose;
use serde::Deserialize;
use time::{OffsetDateTime, macros::format_description};
use tokio::time::timeout;
use url::Url;

use crate::{app::App, body::id_or_nothing};

/// An end-user is not kept waiting longer than this for NATS.
const STORED_WITHIN: Duration = Duration::from_secs(2);

/// What Assure appends to the address: unsigned, and so recorded only.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Claims {
    dossier_id: String,
    process_id: String,
    status: String,
}

pub(crate) async fn receive(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    claims: Result<Query<Claims>, QueryRejection>,
) -> Result<Response, Problem> {
    let token = path.map(|Path(token)| token).unwrap_or_default();
    let now = clock::now();
    let (key, return_url) = redeem(&app, &token, now).ok_or_else(|| {
        let detail = "There is nothing at this address.";
        app.refuse("/return/{token}", Problem::new(Code::NotFound, detail))
    })?;
    let claims = claims.map_or_else(|_| Claims::default(), |Query(claims)| claims);
    // What went wrong is in the log, and not the end-user's business.
    if timeout(STORED_WITHIN, app.record(&key, claims.signal(now))).await.is_err() {
        tracing::error!(verification.id = %key.id, "an end-user's return could not be stored in time");
    }
    let on = go_on(return_url, &key).ok_or_else(|| {
        Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR, "Something is broken here.")
    })?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, on)]).into_response())
}

impl Claims {
    pub(crate) fn signal(&self, now: OffsetDateTime) -> Signal {
        Signal {
            id: format!("return.{}", minute(now)),
            source: SignalSource::Return,
            claimed_dossier_id: id_or_nothing(&self.dossier_id),
            claimed_process_id: id_or_nothing(&self.process_id),
            claimed_status: id_or_nothing(&self.status),
        }
    }
}

/// The verification, and the caller's page.
fn redeem(app: &App, token: &str, now: OffsetDateTime) -> Option<(VerificationKey, Url)> {
    let capability = app.token_keys.redeem(Purpose::Return, token, now).ok()?.capability;
    let key = VerificationKey::parse(&capability.tenant, &capability.verification_id).ok()?;
    let return_url = Url::parse(&capability.detail?).ok()?;
    Some((key, return_url))
}

/// The caller's page with the verification's id behind its own query.
fn go_on(mut return_url: Url, key: &VerificationKey) -> Option<HeaderValue> {
    let query = match return_url.query() {
        Some(query) if !query.is_empty() => format!("{query}&verification_id={}", key.id),
        _ => format!("verification_id={}", key.id),
    };
    return_url.set_query(Some(&query));
    HeaderValue::from_str(return_url.as_str()).ok()
}

/// Returns within one minute count as one.
fn minute(now: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]Z");
    now.to_offset(time::UtcOffset::UTC).format(&form).expect("years 0 to 9999 can be formatted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_query_and_fragment_are_kept() {
        let key = VerificationKey::parse("acme", "vrf_00000000000000000000").unwrap();
        let on =
            |url: &str| go_on(Url::parse(url).unwrap(), &key).unwrap().to_str().unwrap().to_owned();
        let id = "verification_id=vrf_00000000000000000000";
        assert_eq!(on("https://a.example"), format!("https://a.example/?{id}"));
        assert_eq!(on("https://a.example/b?"), format!("https://a.example/b?{id}"));
        assert_eq!(
            on("https://a.example/b?c=%26d&e#/f?g"),
            format!("https://a.example/b?c=%26d&e&{id}#/f?g")
        );
    }

    #[test]
    fn returns_within_a_minute_are_one_signal() {
        let at = time::macros::datetime!(2026-02-03 08:15:59.9 UTC);
        assert_eq!(minute(at), "2026-02-03T08:15Z");
    }
}
