use std::time::Duration;

use assure_simulator::Settings;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::harness::{Process, Received, Receiver, Simulator, eventually, quick};

async fn subscribe(simulator: &Simulator, mut body: Value, receiver: &Receiver) -> String {
    body["url"] = json!(receiver.url);
    let added = simulator.post("/simulator/webhooks", body).await.is(201);
    added["id"].as_str().unwrap().to_owned()
}

fn mac(secret: &str, received: &Received) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.chain_update(&received.bytes).finalize().into_bytes().to_vec()
}

fn signature(received: &Received) -> Option<&str> {
    received.headers.get("x-signicat-signature").map(|v| v.to_str().unwrap())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// What was sent to the first subscription, once there is that much.
async fn deliveries(simulator: &Simulator, count: usize) -> Vec<Value> {
    eventually(async || {
        let state = simulator.get("/simulator/state").await.is(200);
        let sent = state["webhooks"][0]["deliveries"].clone();
        match sent.as_array() {
            Some(list) if list.len() == count => Ok(list.clone()),
            _ => Err(sent),
        }
    })
    .await
}

async fn tagged(simulator: &Simulator, tags: &[&str]) -> Process {
    simulator.started(json!({"eventTags": tags})).await
}

#[tokio::test]
async fn every_end_is_told_in_nine_members_signed() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[]).await;
    subscribe(&simulator, json!({"secret": "first"}), &receiver).await;
    let dossier = json!({"externalReference": "vrf_1"});
    let dossier = simulator.post("/assure/dossiers", dossier).await.is(201);
    let dossier = dossier["dossierId"].as_str().unwrap().to_owned();
    let body = json!({"provider": "onfido", "documentType": "passport", "eventTags": ["order-1"]});
    let process = simulator.process_in(dossier, body).await;

    simulator.post(&format!("{}/fail", process.path()), json!({})).await.is(200);
    let received = receiver.next().await;

    assert_eq!(received.content_type.as_deref(), Some("application/json"));
    assert_eq!(received.authorization, None);
    assert_eq!(signature(&received), Some(hex(&mac("first", &received)).as_str()));
    let event = &received.body;
    assert_eq!(event.as_object().unwrap().len(), 9, "{event}");
    let id = event["id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    let timestamp = event["timestamp"].as_str().unwrap();
    assert_eq!(timestamp.split_once('.').map(|(_, fraction)| fraction.len()), Some(8));
    assert!(event["expiresAt"].as_str().unwrap() > timestamp);
    assert_eq!(event["eventName"], "process.complete");
    assert_eq!(event["organizationId"], Value::Null);
    assert_eq!(event["tags"], json!(["order-1"]));
    let expected = json!({
        "externalReference": "vrf_1", "dossierId": process.dossier, "processId": process.id,
        "provider": "onfido", "processType": "documentSelfie", "status": "failed",
    });
    assert_eq!(event["eventData"], expected);
}

#[tokio::test]
async fn how_it_is_signed_can_be_chosen_and_changed() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[]).await;
    let odd = json!({
        "secret": "first", "header": "X-Signature", "encoding": "base64", "prefix": "sha256=",
    });
    let id = subscribe(&simulator, odd, &receiver).await;
    let path = format!("/simulator/webhooks/{id}");

    tagged(&simulator, &[]).await;
    let received = receiver.next().await;
    let expected = format!("sha256={}", STANDARD.encode(mac("first", &received)));
    assert_eq!(received.headers["x-signature"], expected.as_str());
    assert_eq!(signature(&received), None);

    let change = json!({
        "secret": "second", "header": "X-Signicat-Signature", "encoding": "hex", "prefix": "",
    });
    let shown = simulator.put(&path, change).await.is(200);
    assert_eq!((&shown["hasSecret"], &shown["encoding"]), (&json!(true), &json!("hex")));
    tagged(&simulator, &[]).await;
    let received = receiver.next().await;
    assert_eq!(signature(&received), Some(hex(&mac("second", &received)).as_str()));

    simulator.put(&path, json!({"secret": null})).await.is(200);
    tagged(&simulator, &[]).await;
    assert_eq!(signature(&receiver.next().await), None);
    let state = simulator.get("/simulator/state").await.is(200).to_string();
    assert!(!state.contains("second"), "{state}");
}

#[tokio::test]
async fn it_is_resent_with_the_same_bytes_until_the_receiver_has_it() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[500, 302, 202]).await;
    subscribe(&simulator, json!({"secret": "first"}), &receiver).await;

    tagged(&simulator, &[]).await;

    let first = receiver.next().await.bytes;
    assert_eq!(receiver.next().await.bytes, first);
    assert_eq!(receiver.next().await.bytes, first);
    let sent = deliveries(&simulator, 3).await;
    let answers: Vec<_> = sent.iter().map(|d| d["answer"].clone()).collect();
    assert_eq!(answers, [500, 302, 202]);
    assert_eq!(receiver.waiting(), 0);
}

#[tokio::test]
async fn it_is_given_up_after_the_last_attempt_or_when_it_expires() {
    let settings = Settings { webhook_attempts: 2, ..quick() };
    let simulator = Simulator::start_with(settings).await;
    let nobody = json!({"url": "http://127.0.0.1:1/"});
    simulator.post("/simulator/webhooks", nobody.clone()).await.is(201);
    tagged(&simulator, &[]).await;
    let sent = deliveries(&simulator, 2).await;
    assert_eq!((&sent[1]["error"], &sent[1]["attempt"]), (&json!("no connection"), &json!(2)));

    let settings = Settings { webhook_lifetime: Duration::from_nanos(1), ..quick() };
    let simulator = Simulator::start_with(settings).await;
    let mut receiver = Receiver::start(&[]).await;
    subscribe(&simulator, json!({}), &receiver).await;
    let process = tagged(&simulator, &[]).await;
    simulator.reaches(&process, "accepted").await;
    let path = format!("/simulator/processes/{}/event", process.id);
    simulator.post(&path, json!({"status": "rejected"})).await.is(200);
    assert_eq!(receiver.next().await.body["eventData"]["status"], "rejected");
}

