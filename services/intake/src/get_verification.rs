//! `GET /v1/verifications/{id}`, at once or when it is finished (`Prefer: wait=20`).

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use proofline_events::VerificationKey;
use proofline_journal::Hint;
use proofline_problem::Problem;
use proofline_verification::Verification;
use tokio::time::{Instant, timeout_at};

use crate::{
    app::{App, SharedApp, Target},
    openapi::problems,
    view::{View, view},
};

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Reads a verification
///
/// At once, or with `Prefer: wait=20` when it is finished or 20 seconds have passed.
#[utoipa::path(
    get, path = "/v1/verifications/{id}", tag = "verifications", operation_id = "getVerification",
    params(
        ("id" = String, Path, description = "The verification's id."),
        ("Prefer" = Option<String>, Header, example = "wait=20",
            description = "`wait=<seconds>` (RFC 7240), at most 60."),
    ),
    responses(
        (status = 200, description = "The verification as it is now.", body = View,
            headers(("Preference-Applied" = String,
                description = "`wait=<seconds>`, where it was waited."))),
        problems::Read,
    ),
)]
pub(crate) async fn get(
    State(app): State<SharedApp>,
    Target(key): Target,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wait = wait_of(&headers);
    let verification = match wait {
        None => read(&app, &key).await?,
        Some(wait) => read_when_finished(&app, &key, wait).await?,
    };
    let mut answer = Json(view(&app, &verification).await?).into_response();
    if let Some(wait) = wait {
        let applied = HeaderValue::from_str(&format!("wait={}", wait.as_secs()));
        answer
            .headers_mut()
            .insert(PREFERENCE_APPLIED, applied.expect("digits are fit for a header"));
    }
    Ok(answer)
}

/// The verification, or the problem that there is none.
pub(crate) async fn read(app: &App, key: &VerificationKey) -> Result<Verification, Problem> {
    let history =
        app.journal.read(key).await.map_err(|error| proofline_callers::of_journal(&error))?;
    history.verification.ok_or_else(proofline_callers::not_found)
}

/// The same with everything that the leader has, for what depends on the end.
pub(crate) async fn read_latest(app: &App, key: &VerificationKey) -> Result<Verification, Problem> {
    let history = app.journal.read_latest(key).await;
    let history = history.map_err(|error| proofline_callers::of_journal(&error))?;
    history.verification.ok_or_else(proofline_callers::not_found)
}

/// Listens first, then reads: an end that comes in between is heard. What is heard is only a hint
/// (the server may yet refuse that append), so after each hint the log is read again.
async fn read_when_finished(
    app: &App,
    key: &VerificationKey,
    wait: Duration,
) -> Result<Verification, Problem> {
    let until = Instant::now() + wait;
    let mut hint =
        Hint::of_the_end(&app.journal, key).await.map_err(|e| proofline_callers::of_journal(&e))?;
    loop {
        let verification = read(app, key).await?;
        if verification.end.is_some() || Instant::now() >= until {
            return Ok(verification);
        }
        let next = timeout_at(until, hint.next());
        tokio::select! {
            biased;
            _ = next => {}
            // A process that is to stop answers with what there is.
            () = app.shutdown.cancelled() => return read(app, key).await,
        }
    }
}

/// RFC 7240: `wait` in seconds, among other preferences that are not known here.
fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut all = preferences.flat_map(|value| value.split([',', ';']));
    all.find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        let seconds = value.trim().trim_matches('"').parse().ok()?;
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        is_wait.then(|| Duration::from_secs(seconds).min(MAX_WAIT))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_found_among_other_preferences_and_clamped() {
        let of = |text: &'static str| {
            wait_of(&HeaderMap::from_iter([(PREFER, HeaderValue::from_static(text))]))
        };
        assert_eq!(of("wait=20"), Some(Duration::from_secs(20)));
        assert_eq!(of("respond-async, Wait = 5"), Some(Duration::from_secs(5)));
        assert_eq!(of("wait=600"), Some(MAX_WAIT));
        assert_eq!(of("wait=soon"), None);
        assert_eq!(of("return=minimal"), None);
    }
}
