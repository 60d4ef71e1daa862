//! WebID's pages and the ReadID Ready app: Create process, redirect, wait.

use serde_json::{Value, json};

use crate::harness::{JPEG, Process, Simulator, data_url};

async fn webid(simulator: &Simulator, tags: &[&str]) -> (Process, String) {
    let body = json!({
        "provider": "webid", "processType": "accountid", "eventTags": tags,
        "processParameters": {"webid": {
            "user": {
                "firstName": "Fiktiva", "lastName": "Testperson", "dateOfBirth": "1990-01-01",
                "contact": {"email": "nobody@app.example"},
            },
            "idDocument": {"nationality": "DEU"},
            "userActionParameters": {
                "redirectUrl": "https://app.example/done?order=1",
                "redirectDeclineUrl": "https://app.example/declined",
                "redirectMismatchUrl": "https://app.example/mismatch",
                "redirectCancelUrl": "https://app.example/canceled",
                "clientName": "Client", "productType": "product",
            },
        }},
    });
    let (process, answer) = simulator.created(body).await;
    (process, answer["redirectUrl"].as_str().unwrap().to_owned())
}

async fn ready(simulator: &Simulator, tags: &[&str]) -> (Process, String) {
    let body = json!({"provider": "readid", "processType": "ready", "eventTags": tags});
    let (process, answer) = simulator.created(body).await;
    (process, answer["universalLink"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn each_end_has_its_own_address_without_parameters() {
    let simulator = Simulator::start().await;
    for (word, status, address) in [
        ("accepted", "accepted", "https://app.example/done?order=1"),
        ("rejected", "rejected", "https://app.example/declined"),
        ("mismatch", "inconclusive", "https://app.example/mismatch"),
        ("inconclusive", "inconclusive", "https://app.example/mismatch"),
        ("canceled", "canceled", "https://app.example/canceled"),
        ("failed", "failed", "https://app.example/declined"),
    ] {
        let (process, page) = webid(&simulator, &[]).await;
        simulator.open(&page).await.is(200).says("Identify yourself with WebID");
        let shown = simulator.choose(&page, word).await.is(303);
        assert_eq!(shown.location.as_deref(), Some(address));
        assert_eq!(simulator.status_of(&process).await, status);
    }
}

#[tokio::test]
async fn the_end_user_may_be_back_before_the_result() {
    let simulator = Simulator::start().await;
    let tags = ["simulate:return-first", "simulate:processing-time=1h"];
    let (process, page) = webid(&simulator, &tags).await;

    let shown = simulator.choose(&page, "canceled").await.is(303);

    assert_eq!(shown.location.as_deref(), Some("https://app.example/canceled"));
    assert_eq!(simulator.status_of(&process).await, "processing");
}

#[tokio::test]
async fn the_ready_app_finishes_from_pending_by_itself() {
    let simulator = Simulator::start().await;

    let (process, link) = ready(&simulator, &["simulate:rejected"]).await;
    let link = format!("{link}&callback=fiktiva-app%3A%2F%2Fback%3Forder%3D1");
    let shown = simulator.open(&link).await.is(200).says("ReadID Ready app");
    assert_eq!(shown.choices()[0], "as-scripted");
    let shown = simulator.choose(&link, "done").await.is(303);
    assert_eq!(shown.location.as_deref(), Some("fiktiva-app://back?order=1"));
    simulator.reaches(&process, "rejected").await;

    let (process, link) = ready(&simulator, &[]).await;
    simulator.choose(&link, "canceled").await.is(200).says("You can go back");
    assert_eq!(simulator.status_of(&process).await, "canceled");

    let (_, link) = ready(&simulator, &[]).await;
    let link = format!("{link}&callback=javascript:alert(1)");
    simulator.choose(&link, "done").await.is(200).says("You can go back");
}

#[tokio::test]
async fn with_an_sdk_of_its_own_the_client_starts_verification() {
    let simulator = Simulator::start().await;
    let app = json!({"mobileAppId": "example.fiktiva"});
    for (body, status) in [
        (
            json!({"provider": "onfido", "processType": "documentVideo", "processParameters": app}),
            200,
        ),
        (json!({"provider": "signicatvideoid", "processType": "high"}), 200),
        (json!({"provider": "readid", "processType": "sdk"}), 204),
    ] {
        let (process, answer) = simulator.created(body).await;
        assert!(answer["authorization"].is_string(), "{answer}");
        let start = simulator.post(&process.path(), json!({"rAuthorityId": "r-1"})).await;
        start.is(status);
        simulator.reaches(&process, "accepted").await;
    }
}

#[tokio::test]
async fn facetec_needs_the_scan_and_the_image_it_names() {
    let simulator = Simulator::start().await;
    let start = |depiction: &str| -> Value {
        let enrollment = json!({
            "faceScan": "c2Nhbg==", "auditTrailImage": "aW1hZ2U=",
            "lowQualityAuditTrailImage": "aW1hZ2U=", "userAgent": "app",
        });
        json!({"facetecEnrollment": enrollment, "imageDepiction": depiction})
    };
    let (process, _) = simulator.created(json!({"provider": "facetec"})).await;
    simulator.post(&process.images(), json!({"front": data_url(JPEG)})).await.is(201);

    simulator.post(&process.path(), start("selfie")).await.is(400);
    simulator.post(&process.path(), start("front")).await.is(200);

    simulator.reaches(&process, "accepted").await;
}