#[tokio::test]
async fn events_can_be_lost_doubled_untagged_and_late() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[]).await;
    subscribe(&simulator, json!({}), &receiver).await;

    for tags in [["simulate:webhook-lost", "a"], ["simulate:webhook-delay=1h", "b"]] {
        let process = tagged(&simulator, &tags).await;
        simulator.reaches(&process, "accepted").await;
    }
    let twice = tagged(&simulator, &["simulate:webhook-doubled", "simulate:rejected"]).await;
    let (one, other) = (receiver.next().await.body, receiver.next().await.body);
    assert_eq!(one, other);
    assert_eq!(one["eventData"]["processId"], twice.id.as_str());
    assert_eq!(one["eventData"]["status"], "rejected");

    tagged(&simulator, &["simulate:webhook-untagged", "simulate:webhook-delay=20ms"]).await;
    assert_eq!(receiver.next().await.body["tags"], json!([]));
}

#[tokio::test]
async fn all_subscriptions_are_told_until_they_are_cancelled() {
    let simulator = Simulator::start().await;
    let (mut one, mut other) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let id = subscribe(&simulator, json!({}), &one).await;
    subscribe(&simulator, json!({}), &other).await;

    tagged(&simulator, &[]).await;
    assert_eq!(one.next().await.body, other.next().await.body);

    simulator.delete(&format!("/simulator/webhooks/{id}")).await.is(204);
    let list = simulator.get("/simulator/webhooks").await.is(200);
    assert_eq!(list["webhooks"].as_array().map(Vec::len), Some(1));
    tagged(&simulator, &[]).await;
    other.next().await;
    assert_eq!(one.waiting(), 0);
    simulator.delete("/simulator/webhooks").await.is(204);
    let list = simulator.get("/simulator/webhooks").await.is(200);
    assert_eq!(list, json!({"webhooks": []}));
}

#[tokio::test]
async fn the_admin_api_sends_mocks_and_forgeries_and_tells_the_answer() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[503]).await;
    let id = subscribe(&simulator, json!({"secret": "first"}), &receiver).await;
    let path = format!("/simulator/webhooks/{id}/mock");

    let answer = simulator.post(&path, json!({})).await.is(200);
    assert_eq!(answer["answer"], 503);
    let mock = receiver.next().await;
    assert_eq!(mock.body["tags"], json!(["mock"]));
    assert_eq!(signature(&mock), Some(hex(&mac("first", &mock)).as_str()));

    let process = simulator.process_with_front(json!({"eventTags": ["order-1"]})).await;
    let path = format!("/simulator/processes/{}/event", process.id);
    let answers = simulator.post(&path, json!({})).await.is(200);
    assert_eq!(answers["answers"][0]["webhookId"], id.as_str());
    assert_eq!(answers["answers"][0]["answer"], 200);
    let event = receiver.next().await.body;
    assert_eq!(
        (&event["eventData"]["status"], &event["tags"]),
        (&json!("pending"), &json!(["order-1"]))
    );

    let forged = json!({
        "eventId": "e-1", "dossierId": "d-2", "processId": "p-2", "status": "accepted",
        "tags": ["t-2"], "signature": "guessed",
    });
    simulator.post(&path, forged).await.is(200);
    let received = receiver.next().await;
    assert_eq!(signature(&received), Some("guessed"));
    assert_eq!((&received.body["id"], &received.body["tags"]), (&json!("e-1"), &json!(["t-2"])));
    assert_eq!(received.body["eventData"]["dossierId"], "d-2");
    assert_eq!(received.body["eventData"]["processId"], "p-2");

    simulator.post(&path, json!({"signature": null})).await.is(200);
    assert_eq!(signature(&receiver.next().await), None);
}

#[tokio::test]
async fn a_subscription_can_be_there_from_the_start_and_nonsense_is_refused() {
    let mut receiver = Receiver::start(&[]).await;
    let settings = Settings {
        webhook_url: Some(receiver.url.parse().unwrap()),
        webhook_secret: Some("planted".into()),
        ..quick()
    };
    let simulator = Simulator::start_with(settings).await;
    tagged(&simulator, &[]).await;
    let received = receiver.next().await;
    assert_eq!(signature(&received), Some(hex(&mac("planted", &received)).as_str()));

    for body in [
        json!({}),
        json!({"url": "ftp://receiver.example/"}),
        json!({"url": "http://receiver.example/", "header": "X Signature"}),
        json!({"url": "http://receiver.example/", "prefix": "a\nb"}),
        json!({"url": "http://receiver.example/", "encoding": "base32"}),
        json!({"url": "http://receiver.example/", "key": "x"}),
    ] {
        simulator.post("/simulator/webhooks", body).await.is(400);
    }
    simulator.put("/simulator/webhooks/none", json!({"secret": "x"})).await.is(404);
    simulator.delete("/simulator/webhooks/none").await.is(404);
    let mock = simulator.request(Method::POST, "/simulator/webhooks/none/mock");
    assert_eq!(mock.send().await.unwrap().status(), 404);
}
