//! The oddities that samples have.

use assure_simulator::samples;
use serde_json::{Value, json};

use super::survives;
use crate::{flows::way::way_to, harness::Stage};

/// A sample; what of Get process is kept; what of our form is made of it.
struct Oddity {
    sample: &'static str,
    kept: Vec<(&'static str, Value)>,
    mended: Vec<(&'static str, Value)>,
}

/// In the order of the list of deviations, as far as there are samples.
fn in_samples() -> Vec<Oddity> {
    let valid = json!({ "valid": true });
    vec![
        Oddity {
            sample: "quirk-facetec-accepted",
            kept: vec![
                // An array, though the enum is declared on the array itself.
                ("/depictions", json!(["front"])),
                ("/finalResult/livenessDetected", json!("true")),
                ("/providerSpecific/matching/algorithm", json!("facePortrait")),
                ("/providerSpecific/matching/attempts/0/algorithm", json!("facePortrait")),
                ("/processType", Value::Null),
            ],
            mended: vec![
                ("/final_result/liveness_detected", json!(true)),
                ("/process_type", Value::Null),
            ],
        },
        Oddity {
            sample: "quirk-signicatpaper-accepted",
            kept: vec![
                ("/providerSpecific/verification/status", json!("true")),
                ("/providerSpecific/features/personalNumber", json!("000000000")),
                ("/providerSpecific/mrz/personalNumber", json!("000000000")),
                ("/providerSpecific/mrzChecksum/personalNumber", json!("VALID")),
                ("/providerSpecific/mrzFeatureMatching/personalNumber", json!("LEVENSHTEIN1")),
                ("/providerSpecific/mrzFeatureMatching/driving_permits", json!("MISSING")),
                ("/providerSpecific/features/qrcode.personal_number", json!("000000000")),
            ],
            mended: vec![("/final_result/personal_identification_number", json!("000000000"))],
        },
        Oddity {
            sample: "quirk-webid-accepted",
            kept: vec![
                // Words of each other's enums.
                ("/providerSpecific/identResponse/actionType", json!("pass")),
                ("/providerSpecific/identResponse/identMode", json!("video_ident")),
                ("/finalResult/nationality", json!("DE")),
                ("/providerSpecific/identResponse/idDocument/nationality", json!("DE")),
                ("/providerSpecific/identResponse/user/address/country", json!("")),
                // Declared as never read.
                ("/providerSpecific/identResponse/idDocument/authority", json!("SAMPLE TOWN")),
                ("/providerSpecific/identResponse/idDocument/idNumber", json!("ZZ0000004")),
                ("/providerSpecific/identResponse/user/firstname", json!("Fiktiva")),
                ("/providerSpecific/identResponse/user/lastname", json!("Beispiel")),
                ("/providerSpecific/identResponse/finishedOn", json!("2026-02-03T09:18:05+01:00")),
            ],
            mended: vec![
                ("/final_result/nationality", json!("DEU")),
                ("/final_result/issuing_country", Value::Null),
            ],
        },
        Oddity {
            sample: "quirk-signicatpictureid-accepted",
            kept: vec![
                (
                    "/providerSpecific/document/securityChecks/nonExpired",
                    json!({ "name": "Sample expiry check", "passed": true }),
                ),
                (
                    "/providerSpecific/document/securityChecks/selfieAndDocumentMatch",
                    json!({ "name": "Sample face check", "similarityLevel": "high" }),
                ),
            ],
            mended: vec![("/final_result/document_type", Value::Null)],
        },
        Oddity {
            sample: "quirk-signicatvideoid-accepted",
            kept: vec![
                // Older names.
                ("/provider", json!("eid")),
                ("/processType", json!("attended")),
                ("/notificationUrl", json!("https://callback.invalid/assure")),
                ("/providerSpecific/ocr/securityChecks/livenessDetected", valid),
                ("/providerSpecific/ocr/livenessDetected", json!("true")),
                ("/providerSpecific/ocr/similarityScore", json!("verylow")),
                ("/providerSpecific/ocr/features", json!([{}])),
                ("/providerSpecific/ocr/dateOfExpiry", json!("2031-06-30")),
                ("/providerSpecific/manualApproval/dateOfExpiry", json!("2031-07-08")),
            ],
            // Accepted, and yet without one.
            mended: vec![
                ("/final_result", Value::Null),
                ("/provider", json!("signicatvideoid")),
                ("/process_type", json!("high")),
            ],
        },
        Oddity {
            sample: "quirk-signicatvideoid-rejected",
            kept: vec![
                (
                    "/providerSpecific/manualApproval/rejectionReasons/0/type",
                    json!("Environment.CaptchaNotRead"),
                ),
                ("/providerSpecific/ocr/features/0/side", json!("data")),
            ],
            mended: vec![],
        },
        Oddity {
            sample: "quirk-readid-inconclusive",
            kept: vec![(
                "/providerSpecific/iproovSession/iProovAssuranceType",
                json!("GENUINE_PRESENCE"),
            )],
            mended: vec![],
        },
        Oddity {
            sample: "signicatpaper-rejected",
            kept: vec![("/finalResult/documentType", json!("passport"))],
            // Rejected, and yet with one: it says nothing of the outcome.
            mended: vec![("/final_result", Value::Null), ("/outcome", json!("rejected"))],
        },
        Oddity {
            sample: "onfido-rejected",
            kept: vec![("/providerSpecific/documentVerification/documentType", json!("unknown"))],
            mended: vec![],
        },
        Oddity {
            sample: "signicatpictureid-inconclusive",
            kept: vec![("/statusReasons/0/category", json!("SecurityCheckFailed"))],
            mended: vec![],
        },
        Oddity {
            sample: "signicatpictureid-rejected",
            kept: vec![("/statusReasons/0/category", json!("Security"))],
            mended: vec![],
        },
    ]
}

#[tokio::test]
async fn those_in_samples_survive() {
    let stage = Stage::start().await;
    let mut all = Vec::new();
    for oddity in in_samples() {
        let sample = samples().find(|sample| sample.name == oddity.sample).unwrap();
        let body: Value = serde_json::from_str(sample.json).unwrap();
        let way = way_to(&body);
        let v = way.begin(&stage, &[format!("simulate:sample={}", oddity.sample)]).await;
        way.act(&stage, &v, "as-scripted").await;
        all.push((oddity, body, v));
    }
    let (_, _, then) = stage.acts();
    for (Oddity { sample, kept, mended }, body, v) in all {
        then.ends_as(&v, body["status"].as_str().unwrap(), "").await;
        survives(sample, &then.result(&v).await, &kept, &mended);
    }
}
