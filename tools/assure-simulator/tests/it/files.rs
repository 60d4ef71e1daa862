use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::harness::{JPEG, OTHER_JPEG, PNG, Simulator, data_url, document};

async fn bytes(simulator: &Simulator, path: &str) -> Vec<u8> {
    let response = simulator.request(reqwest::Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn files_are_set_replaced_read_and_deleted() {
    let simulator = Simulator::start().await;
    let dossier = simulator.dossier().await;
    let files = format!("/assure/dossiers/{dossier}/files");
    let (front, selfie) = (format!("{files}?depiction=front"), format!("{files}?depiction=selfie"));

    let images = json!({"front": data_url(JPEG), "selfie": data_url(PNG)});
    simulator.post(&files, images).await.is(201);
    simulator.post(&files, json!({"front": data_url(OTHER_JPEG)})).await.is(201);

    assert_eq!(bytes(&simulator, &front).await, OTHER_JPEG);
    assert_eq!(bytes(&simulator, &selfie).await, PNG);
    simulator.get(&format!("{files}?depiction=back")).await.is(404);
    simulator.get(&format!("{files}?depiction=elbow")).await.is(400);
    simulator.get(&files).await.is(400);
    let state = simulator.get("/simulator/state").await.is(200);
    assert_eq!(state["dossiers"][0]["files"].as_object().map(|f| f.len()), Some(2));

    simulator.delete(&files).await.is(204);
    simulator.get(&front).await.is(404);
}

#[tokio::test]
async fn what_is_no_file_is_refused() {
    let simulator = Simulator::start().await;
    let dossier = simulator.dossier().await;
    let files = format!("/assure/dossiers/{dossier}/files");

    for body in [
        json!({}),
        json!({"front": "no data URL"}),
        json!({"portrait": data_url(JPEG)}),
        json!({"front": 1}),
    ] {
        simulator.post(&files, body).await.is(400);
    }
    simulator.post(&files, json!({"processId": "none"})).await.is(404);
    simulator.post("/assure/dossiers/none/files", json!({})).await.is(404);
    simulator.get("/assure/dossiers/none/files?depiction=front").await.is(404);
    simulator.delete("/assure/dossiers/none/files").await.is(404);
}

#[tokio::test]
async fn files_can_be_copied_from_a_process() {
    let simulator = Simulator::start().await;
    let process = simulator.process_with_front(json!({})).await;
    let files = format!("/assure/dossiers/{}/files", process.dossier);

    let both = json!({"processId": process.id, "selfie": data_url(PNG)});
    simulator.post(&files, both).await.is(201);

    assert_eq!(bytes(&simulator, &format!("{files}?depiction=front")).await, JPEG);
    assert_eq!(bytes(&simulator, &format!("{files}?depiction=selfie")).await, PNG);
    let empty = simulator.process_in(process.dossier.clone(), document(json!({}))).await;
    simulator.post(&files, json!({"processId": empty.id})).await.is(400);
}

#[tokio::test]
async fn verification_uses_them_where_the_process_has_no_images() {
    let simulator = Simulator::start().await;
    let dossier = simulator.dossier().await;
    let files = format!("/assure/dossiers/{dossier}/files");
    let images = json!({"front": data_url(JPEG), "selfie": data_url(PNG)});

    let process = simulator.process_in(dossier.clone(), document(json!({}))).await;
    simulator.post(&process.path(), json!({})).await.is(400);
    simulator.post(&files, images).await.is(201);
    simulator.post(&process.path(), json!({})).await.is(200);
    let state = simulator.state_of(&process).await;
    let digest: String = Sha256::digest(JPEG).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(state["verified"], json!({"front": digest}));

    let own = simulator.process_in(dossier.clone(), document(json!({}))).await;
    simulator.post(&own.images(), json!({"front": data_url(OTHER_JPEG)})).await.is(201);
    simulator.post(&own.path(), json!({})).await.is(200);
    assert_ne!(simulator.state_of(&own).await["verified"]["front"], digest);

    let video = json!({"provider": "signicatvideoid"});
    let video = simulator.process_in(dossier, video).await;
    simulator.post(&video.path(), json!({})).await.is(200);
    assert_eq!(simulator.state_of(&video).await["verified"], json!({}));
}

#[tokio::test]
async fn what_onfido_works_on_stays_and_the_rest_goes_with_its_dossier() {
    let simulator = Simulator::start().await;
    let tags = json!({"eventTags": ["simulate:never-finishes"]});
    let process = simulator.started(tags).await;
    let dossier = format!("/assure/dossiers/{}", process.dossier);
    let image = json!({"front": data_url(JPEG)});
    simulator.post(&format!("{dossier}/files"), image).await.is(201);

    simulator.delete(&process.path()).await.is(409);
    simulator.delete(&dossier).await.is(409);
    simulator.delete("/assure/dossiers/all").await.is(409);
    let finish = format!("/simulator/processes/{}/finish", process.id);
    simulator.post(&finish, json!({"status": "canceled"})).await.is(200);
    simulator.delete(&dossier).await.is(204);

    simulator.get(&process.path()).await.is(404);
    simulator.get(&format!("{dossier}/files?depiction=front")).await.is(404);
}
