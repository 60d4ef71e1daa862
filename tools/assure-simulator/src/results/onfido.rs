//! What Onfido finds, about a person who doesn't exist.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::Findings;
use crate::status::Status;
use crate::store::Process;

static ACCEPTED: LazyLock<Value> = LazyLock::new(|| parse(include_str!("onfido/accepted.json")));
static INCONCLUSIVE: LazyLock<Value> =
    LazyLock::new(|| parse(include_str!("onfido/inconclusive.json")));
static REJECTED: LazyLock<Value> = LazyLock::new(|| parse(include_str!("onfido/rejected.json")));

fn parse(template: &str) -> Value {
    serde_json::from_str(template).expect("the templates are JSON")
}

pub(super) fn findings(process: &Process, status: &Status) -> Findings {
    let template = match status {
        Status::Accepted => &*ACCEPTED,
        Status::Inconclusive => &*INCONCLUSIVE,
        Status::Rejected => &*REJECTED,
        Status::Pending
        | Status::Processing
        | Status::Canceled
        | Status::Failed
        | Status::Other(_) => return Findings::default(),
    };
    let mut final_result = template.get("finalResult").cloned();
    let mut provider_specific = template.get("providerSpecific").cloned();

    let document_type = process.request.document_type.as_deref();
    for tree in [
        final_result.as_mut(),
        provider_specific.as_mut().and_then(|p| p.get_mut("documentVerification")),
    ]
    .into_iter()
    .flatten()
    {
        // `unknown` stays: what could not be read isn't what was announced.
        if let (Some(found), Some(announced)) = (tree.get_mut("documentType"), document_type)
            && found != "unknown"
        {
            *found = json!(announced);
        }
    }
    if process.process_type == Some("document") {
        if let Some(Value::Object(members)) = &mut final_result {
            members.remove("similarityScore");
        }
        if let Some(Value::Object(members)) = &mut provider_specific {
            members.remove("facialSimilarity");
        }
    }
    Findings { final_result, provider_specific }
}
