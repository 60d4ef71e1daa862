//! What Assure found, handed to what normalises it. `fuzz/` calls this too.

use proofline_events::v1::Outcome;
use serde_json::Value;

use crate::normalise::final_result;

/// An answer of Assure's, of which `finalResult` is made ours.
pub fn answer(bytes: &[u8]) {
    let Ok(answer) = serde_json::from_slice::<Value>(bytes) else { return };
    let given = answer.get("finalResult");
    let normalised = final_result(Outcome::Accepted, given);
    let members = normalised.as_object().map(serde_json::Map::len);
    assert_eq!(members, given.is_some_and(Value::is_object).then_some(15));
    assert_eq!(final_result(Outcome::Rejected, given), Value::Null);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn anything() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from),
            // What looks like a date, a country or a gender, and is none.
            "[0-9]{1,4}[-./]?[0-9]{0,2}[-./]?[0-9]{0,4}T?".prop_map(Value::from),
            "[A-Za-z]{1,3}<?".prop_map(Value::from),
            Just(json!([[], {}])),
        ]
    }

    proptest! {
        #[test]
        fn whatever_assure_says_is_made_of_the_same_members(
            date in anything(), country in anything(), gender in anything(), alive in anything(),
            kind in anything(), bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let found = json!({ "finalResult": {
                "dateOfBirth": date, "dateOfExpiry": gender, "nationality": country,
                "issuingCountry": kind, "gender": gender, "livenessDetected": alive,
                "documentType": kind, "similarityScore": kind, "firstName": date,
            }});
            answer(found.to_string().as_bytes());
            answer(&bytes);
        }
    }
}
