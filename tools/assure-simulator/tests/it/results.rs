use serde_json::{Value, json};

use crate::harness::{JPEG, Simulator, data_url};
use crate::processes::webid;
use crate::providers::{each_provider, with_tags};

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

#[tokio::test]
async fn every_provider_keeps_the_promises_of_every_outcome() {
    let simulator = Simulator::start().await;

    for (name, body) in each_provider() {
        for outcome in ["accepted", "inconclusive", "rejected", "canceled", "failed"] {
            let result = simulator.ended(with_tags(body.clone(), &[outcome])).await;

            let about = format!("{name}: {result}");
            let verdict = matches!(outcome, "accepted" | "inconclusive" | "rejected");
            let is_eid = name.starts_with("connect:");
            assert_eq!(result["status"], outcome, "{about}");
            assert_eq!(result["provider"], name, "{about}");
            assert!(result["depictions"].is_array(), "{about}");
            assert!(result["createdAt"].is_string() && result["updatedAt"].is_string(), "{about}");
            assert!(result["finalResult"].is_object() || outcome != "accepted", "{about}");
            assert_eq!(result["providerSpecific"].is_object(), verdict && !is_eid, "{about}");
            assert_eq!(result["failReason"].is_object(), outcome == "failed", "{about}");
            assert_eq!(result["redactionRequested"].is_boolean(), name == "signicatpaper");
            let gives_reasons =
                name == "signicatpictureid" && matches!(outcome, "inconclusive" | "rejected");
            assert_eq!(result["statusReasons"][0].is_object(), gives_reasons, "{about}");
            assert_eq!(result["processType"].is_string(), has_process_types(name), "{about}");
        }
    }
}

#[tokio::test]
async fn depictions_are_what_was_uploaded_or_what_an_sdk_or_a_page_took() {
    let simulator = Simulator::start().await;

    for (body, shown) in [
        (json!({"provider": "onfido"}), json!(["front", "selfie"])),
        (json!({"provider": "onfido", "processType": "documentVideo"}), json!(["front"])),
        (json!({"provider": "signicatvideoid"}), json!(["front", "selfie", "portrait"])),
        (json!({"provider": "readid"}), json!(["portrait"])),
        (
            json!({"provider": "signicatpictureid", "documentId": 102}),
            json!(["front", "back", "selfie"]),
        ),
        (json!({"provider": "facetec"}), json!([])),
        (webid(), json!([])),
    ] {
        assert_eq!(simulator.ended(body.clone()).await["depictions"], shown, "{body}");
        let canceled = simulator.ended(with_tags(body, &["canceled"])).await;
        assert_eq!(canceled["depictions"], json!([]), "{canceled}");
    }
}

#[tokio::test]
async fn agents_are_those_of_the_authority_that_was_named() {
    let simulator = Simulator::start().await;
    let (process, _) = simulator.created(json!({"provider": "signicatvideoid"})).await;

    simulator.post(&process.path(), json!({"rAuthorityId": "sample-authority"})).await.is(200);

    let accepted = simulator.reaches(&process, "accepted").await;
    let approval = &accepted["providerSpecific"]["manualApproval"];
    assert_eq!(approval["rAuthorityId"], "sample-authority");
}

#[tokio::test]
async fn findings_fit_the_process_type() {
    let simulator = Simulator::start().await;
    let ended = async |body: Value| simulator.ended(body).await;

    let attended = ended(json!({"provider": "signicatvideoid"})).await;
    let automatic =
        ended(json!({"provider": "signicatvideoid", "processType": "substantial"})).await;
    assert!(attended["providerSpecific"]["manualApproval"].is_object());
    assert_eq!(automatic["providerSpecific"].get("manualApproval"), None);

    let picture = json!({
        "provider": "signicatpictureid", "processType": "document", "documentId": 101,
        "eventTags": ["simulate:inconclusive"],
    });
    let picture = ended(picture).await;
    assert_eq!(picture["providerSpecific"].get("selfie"), None);
    assert_eq!(picture["statusReasons"].as_array().unwrap().len(), 1);

    let paper = json!({
        "provider": "signicatpaper", "documentType": "passport", "documentCountry": "NOR",
    });
    let paper = ended(paper).await;
    assert_eq!(paper["finalResult"]["documentType"], "passport");
    assert_eq!(paper["redactionRequested"], false);
    assert_eq!(paper["providerSpecific"].get("redactionResult"), None);

    let mut account = webid();
    account["processType"] = json!("accountid");
    let account = ended(account).await;
    assert_eq!(account["providerSpecific"]["identResponse"]["actionType"], "auto_ident");
}

#[tokio::test]
async fn paper_redacts_two_members_of_dutch_documents() {
    let simulator = Simulator::start().await;

    for (country, redact, partial, full) in [
        ("NLD", json!(["photo", "personalIdentificationNumber"]), true, true),
        ("NLD", json!(["photo", "mrz"]), true, false),
        ("NOR", json!(["photo"]), false, false),
    ] {
        let paper = json!({
            "provider": "signicatpaper", "documentCountry": country, "redact": redact,
        });
        let result = simulator.ended(paper).await;
        assert_eq!(result["redactionRequested"], true);
        let told = &result["providerSpecific"]["redactionResult"];
        assert_eq!(told["isPartialRedaction"], partial, "{result}");
        assert_eq!(told["isFullRedaction"], full, "{result}");
    }
}

fn has_process_types(provider: &str) -> bool {
    !matches!(provider, "signicatpaper" | "facetec") && !provider.starts_with("connect:")
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
