use serde_json::json;

use super::*;

fn normalised(given: Value) -> Value {
    final_result(Outcome::Accepted, Some(&given))
}

#[test]
fn every_member_is_there_whatever_was_given() {
    let result = normalised(json!({ "firstName": "FIKTIVA", "surprise": 1 }));
    let members = result.as_object().unwrap();
    assert_eq!(members.len(), 15);
    assert_eq!(members["first_name"], "FIKTIVA");
    assert!(members.iter().all(|(name, value)| name == "first_name" || value.is_null()));
}

#[test]
fn what_the_samples_get_wrong_is_mended() {
    let result = normalised(json!({
        "livenessDetected": "true", "similarityScore": "verylow", "nationality": "DE",
        "issuingCountry": "D", "dateOfBirth": "19900101", "dateOfExpiry": "2031-06-30T00:00:00Z",
        "gender": "female", "documentType": "driversLicence"
    }));
    assert_eq!(result["liveness_detected"], true);
    assert_eq!(result["similarity_score"], "veryLow");
    assert_eq!(result["nationality"], "DEU");
    assert_eq!(result["issuing_country"], "DEU");
    assert_eq!(result["date_of_birth"], "1990-01-01");
    assert_eq!(result["date_of_expiry"], "2031-06-30");
    assert_eq!(result["gender"], "F");
    assert_eq!(result["document_type"], "driversLicense");
}

#[test]
fn what_is_not_known_stays_as_it_came() {
    let given = json!({
        "nationality": "UTO", "documentType": "libraryCard", "dateOfBirth": "spring 1990",
        "gender": "X", "livenessDetected": "perhaps", "similarityScore": 0.9
    });
    let result = normalised(given.clone());
    for (ours, theirs, _) in MEMBERS {
        if let Some(value) = given.get(theirs) {
            assert_eq!(&result[ours], value);
        }
    }
}

#[test]
fn nothing_is_normalised_but_what_was_accepted_with_a_result() {
    assert_eq!(final_result(Outcome::Rejected, Some(&json!({ "firstName": "x" }))), Value::Null);
    assert_eq!(final_result(Outcome::Accepted, None), Value::Null);
}
