//! The result as it is sealed, and as intake serves it.

use proofline_assure::Process;
use proofline_events::{
    Word,
    v1::{Flow, Outcome},
};
use proofline_verification::Verification;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::normalise;

/// The result, then ever shorter forms of it for when it is too large to be kept: without the
/// whole answer, without the provider's part too.
pub(crate) fn ever_shorter(
    verification: &Verification,
    outcome: Outcome,
    process: &Process,
    now: OffsetDateTime,
) -> impl Iterator<Item = Vec<u8>> {
    let mut document = whole(verification, outcome, process, now);
    let mut omitted = Vec::new();
    [None, Some("process"), Some("provider_result")].into_iter().map(move |omit| {
        if let Some(name) = omit {
            omitted.push(name);
            document[name] = Value::Null;
            document["omitted"] = json!(omitted);
        }
        document.to_string().into_bytes()
    })
}

fn whole(
    verification: &Verification,
    outcome: Outcome,
    process: &Process,
    now: OffsetDateTime,
) -> Value {
    let answer = &process.answer;
    let member = |name: &str| answer.get(name).cloned().unwrap_or(Value::Null);
    let depictions = answer.get("depictions").filter(|value| value.is_array());
    let request = &verification.request;
    json!({
        "verification_id": verification.key.id.as_str(),
        "outcome": outcome.word(),
        "provider": request.provider,
        "process_type": Some(&request.process_type).filter(|name| !name.is_empty()),
        // What an eID gives has no common form, and Assure does not make it one.
        "final_result": match request.flow {
            Flow::Eid => Value::Null,
            Flow::Document | Flow::Capture | Flow::Unspecified => {
                normalise::final_result(outcome, answer.get("finalResult"))
            }
        },
        "provider_result": member("providerSpecific"),
        "user_info": user_info(answer),
        "process": answer,
        "depictions": depictions.cloned().unwrap_or_else(|| json!([])),
        "fetched_at": now.format(&Rfc3339).expect("years 0 to 9999 can be formatted"),
        "omitted": [],
    })
}

/// An eID's own claims, as an object or a JWT. Where they stand is not documented.
fn user_info(answer: &Value) -> Value {
    let places = ["/userInfo", "/providerSpecific/userInfo"];
    let mut found = places.iter().filter_map(|place| answer.pointer(place));
    found.find(|value| value.is_object() || value.is_string()).cloned().unwrap_or(Value::Null)
}
