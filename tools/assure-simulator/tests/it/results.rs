use serde_json::{Value, json};

use crate::harness::{JPEG, Simulator, data_url};

#[tokio::test]
async fn an_accepted_process_has_a_final_result_about_the_announced_document() {
    let simulator = Simulator::start().await;

    let result = run(&simulator, "documentSelfie", "accepted").await;

    assert_eq!(result["depictions"], json!(["front", "selfie"]));
    assert_eq!(result["finalResult"]["documentType"], "driversLicense");
    assert_eq!(result["finalResult"]["similarityScore"], "high");
    let specific = &result["providerSpecific"];
    assert_eq!(specific["documentVerification"]["documentType"], "driversLicense");
    assert_eq!(specific["documentVerification"]["result"], "clear");
    assert_eq!(specific["facialSimilarity"]["result"], "clear");
}

#[tokio::test]
async fn a_process_for_a_document_alone_says_nothing_about_faces() {
    let simulator = Simulator::start().await;

    let result = run(&simulator, "document", "accepted").await;

    assert_eq!(result["depictions"], json!(["front"]));
    assert!(result["finalResult"].get("similarityScore").is_none());
    assert!(result["providerSpecific"].get("facialSimilarity").is_none());
}

#[tokio::test]
async fn only_an_accepted_process_has_a_final_result() {
    let simulator = Simulator::start().await;

    for (outcome, specific, reason) in [
        ("rejected", true, false),
        ("inconclusive", true, false),
        ("canceled", false, false),
        ("failed", false, true),
    ] {
        let result = run(&simulator, "documentSelfie", outcome).await;
        assert!(result.get("finalResult").is_none(), "{result}");
        assert_eq!(result.get("providerSpecific").is_some(), specific, "{result}");
        assert_eq!(result.get("failReason").is_some(), reason, "{result}");
        assert_eq!(result["depictions"], json!(["front", "selfie"]));
    }
}

#[tokio::test]
async fn an_accepted_process_can_lack_its_final_result_and_a_status_can_be_unheard_of() {
    let simulator = Simulator::start().await;

    let bare = json!({"eventTags": ["simulate:no-final-result"]});
    let bare = simulator.started(bare).await;
    let strange = json!({"eventTags": ["simulate:status=not_matched"]});
    let strange = simulator.started(strange).await;

    let accepted = simulator.reaches(&bare, "accepted").await;
    assert!(accepted.get("finalResult").is_none());
    assert!(accepted.get("providerSpecific").is_some());
    simulator.reaches(&strange, "not_matched").await;
}

async fn run(simulator: &Simulator, process_type: &str, outcome: &str) -> Value {
    let process = simulator
        .process(json!({
            "provider": "onfido", "processType": process_type, "documentType": "driversLicense",
            "eventTags": [format!("simulate:{outcome}")],
        }))
        .await;
    let mut images = json!({"front": data_url(JPEG)});
    if process_type == "documentSelfie" {
        images["selfie"] = json!(data_url(JPEG));
    }
    simulator.post(&process.images(), images).await.is(201);
    simulator.post(&process.path(), json!({})).await.is(200);
    simulator.reaches(&process, outcome).await
}
