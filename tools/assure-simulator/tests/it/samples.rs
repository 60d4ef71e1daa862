use assure_simulator::Sample;
use serde_json::{Value, json};

use crate::harness::Simulator;
use crate::providers::with_tags;

#[tokio::test]
async fn each_sample_is_given_as_it_is_but_for_the_process_id() {
    let simulator = Simulator::start().await;

    for Sample { name, json } in assure_simulator::samples() {
        let word = format!("sample={name}");
        let process = with_tags(json!({"provider": "onfido"}), &[&word]);

        let result = simulator.ended(process).await;

        let mut expected: Value = serde_json::from_str(json).unwrap();
        assert_ne!(result["processId"], expected["processId"], "{name}");
        expected["processId"] = result["processId"].clone();
        assert_eq!(result, expected, "{name}");
    }
}

#[tokio::test]
async fn a_started_process_ends_with_the_status_of_its_sample() {
    let simulator = Simulator::start().await;
    let process = json!({"eventTags": ["simulate:sample=signicatpictureid-rejected"]});

    let process = simulator.started(process).await;

    let result = simulator.reaches(&process, "rejected").await;
    assert_eq!(result["provider"], "signicatpictureid");
    assert_eq!(result["statusReasons"][0]["subCategory"], "NotUnderage");
}

#[tokio::test]
async fn a_process_that_ends_otherwise_has_its_usual_result() {
    let simulator = Simulator::start().await;
    let words = ["sample=webid-accepted", "rejected"];

    let result = simulator.ended(with_tags(json!({"provider": "readid"}), &words)).await;

    assert_eq!(result["status"], "rejected");
    assert_eq!(result["provider"], "readid");
    assert!(result["providerSpecific"]["consolidatedIdentityData"].is_object());
}

#[tokio::test]
async fn a_rule_can_name_a_sample_too_but_only_one_that_exists() {
    let simulator = Simulator::start().await;
    let rule = |sample| {
        let result = json!({"sample": sample, "future": true});
        json!({"match": {"all": true}, "script": {"result": result}})
    };

    simulator.post("/simulator/scripts", rule("nobody-accepted")).await.is(400);
    simulator.post("/simulator/scripts", rule("facetec-rejected")).await.is(201);

    let result = simulator.ended(json!({"provider": "readid"})).await;
    assert_eq!(result["provider"], "facetec");
    assert_eq!(result["status"], "rejected");
    assert!(result["simulatedNovelty"].is_object());
}
