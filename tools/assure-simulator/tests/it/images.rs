use assure_simulator::Settings;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{JPEG, OTHER_JPEG, PNG, Process, Simulator, data_url, document, quick};

#[tokio::test]
async fn an_image_is_stored_and_read_back() {
    let simulator = Simulator::start().await;
    let process =
        simulator.process(json!({"provider": "onfido", "documentType": "passport"})).await;

    let both = json!({"front": data_url(JPEG), "selfie": data_url(PNG)});
    let answer = simulator.post(&process.images(), both).await;

    assert_eq!(answer.is(201), Value::Null);
    assert_eq!(read(&simulator, &process, "front").await, JPEG);
    assert_eq!(read(&simulator, &process, "selfie").await, PNG);
    let images = process.images();
    simulator.get(&format!("{images}?depiction=back")).await.is(404);
    simulator.get(&format!("{images}?depiction=portrait")).await.is(400);
    simulator.get(&images).await.is(400);
}

#[tokio::test]
async fn a_later_upload_replaces_the_earlier_until_verification_starts() {
    let simulator = Simulator::start().await;
    let process = simulator.process_with_front(json!({})).await;
    let upload = async |image: &[u8]| {
        simulator.post(&process.images(), json!({"front": data_url(image)})).await
    };

    upload(OTHER_JPEG).await.is(201);
    assert_eq!(simulator.state_of(&process).await["images"]["front"], digest(OTHER_JPEG));
    assert_eq!(simulator.state_of(&process).await["verified"], Value::Null);
    simulator.post(&process.path(), json!({})).await.is(200);

    upload(JPEG).await.is(409);
    let state = simulator.state_of(&process).await;
    assert_eq!(state["verified"], json!({"front": digest(OTHER_JPEG)}));
    assert_eq!(read(&simulator, &process, "front").await, OTHER_JPEG);
}

#[tokio::test]
async fn what_is_no_image_is_refused_and_changes_nothing() {
    let simulator = Simulator::start().await;
    let process = simulator.process(document(json!({}))).await;
    let image = data_url(JPEG);

    for body in [
        json!({}),
        json!({"front": "no data URL"}),
        json!({"front": 7}),
        json!({"front": image.replace("jpeg", "png")}),
        json!({"front": image.replace("jpeg", "heic")}),
        json!({"front": format!("{image}!")}),
        json!({"front": image, "portrait": image}),
        json!({"front": image, "comment": "mine"}),
        json!({"front": image, "selfie": image}),
    ] {
        simulator.post(&process.images(), body).await.is(400);
    }
    assert_eq!(simulator.state_of(&process).await["images"], json!({}));
}

#[tokio::test]
async fn providers_and_process_types_without_uploads_refuse_images() {
    let simulator = Simulator::start().await;
    let front = json!({"front": data_url(JPEG)});

    for body in [
        json!({"provider": "signicatvideoid"}),
        json!({"provider": "readid"}),
        json!({"provider": "onfido", "processType": "documentVideo", "documentType": "passport"}),
        // Uploads need it.
        json!({"provider": "onfido", "processType": "document"}),
    ] {
        let process = simulator.process(body).await;
        simulator.post(&process.images(), front.clone()).await.is(400);
    }
}

#[tokio::test]
async fn an_image_over_the_limit_is_413() {
    let limit = 100_000;
    let simulator = Simulator::start_with(Settings { max_image_bytes: limit, ..quick() }).await;
    let process = simulator.process(document(json!({}))).await;
    let image = |size| json!({"front": data_url(&[JPEG, &vec![0; size - JPEG.len()]].concat())});

    simulator.post(&process.images(), image(limit)).await.is(201);
    simulator.post(&process.images(), image(limit + 1)).await.is(413);
    // Larger than three images may be together, so refused before it is parsed.
    simulator.post(&process.images(), image(10 * limit)).await.is(413);
}

async fn read(simulator: &Simulator, process: &Process, depiction: &str) -> Vec<u8> {
    let path = format!("{}?depiction={depiction}", process.images());
    let response = simulator.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/octet-stream");
    response.bytes().await.unwrap().to_vec()
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
