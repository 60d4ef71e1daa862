//! Bodies from outside: bounded in size and time, and what of them may be recorded.

use std::{error::Error, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use proofline_problem::{Code, Problem};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// No callback or webhook is larger.
pub(crate) const MAX_BYTES: usize = 64 * 1024;
/// How long a body may take. Assure waits 10 s for the answer to the whole.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Reads a whole body.
///
/// # Errors
/// 413 when it is too large, 408 when it takes too long, 400 when it breaks off.
pub(crate) async fn read(body: Body) -> Result<Bytes, Problem> {
    match tokio::time::timeout(TIMEOUT, axum::body::to_bytes(body, MAX_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => {
            Err(Problem::new(Code::PayloadTooLarge, "A body has at most 64 KiB here."))
        }
        Ok(Err(_)) => Err(Problem::new(Code::Malformed, "The body broke off.")),
        Err(_) => Err(Problem::of_status(StatusCode::REQUEST_TIMEOUT, "The body took too long.")),
    }
}

/// The limit's error is the cause of the one we are given.
fn is_too_large(error: &axum::Error) -> bool {
    let mut cause = Error::source(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// A JSON object. By way of a map: an array of the same values is not what Assure sends.
pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let members: Map<String, Value> = serde_json::from_slice(body).ok()?;
    serde_json::from_value(members.into()).ok()
}

/// What is recorded of a claim: nothing but what looks like an id or a status, since anything
/// else could be personal data.
pub(crate) fn id_or_nothing(text: &str) -> String {
    let is_id = text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if is_id { text.to_owned() } else { String::new() }
}

/// Whether a signal records nothing else.
#[cfg(any(test, fuzzing))]
pub(crate) fn is_plain(signal: &proofline_journal::Signal) -> bool {
    let claims = [&signal.claimed_dossier_id, &signal.claimed_process_id, &signal.claimed_status];
    let id = signal.id.replace(['.', ':'], "");
    claims.into_iter().chain([&id]).all(|text| id_or_nothing(text) == *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_an_id_is_recorded() {
        assert_eq!(id_or_nothing("b2d1c7a4-8a6e"), "b2d1c7a4-8a6e");
        assert_eq!(id_or_nothing("FIKTIVA TESTPERSON"), "");
        assert_eq!(id_or_nothing(&"a".repeat(65)), "");
    }
}
