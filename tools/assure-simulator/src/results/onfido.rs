//! What Onfido finds: another person than the samples', so that a test can tell whether a result
//! is the process's own or the sample that a script named.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::status::Status;

type Template = LazyLock<Map<String, Value>>;

static ACCEPTED: Template = LazyLock::new(|| parse(include_str!("onfido/accepted.json")));
static INCONCLUSIVE: Template = LazyLock::new(|| parse(include_str!("onfido/inconclusive.json")));
static REJECTED: Template = LazyLock::new(|| parse(include_str!("onfido/rejected.json")));

fn parse(template: &str) -> Map<String, Value> {
    serde_json::from_str(template).expect("the templates are JSON objects")
}

/// The findings behind a verdict.
pub(super) fn template(verdict: &Status) -> Map<String, Value> {
    match verdict {
        Status::Accepted => ACCEPTED.clone(),
        Status::Inconclusive => INCONCLUSIVE.clone(),
        Status::Rejected => REJECTED.clone(),
        Status::Pending
        | Status::Processing
        | Status::Canceled
        | Status::Failed
        | Status::Other(_) => Map::new(),
    }
}
