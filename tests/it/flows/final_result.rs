//! What becomes of Assure's `finalResult`.

use serde_json::{Map, Value, json};

/// Our name and Assure's of every member.
const MEMBERS: [(&str, &str); 15] = [
    ("first_name", "firstName"),
    ("last_name", "lastName"),
    ("last_name_second_line", "lastNameSecondLine"),
    ("date_of_birth", "dateOfBirth"),
    ("place_of_birth", "placeOfBirth"),
    ("gender", "gender"),
    ("nationality", "nationality"),
    ("personal_identification_number", "personalIdentificationNumber"),
    ("document_type", "documentType"),
    ("document_number", "documentNumber"),
    ("issuing_country", "issuingCountry"),
    ("date_of_issue", "dateOfIssue"),
    ("date_of_expiry", "dateOfExpiry"),
    ("similarity_score", "similarityScore"),
    ("liveness_detected", "livenessDetected"),
];

/// Ours for a process, but for these members, which need mending: nothing but for an accepted one
/// that has one of Assure's, then every member, null where there was nothing.
pub(super) fn expected(process: &Value, mended: &[(&str, Value)]) -> Value {
    let (true, Some(given)) = (process["status"] == "accepted", process["finalResult"].as_object())
    else {
        return Value::Null;
    };
    let mut members: Map<_, _> = MEMBERS
        .iter()
        .map(|(ours, theirs)| ((*ours).to_owned(), given.get(*theirs).cloned().unwrap_or_default()))
        .collect();
    for (name, value) in mended {
        let before = members.insert((*name).to_owned(), value.clone());
        assert_ne!(before.as_ref(), Some(value), "{name} needs no mending");
    }
    json!(members)
}
