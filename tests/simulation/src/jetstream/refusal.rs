//! Refusals of the server, as its client tells them.

use async_nats::jetstream::{
    Error,
    context::{PublishError, PublishErrorKind},
};
use serde_json::json;

pub(crate) fn wrong_last_sequence(last: u64) -> PublishError {
    let error = error(400, 10071, &format!("wrong last sequence: {last}"));
    PublishError::with_source(PublishErrorKind::WrongLastSequence, error)
}

/// On a cluster, while an append under the same guard is under way.
pub(crate) fn append_under_way() -> PublishError {
    PublishError::with_source(
        PublishErrorKind::Other,
        error(503, 10163, "expected last sequence per subject temporarily unavailable"),
    )
}

/// Of a batch with something in it that was stored before.
pub(crate) fn repeat_in_batch() -> PublishError {
    PublishError::with_source(
        PublishErrorKind::Other,
        error(400, 10201, "atomic publish batch contains duplicate message id"),
    )
}

pub(crate) fn bad_schedule() -> PublishError {
    PublishError::with_source(
        PublishErrorKind::Other,
        error(400, 10189, "message schedule is invalid"),
    )
}

fn error(code: u16, error_code: u16, description: &str) -> Error {
    let error = json!({ "code": code, "err_code": error_code, "description": description });
    serde_json::from_value(error).expect("of the server's form")
}
