//! Assure's `finalResult` made the same for every provider.
//!
//! Assure normalises, but its own samples break its schema here and there: letter case of enums,
//! country codes of two letters or of ICAO, booleans as text, dates in other forms. Those are
//! mended; a value that is not known stays as it came.

mod country;
mod date;

#[cfg(test)]
mod tests;

use proofline_assure::wire::DOCUMENT_TYPES;
use proofline_events::v1::Outcome;
use serde_json::{Map, Value};

/// How a member is mended.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Date,
    Country,
    Gender,
    Word(&'static [&'static str]),
    Boolean,
}

const SIMILARITY: &[&str] = &["veryLow", "low", "medium", "high"];

/// Our name, Assure's name, and the form: the members of the contract, always all of them.
const MEMBERS: [(&str, &str, Form); 15] = [
    ("first_name", "firstName", Form::Text),
    ("last_name", "lastName", Form::Text),
    ("last_name_second_line", "lastNameSecondLine", Form::Text),
    ("date_of_birth", "dateOfBirth", Form::Date),
    ("place_of_birth", "placeOfBirth", Form::Text),
    ("gender", "gender", Form::Gender),
    ("nationality", "nationality", Form::Country),
    ("personal_identification_number", "personalIdentificationNumber", Form::Text),
    ("document_type", "documentType", Form::Word(DOCUMENT_TYPES)),
    ("document_number", "documentNumber", Form::Text),
    ("issuing_country", "issuingCountry", Form::Country),
    ("date_of_issue", "dateOfIssue", Form::Date),
    ("date_of_expiry", "dateOfExpiry", Form::Date),
    ("similarity_score", "similarityScore", Form::Word(SIMILARITY)),
    ("liveness_detected", "livenessDetected", Form::Boolean),
];

/// The normalised result: only for an accepted process, and only where Assure gave one.
pub(crate) fn final_result(outcome: Outcome, given: Option<&Value>) -> Value {
    match given.and_then(Value::as_object) {
        Some(given) if outcome == Outcome::Accepted => {
            let members = MEMBERS
                .iter()
                .map(|(ours, theirs, form)| ((*ours).to_owned(), mend(given, theirs, *form)));
            Value::Object(members.collect())
        }
        _ => Value::Null,
    }
}

fn mend(given: &Map<String, Value>, name: &str, form: Form) -> Value {
    let Some(value) = given.get(name) else { return Value::Null };
    let Value::String(text) = value else { return value.clone() };
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Value::Null;
    }
    match form {
        Form::Text => value.clone(),
        Form::Date => date::iso(trimmed).map_or_else(|| value.clone(), Value::from),
        Form::Country => country::alpha_3(trimmed).map_or_else(|| value.clone(), Value::from),
        Form::Gender => gender(trimmed).map_or_else(|| value.clone(), Value::from),
        Form::Word(known) => {
            let spelt = known.iter().find(|word| same_word(word, trimmed));
            spelt.map_or_else(|| value.clone(), |word| Value::from(*word))
        }
        Form::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" => Value::from(true),
            "false" => Value::from(false),
            _ => value.clone(),
        },
    }
}

/// Letter case apart; and both spellings of licence occur.
fn same_word(known: &str, given: &str) -> bool {
    let american = |text: &str| text.to_ascii_lowercase().replace("licence", "license");
    american(known) == american(given)
}

fn gender(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "m" | "male" => Some("M"),
        "f" | "female" => Some("F"),
        _ => None,
    }
}
