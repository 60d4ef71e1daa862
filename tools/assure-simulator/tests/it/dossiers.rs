use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Simulator, document};

#[tokio::test]
async fn a_dossier_is_created_read_listed_and_deleted() {
    let simulator = Simulator::start().await;

    let body = json!({"externalReference": "order-778"});
    let dossier = simulator.post("/assure/dossiers", body).await.is(201);
    let path = format!("/assure/dossiers/{}", dossier["dossierId"].as_str().unwrap());

    let read = simulator.get(&path).await.is(200);
    assert_eq!(read["externalReference"], "order-778");
    assert_eq!(read["processes"], json!([]));
    assert!(read["createdAt"].as_str().unwrap().ends_with('Z'));
    let listed = simulator.get("/assure/dossiers").await.is(200);
    assert_eq!(listed[0]["dossierId"], dossier["dossierId"]);
    simulator.delete(&path).await.is(204);
    simulator.get(&path).await.is(404);
    simulator.delete(&path).await.is(404);
}

#[tokio::test]
async fn a_dossier_needs_no_body_but_no_nonsense_either() {
    let simulator = Simulator::start().await;
    let post = || simulator.request(Method::POST, "/assure/dossiers");

    let bare = Answer::of(post().send().await.unwrap()).await;
    let broken = post().header("content-type", "application/json").body("{");
    let broken = Answer::of(broken.send().await.unwrap()).await;
    let form = Answer::of(post().form(&[("a", "b")]).send().await.unwrap()).await;
    let number = simulator.post("/assure/dossiers", json!({"externalReference": 7})).await;

    assert!(bare.is(201).get("externalReference").is_none());
    broken.is(400);
    form.is(415);
    number.is(400);
}

#[tokio::test]
async fn an_error_body_has_every_member_of_the_reference() {
    let simulator = Simulator::start().await;

    let body = simulator.get("/assure/dossiers/nobody").await.is(404);

    assert_eq!(body["instance"], "/assure/dossiers/nobody");
    assert_eq!(body["method"], "GET");
    assert_eq!(body["status"], 404);
    assert_eq!(body["type"], "base:client-problem");
    assert_eq!(body["title"], "Not Found");
    assert!(body["detail"].is_string());
    let trace_id = body["traceId"].as_str().unwrap();
    assert!(trace_id.len() == 32 && trace_id.bytes().all(|b| b.is_ascii_hexdigit()));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_the_same_shape() {
    let simulator = Simulator::start().await;

    let path = simulator.get("/assure/nothing").await.is(404);
    let method = simulator.put("/assure/dossiers", json!({})).await.is(405);

    assert_eq!(path["type"], "base:client-problem");
    assert_eq!(method["title"], "Method Not Allowed");
}

#[tokio::test]
async fn user_data_is_created_once_and_then_merged() {
    let simulator = Simulator::start().await;
    let path = format!("/assure/dossiers/{}/userdata", simulator.dossier().await);
    let put = async |data| simulator.put(&path, json!({"userData": data})).await;

    put(json!({"firstName": "Inga"})).await.is(404);
    let data = json!({"userData": {
        "firstName": "Inga", "lastName": "Oppdiktet", "gender": "F",
        "address": {"locality": "Prøvesund", "country": "NOR"},
    }});
    simulator.post(&path, data.clone()).await.is(201);
    simulator.post(&path, data).await.is(409);
    put(json!({"lastName": "", "mobile": "none", "address": {"locality": "Testby"}})).await.is(204);

    let merged = simulator.get(&path).await.is(200);
    assert_eq!(
        merged["userData"],
        json!({
            "firstName": "Inga", "gender": "F", "mobile": "none",
            "address": {"locality": "Testby", "country": "NOR"},
        })
    );
    simulator.delete(&path).await.is(204);
    simulator.get(&path).await.is(404);
}

#[tokio::test]
async fn user_data_of_the_wrong_form_is_refused() {
    let simulator = Simulator::start().await;
    let path = format!("/assure/dossiers/{}/userdata", simulator.dossier().await);

    for data in [
        json!({}),
        json!({"userData": "Inga"}),
        json!({"userData": {"firstName": "x".repeat(65)}}),
        json!({"userData": {"gender": "female"}}),
        json!({"userData": {"dateOfBirth": "12.4.1991"}}),
        json!({"userData": {"nationality": "NO"}}),
        json!({"userData": {"firstName": 1}}),
        json!({"userData": {"nickname": "Inga"}}),
        json!({"userData": {"address": {"planet": "Earth"}}}),
    ] {
        simulator.post(&path, data).await.is(400);
    }
    simulator.get(&path).await.is(404);
}

#[tokio::test]
async fn a_dossier_under_verification_can_not_be_deleted() {
    let simulator = Simulator::start().await;
    let tags = json!({"eventTags": ["simulate:never-finishes"]});
    let process = simulator.started(tags).await;
    let dossier = format!("/assure/dossiers/{}", process.dossier);

    simulator.delete(&dossier).await.is(409);
    simulator.delete(&process.path()).await.is(409);
    simulator.delete("/assure/dossiers/all").await.is(409);
    simulator.get(&process.path()).await.is(200);

    let finish = format!("/simulator/processes/{}/finish", process.id);
    simulator.post(&finish, json!({"status": "rejected"})).await.is(200);
    simulator.delete(&process.path()).await.is(204);
    simulator.get(&process.path()).await.is(404);
    simulator.delete("/assure/dossiers/all").await.is(204);
    simulator.get(&dossier).await.is(404);
}

#[tokio::test]
async fn a_dossier_shows_its_processes() {
    let simulator = Simulator::start().await;
    let process = simulator.process(document(json!({}))).await;

    let dossier = simulator.get(&format!("/assure/dossiers/{}", process.dossier)).await.is(200);

    assert_eq!(dossier["processes"][0]["processId"], process.id.as_str());
    assert_eq!(dossier["processes"][0]["processType"], "document");
    assert_eq!(dossier["processes"][0]["status"], "pending");
}
