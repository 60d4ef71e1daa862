use serde_json::{Value, json};

use crate::harness::{Simulator, document};
use crate::providers::{each_provider, idin, with_tags};

#[tokio::test]
async fn user_info_has_the_form_of_the_contract() {
    let simulator = Simulator::start().await;
    let log_in = async |form: &str| {
        let form = format!("user-info={form}");
        simulator.ended(with_tags(idin(), &[&form])).await
    };
    let parts = |info: &Value| info.as_str().unwrap().split('.').count();

    let plain = log_in("object").await;
    let signed = log_in("signed").await;
    let encrypted = log_in("encrypted").await;

    assert!(plain["userInfo"]["sub"].is_string());
    assert_eq!(parts(&signed["userInfo"]), 3);
    assert_eq!(signed["finalResult"], plain["finalResult"]);
    assert_eq!(parts(&encrypted["userInfo"]), 5);
    assert_eq!(encrypted.get("finalResult"), None);
    assert_eq!(encrypted["status"], "accepted");
}

#[tokio::test]
async fn quirks_are_those_of_the_vendors_examples() {
    let simulator = Simulator::start().await;
    let quirky = async |body: Value, outcome: &str| {
        simulator.ended(with_tags(body, &["quirks", outcome])).await
    };

    let video = json!({"provider": "signicatvideoid"});
    let older = quirky(video, "accepted").await;
    assert_eq!((&older["provider"], &older["processType"]), (&json!("eid"), &json!("attended")));
    assert_eq!(older.get("finalResult"), None);
    assert_eq!(older.get("notificationUrl"), None);

    let paper = json!({"provider": "signicatpaper", "documentCountry": "NLD"});
    let text = quirky(paper, "accepted").await;
    assert_eq!(text["providerSpecific"]["verification"]["status"], "true");

    let chip = json!({"provider": "readid", "processType": "sdk"});
    let chip = quirky(chip, "inconclusive").await;
    assert_eq!(chip["processType"], "sdk");
    assert!(chip["providerSpecific"]["iproovSession"]["iProovAssuranceType"].is_string());
}

#[tokio::test]
async fn where_there_is_no_quirk_the_result_is_the_usual_one() {
    let simulator = Simulator::start().await;

    let quirky = simulator.ended(with_tags(json!({"provider": "readid"}), &["quirks"])).await;

    let usual = simulator.ended(json!({"provider": "readid"})).await;
    assert_eq!(quirky["finalResult"], usual["finalResult"]);
    assert_eq!(quirky["providerSpecific"], usual["providerSpecific"]);
}

#[tokio::test]
async fn the_future_has_a_member_and_a_value_that_nobody_knows() {
    let simulator = Simulator::start().await;

    for (name, body) in each_provider() {
        let accepted = simulator.ended(with_tags(body.clone(), &["future"])).await;
        let canceled = simulator.ended(with_tags(body, &["future", "canceled"])).await;

        for result in [&accepted, &canceled] {
            assert!(result["simulatedNovelty"].is_object(), "{name}: {result}");
        }
        assert_eq!(accepted["finalResult"]["documentType"], "simulatedDocument", "{name}");
        assert_eq!(canceled["depictions"], json!(["hologram"]), "{name}");
    }
}

#[tokio::test]
async fn a_large_result_is_as_large_as_asked_for() {
    let simulator = Simulator::start().await;

    for body in [document(json!({})), idin()] {
        let result = simulator.ended(with_tags(body.clone(), &["large-result=300"])).await;
        let padding = result["providerSpecific"]["simulatedPadding"].as_str().unwrap();
        assert_eq!(padding.len(), 300 * 1024);

        let failed = simulator.ended(with_tags(body, &["large-result=300", "failed"])).await;
        assert_eq!(failed.get("providerSpecific"), None);
    }
}

#[tokio::test]
async fn a_misspelt_word_about_the_result_is_refused() {
    let simulator = Simulator::start().await;
    let path = format!("/assure/dossiers/{}/processes", simulator.dossier().await);

    for word in [
        "sample=onfido",
        "sample",
        "user-info=none",
        "quirks=all",
        "large-result=much",
        "large-result=65537",
    ] {
        simulator.post(&path, with_tags(document(json!({})), &[word])).await.is(400);
    }
}
