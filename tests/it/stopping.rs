//! SIGTERM: what was begun is finished, nothing is lost, and everybody is gone in time.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Url;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
    time::Instant,
};

use crate::harness::{Ask, SERVICES, Scene, Stage, Trickle, digest, jpeg, order};

/// The promise.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Asks a service to stop and waits until it says that it is not ready any more.
async fn terminate(stage: &Stage, service: &str) -> Instant {
    stage.process(service).terminate().await;
    let asked = Instant::now();
    stage.readiness_becomes(service, 503).await;
    asked
}

async fn assert_gone(stage: &Stage, service: &str, asked: Instant) {
    let status = stage.process(service).ended().await;
    assert_eq!(status.code(), Some(0), "{}", stage.process(service).log());
    assert!(asked.elapsed() < GONE_WITHIN, "{service}: {:?}", asked.elapsed());
    assert_eq!(stage.readiness(service).await, None);
}

#[tokio::test]
async fn whoever_is_idle_goes_at_once_with_exit_code_0() {
    let stage = Stage::start().await;
    let everybody = SERVICES.into_iter().chain(["assure-simulator"]);

    join_all(everybody.map(async |name| {
        let asked = Instant::now();
        stage.process(name).terminate().await;
        let status = stage.process(name).ended().await;
        assert_eq!(status.code(), Some(0), "{name}: {}", stage.process(name).log());
        assert!(asked.elapsed() < GONE_WITHIN, "{name}: {:?}", asked.elapsed());
    }))
    .await;
}

#[tokio::test]
async fn intake_answers_what_it_was_asked_before_it_goes() {
    let stage = Stage::start().await;
    let (given, when, _) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let waiting = stage.caller.look_at(&v.id).header("prefer", "wait=60");
    let waiting = tokio::spawn(waiting.ask());
    when.simulator.goes_wrong("setUserData", json!({ "slow": { "ms": 2000 } }), json!({})).await;
    let members = json!({ "user_data": { "firstName": "INGA" } });
    let creation = stage.caller.post("/v1/verifications").json(&order(&members));
    let creation = tokio::spawn(creation.ask());
    when.simulator.is_being_asked("setUserData").await;

    let asked = terminate(&stage, "proofline-intake").await;

    // It does not wait for an end that may never come: it tells how things are.
    assert_eq!(waiting.await.unwrap().is(200)["status"], "awaiting_images");
    let created = creation.await.unwrap().is(201);
    assert_eq!(created["status"], "awaiting_images");
    assert_gone(&stage, "proofline-intake", asked).await;
}

#[tokio::test]
async fn upload_takes_the_whole_image_before_it_goes() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let (trickle, body) = Trickle::new();
    trickle.send(&jpeg("half "));
    let upload = tokio::spawn(stage.caller.put_image(&v.id, "front").body(body).ask());
    then.is_told(&v, "upload-started", 1).await;

    let asked = terminate(&stage, "proofline-upload").await;
    trickle.send(b"and half");
    trickle.end();

    upload.await.unwrap().says_nothing(204);
    assert_gone(&stage, "proofline-upload", asked).await;
    assert_eq!(then.shows(&v).await["images"], json!(["front"]));
    let images = json!({ "front": digest(&jpeg("half and half")) });
    assert_eq!(then.simulator.process_of(&v).await["images"], images);
}

#[tokio::test]
async fn callback_receiver_stores_a_callback_before_it_goes() {
    let stage = Scene::new().catching_callbacks().start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    let callback = when.a_callback_is_caught().await;
    let url = Url::parse(&stage.process("proofline-callback-receiver").url).unwrap();
    let address = (url.host_str().unwrap(), url.port().unwrap());
    let mut connection = BufStream::new(TcpStream::connect(address).await.unwrap());
    let body = callback.body.to_string();
    let head = format!(
        "POST /callbacks/{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {}\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        callback.token,
        callback.authorization.unwrap(),
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.flush().await.unwrap();
    // A service that asks for the body has the request in hand.
    let mut go_on = String::new();
    connection.read_line(&mut go_on).await.unwrap();
    assert!(go_on.starts_with("HTTP/1.1 100"), "{go_on}");

    let asked = terminate(&stage, "proofline-callback-receiver").await;
    connection.write_all(body.as_bytes()).await.unwrap();
    connection.flush().await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();

    assert!(answer.contains("HTTP/1.1 200"), "{answer}");
    assert_gone(&stage, "proofline-callback-receiver", asked).await;
    then.ends_as(&v, "accepted", "").await;
}

#[tokio::test]
async fn what_a_worker_has_begun_it_finishes_before_it_goes() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let slow = || json!({ "slow": { "ms": 2000 } });
    when.simulator.goes_wrong("startVerification", slow(), json!({})).await;
    when.simulator.goes_wrong("getProcess", slow(), json!({})).await;
    let tags = json!({ "tags": ["simulate:never-finishes"] });
    let v = given.a_submitted_verification(tags).await;

    when.simulator.is_being_asked("startVerification").await;
    let asked = terminate(&stage, "proofline-verifier").await;
    assert_gone(&stage, "proofline-verifier", asked).await;
    assert_eq!(then.told(&v, "verification-started").await.len(), 1);

    when.simulator.finishes(&v, "accepted").await;
    when.simulator.is_being_asked("getProcess").await;
    let asked = terminate(&stage, "proofline-result-normaliser").await;
    assert_gone(&stage, "proofline-result-normaliser", asked).await;
    assert_eq!(then.shows(&v).await["outcome"], "accepted");
    assert_eq!(then.ends().await.len(), 1);
}
