use serde_json::{Value, json};

use crate::harness::{JPEG, Simulator, data_url, document};

#[tokio::test]
async fn verification_starts_once_and_ends_by_itself() {
    let simulator = Simulator::start().await;
    let process = simulator.process_with_front(json!({})).await;

    let started = simulator.post(&process.path(), json!({})).await.is(200);

    assert_eq!(started, json!({"processId": process.id, "status": "processing"}));
    simulator.post(&process.path(), json!({})).await.is(409);
    simulator.reaches(&process, "accepted").await;
    simulator.post(&process.path(), json!({})).await.is(409);
}

#[tokio::test]
async fn readid_and_webid_answer_without_a_body() {
    let simulator = Simulator::start().await;
    let process = simulator.process(json!({"provider": "readid"})).await;

    let answer = simulator.post(&process.path(), json!({})).await;

    assert_eq!(answer.is(204), Value::Null);
    simulator.reaches(&process, "accepted").await;
}

#[tokio::test]
async fn missing_images_are_named() {
    let simulator = Simulator::start().await;
    let process =
        simulator.process(json!({"provider": "onfido", "documentType": "passport"})).await;

    let neither = simulator.post(&process.path(), json!({})).await.is(400);
    simulator.post(&process.images(), json!({"front": data_url(JPEG)})).await.is(201);
    let selfie = simulator.post(&process.path(), json!({})).await.is(400);

    assert_eq!(neither["detail"], "Images are missing: front, selfie.");
    assert_eq!(selfie["detail"], "Images are missing: selfie.");
    simulator.post(&process.images(), json!({"selfie": data_url(JPEG)})).await.is(201);
    simulator.post(&process.path(), json!({})).await.is(200);
}

#[tokio::test]
async fn with_an_sdk_onfido_needs_no_uploads() {
    let simulator = Simulator::start().await;
    let parameters = json!({"referrer": "https://app.example/*"});
    let body = json!({"provider": "onfido", "processParameters": parameters});
    let process = simulator.process(body).await;

    simulator.post(&process.path(), json!({})).await.is(200);
}

#[tokio::test]
async fn faces_are_verified_with_consent_only() {
    let simulator = Simulator::start().await;

    for (parameters, status) in [
        (json!({"consents": {"privacy": false}}), 400),
        (json!({"location": {"countryOfResidence": "USA"}}), 400),
        (json!({"location": {"countryOfResidence": "USA"}, "consents": {"privacy": true}}), 200),
        (json!({"location": {"countryOfResidence": "NOR"}}), 200),
    ] {
        let body = json!({
            "provider": "onfido", "documentType": "passport", "processParameters": parameters,
        });
        let process = simulator.process(body).await;
        let images = json!({"front": data_url(JPEG), "selfie": data_url(JPEG)});
        simulator.post(&process.images(), images).await.is(201);
        simulator.post(&process.path(), json!({})).await.is(status);
    }
}

#[tokio::test]
async fn other_providers_have_their_own_needs() {
    let simulator = Simulator::start().await;
    let scan = json!({"facetecEnrollment": {"faceScan": "c2Nhbg=="}, "imageDepiction": "selfie"});

    let facetec = simulator.process(json!({"provider": "facetec"})).await;
    simulator.post(&facetec.images(), json!({"selfie": data_url(JPEG)})).await.is(201);
    simulator.post(&facetec.path(), json!({})).await.is(400);
    simulator.post(&facetec.path(), scan).await.is(200);

    let two_pages = json!({
        "provider": "signicatpictureid", "processType": "document", "documentId": 102,
    });
    let two_pages = simulator.process(two_pages).await;
    simulator.post(&two_pages.images(), json!({"front": data_url(JPEG)})).await.is(201);
    let refused = simulator.post(&two_pages.path(), json!({})).await.is(400);
    assert_eq!(refused["detail"], "Images are missing: back.");

    let eid = json!({"provider": "connect:idin", "redirectUrl": "https://app.example/"});
    let eid = simulator.process(eid).await;
    simulator.post(&eid.path(), json!({})).await.is(400);
}

#[tokio::test]
async fn a_refused_start_leaves_the_process_pending() {
    let simulator = Simulator::start().await;
    let tags = json!({"eventTags": ["simulate:start-refused"]});
    let process = simulator.process_with_front(document(tags)).await;

    simulator.post(&process.path(), json!({})).await.is(400);

    let read = simulator.get(&process.path()).await.is(200);
    assert_eq!(read["status"], "pending");
}
