//! The oddities that no sample has: an Assure of the test's own tells them.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::survives;
use crate::{
    flows::way::{Way, enrolment},
    harness::Scene,
};

/// A process as Assure's descriptions have it, and no sample does.
struct Told {
    what: &'static str,
    way: Way,
    body: Value,
    reason: &'static str,
    mended: Vec<(&'static str, Value)>,
}

fn told() -> Vec<Told> {
    let onfido = || {
        Way::upload("onfido", "documentSelfie", &["front", "selfie"])
            .with(json!({ "document": { "type": "passport" } }))
    };
    let video_id = || Way::sdk("signicatvideoid", "substantialFullyAuto");
    let told = |what, way, body, mended| Told { what, way, body, reason: "", mended };
    let accepted =
        |final_result: Value| json!({ "status": "accepted", "finalResult": final_result });
    vec![
        told(
            "enums in another letter case",
            onfido(),
            accepted(json!({
                "similarityScore": "verylow", "documentType": "IDENTITYCARD", "gender": "f",
            })),
            vec![
                ("/final_result/similarity_score", json!("veryLow")),
                ("/final_result/document_type", json!("identityCard")),
                ("/final_result/gender", json!("F")),
            ],
        ),
        told(
            "countries of two letters, of ICAO, of nobody, of none",
            onfido(),
            accepted(json!({ "nationality": "D", "issuingCountry": "no" })),
            vec![
                ("/final_result/nationality", json!("DEU")),
                ("/final_result/issuing_country", json!("NOR")),
            ],
        ),
        told(
            "a country that nobody knows, and an empty one",
            onfido(),
            accepted(json!({ "nationality": "UTO", "issuingCountry": "" })),
            vec![
                ("/final_result/nationality", json!("UTO")),
                ("/final_result/issuing_country", Value::Null),
            ],
        ),
        told(
            "the other licence",
            onfido(),
            accepted(json!({ "documentType": "driversLicence", "livenessDetected": "False" })),
            vec![
                ("/final_result/document_type", json!("driversLicense")),
                ("/final_result/liveness_detected", json!(false)),
            ],
        ),
        told(
            "dates in other forms",
            onfido(),
            accepted(json!({
                "dateOfBirth": "19900101", "dateOfIssue": "2021-06-30T00:00:00Z",
                "dateOfExpiry": "1.7.2031",
            })),
            vec![
                ("/final_result/date_of_birth", json!("1990-01-01")),
                ("/final_result/date_of_issue", json!("2021-06-30")),
                // Not a form that occurs.
                ("/final_result/date_of_expiry", json!("1.7.2031")),
            ],
        ),
        told(
            "words for times, and no process type",
            onfido(),
            json!({ "status": "rejected", "createdAt": "createdAt", "updatedAt": "updatedAt" }),
            vec![("/process_type", json!("documentSelfie"))],
        ),
        told(
            "the process type of a neighbour",
            video_id(),
            json!({ "status": "rejected", "processType": "substantial" }),
            vec![("/process_type", json!("substantialFullyAuto"))],
        ),
        told(
            "a liveness that is an object, and an authority of another spelling",
            video_id(),
            json!({
                "status": "rejected", "providerSpecific": {
                    "ocr": { "livenessDetected": { "valid": true }, "mrzLine1": "mrzLine1: P<NOR" },
                    "manualApproval": { "rauthorityId": "x", "rAuthorityId": "x" },
                },
            }),
            vec![],
        ),
        told(
            "whole objects inside of themselves",
            Way::upload("facetec", "", &["front"]).submitted_with(enrolment("front")),
            json!({
                "status": "inconclusive", "providerSpecific": {
                    "liveness": { "faceScanSecurityChecks": { "facescanSecurityChecks": {} } },
                    "matching": { "attempts": [{ "attempts": [{ "matchLevel": 4 }] }] },
                },
            }),
            vec![],
        ),
        told(
            "nulls wherever something could be",
            onfido(),
            json!({
                "status": "accepted", "finalResult": { "firstName": null, "gender": "" },
                "providerSpecific": null, "depictions": null, "statusReasons": null,
                "failReason": null, "processType": null, "userInfo": null,
            }),
            vec![
                ("/final_result/first_name", Value::Null),
                ("/final_result/gender", Value::Null),
                ("/depictions", json!([])),
                ("/provider_result", Value::Null),
            ],
        ),
        told(
            "a final result that is no object",
            onfido(),
            accepted(json!("see attachment")),
            vec![("/final_result", Value::Null)],
        ),
        Told {
            what: "a reason that is a text",
            way: onfido(),
            body: json!({ "status": "failed", "failReason": "camera blocked" }),
            reason: "provider-failed",
            mended: vec![],
        },
        Told {
            what: "a reason with a category, and a status in capitals",
            way: onfido(),
            body: json!({
                "status": "FAILED",
                "failReason": { "category": "User.Request", "reason": "Process.Failed" },
            }),
            reason: "provider-failed",
            mended: vec![("/outcome", json!("failed"))],
        },
    ]
}

#[tokio::test]
async fn those_without_a_sample_survive() {
    let assure = Assure::open().await;
    let normaliser = "proofline-result-normaliser";
    let stage = Scene::new()
        .with(normaliser, "ASSURE_BASE_URL", format!("{}/assure", assure.url))
        .with(normaliser, "ASSURE_TOKEN_URL", format!("{}/token", assure.url))
        .start()
        .await;
    let (_, when, then) = stage.acts();
    for Told { what, way, mut body, reason, mended } in told() {
        let v = way.begin(&stage, &["simulate:never-finishes".to_owned()]).await;
        body["provider"] = json!(way.provider);
        assure.shows(&body);
        way.act(&stage, &v, "as-scripted").await;

        when.simulator.finishes(&v, "accepted").await;

        let status = body["status"].as_str().unwrap().to_owned();
        then.ends_as(&v, &status.to_lowercase(), reason).await;
        let result = then.result(&v).await;
        body["processId"] = json!(v.process_id);
        assert_eq!(result["process"], body, "{what}");
        let kept = [("/status", json!(status))];
        survives(what, &result, &kept, &mended);
    }
}

/// An Assure that shows every process as it is told to.
struct Assure {
    url: String,
    process: Arc<Mutex<Value>>,
}

impl Assure {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let process = Arc::new(Mutex::new(Value::Null));
        let token = json!({ "access_token": "x", "token_type": "Bearer", "expires_in": 600 });
        let router = Router::new()
            .route("/token", post(async || Json(token)))
            .route("/assure/dossiers/{dossier}/processes/{process}", get(show))
            .with_state(process.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, process }
    }

    fn shows(&self, process: &Value) {
        *self.process.lock().unwrap() = process.clone();
    }
}

async fn show(
    State(process): State<Arc<Mutex<Value>>>,
    Path((_, id)): Path<(String, String)>,
) -> Json<Value> {
    let mut process = process.lock().unwrap().clone();
    process["processId"] = json!(id);
    Json(process)
}
