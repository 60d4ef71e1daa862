//! `GET /v1/document-types?provider=`.

use serde_json::json;

use crate::harness::{Ask, Stage};

#[tokio::test]
async fn assures_list_is_passed_on_and_asked_for_once() {
    let stage = Stage::start().await;
    let list = async |provider: &str| {
        let path = format!("/v1/document-types?provider={provider}");
        stage.caller.get(&path).ask().await.is(200)
    };

    let picture_id = list("signicatpictureid").await;

    let passport = json!({
        "country": "NOR", "countryName": "Norway", "type": "passport", "name": "Norwegian passport",
        "icao": "TD3", "id": 101,
    });
    assert!(picture_id.as_array().unwrap().contains(&passport), "{picture_id}");
    assert_eq!(list("signicatpictureid").await, picture_id);
    assert_eq!(stage.simulator.count_of("getDocumentTypes").await, 1);
    // Another provider has another list, and another tenant of the same account the same.
    assert_ne!(list("signicatpaper").await, picture_id);
    let path = "/v1/document-types?provider=signicatpictureid";
    assert_eq!(stage.stranger.get(path).ask().await.is(200), picture_id);
    assert_eq!(stage.simulator.count_of("getDocumentTypes").await, 2);
}

#[tokio::test]
async fn a_provider_without_a_list_is_refused_and_assure_is_spared() {
    let stage = Stage::start().await;

    for query in ["?provider=unheard-of", "?provider=", "?provider=a&provider=b", "", "?x=onfido"] {
        let answer = stage.caller.get(&format!("/v1/document-types{query}")).ask().await;
        assert_eq!(answer.pointers(), ["/provider"], "{query}");
    }
    let url = format!("{}/v1/document-types?provider=onfido", stage.caller.api);
    let nobody = stage.caller.http.get(url).ask().await;
    nobody.problem(401, "unauthorized");
    assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
    assert_eq!(stage.simulator.count_of("getDocumentTypes").await, 0);
}

#[tokio::test]
async fn while_assure_is_away_there_is_no_list_and_afterwards_there_is() {
    let stage = Stage::start().await;
    let path = "/v1/document-types?provider=onfido";
    let away = json!({ "status": { "code": 503, "body": "platform" } });
    stage.simulator.goes_wrong("getDocumentTypes", away, json!({ "when": "always" })).await;

    stage.caller.get(path).ask().await.come_again(503, "assure-unavailable");

    stage.simulator.recovers().await;
    assert!(!stage.caller.get(path).ask().await.is(200).as_array().unwrap().is_empty());
}
