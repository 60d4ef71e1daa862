use std::time::Duration;

use assure_simulator::Settings;
use serde_json::{Value, json};

use crate::harness::{Process, Receiver, Simulator, eventually, quick};

const SECRET: &str = "Bearer a.secret-of/this+verification==";

#[tokio::test]
async fn the_callback_has_three_members_and_our_authorization() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[]).await;

    let process = started(&simulator, &receiver, &[]).await;
    let received = receiver.next().await;

    assert_eq!(received.authorization.as_deref(), Some(SECRET));
    assert_eq!(received.content_type.as_deref(), Some("application/json"));
    assert_eq!(
        received.body,
        json!({"dossierId": process.dossier, "processId": process.id, "status": "accepted"})
    );
    let read = simulator.get(&process.path()).await.is(200);
    assert_eq!(read["status"], "accepted");
    assert_eq!(read["notificationUrl"], receiver.url.as_str());
    assert!(!read.to_string().contains(SECRET));
}

#[tokio::test]
async fn it_is_resent_until_the_answer_is_200() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[503, 302, 204]).await;

    let process = started(&simulator, &receiver, &["simulate:rejected"]).await;

    for _ in 0..4 {
        assert_eq!(receiver.next().await.body["status"], "rejected");
    }
    let sent = deliveries(&simulator, &process, 4).await;
    let answers: Vec<_> = sent.iter().map(|d| d["answer"].clone()).collect();
    assert_eq!(answers, [503, 302, 204, 200]);
    assert_eq!(receiver.waiting(), 0);
}

#[tokio::test]
async fn after_the_last_attempt_it_is_given_up() {
    let settings = Settings { callback_attempts: 3, ..quick() };
    let simulator = Simulator::start_with(settings).await;
    let nobody = "http://127.0.0.1:1/callbacks/secret";

    let process = simulator.started(json!({"notificationUrl": nobody})).await;

    let sent = deliveries(&simulator, &process, 3).await;
    assert!(sent.iter().all(|d| d["answer"] == Value::Null && d["error"] == "no connection"));
    // The attempts that count as one delivery are numbered, so there was no fourth before it.
    assert_eq!(sent[2]["attempt"], 3);
}

#[tokio::test]
async fn a_lost_callback_leaves_the_result_to_be_found() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[]).await;

    let lost = started(&simulator, &receiver, &["simulate:callback-lost"]).await;
    simulator.reaches(&lost, "accepted").await;
    let other = started(&simulator, &receiver, &[]).await;

    assert_eq!(receiver.next().await.body["processId"], other.id.as_str());
    assert_eq!(simulator.state_of(&lost).await["callbacks"], json!([]));
}

#[tokio::test]
async fn callbacks_can_be_repeated_lie_and_come_before_their_time() {
    let simulator = Simulator::start().await;

    let mut twice = Receiver::start(&[]).await;
    started(&simulator, &twice, &["simulate:callback-doubled"]).await;
    assert_eq!(twice.next().await.body, twice.next().await.body);

    let mut lied_to = Receiver::start(&[]).await;
    let process = started(&simulator, &lied_to, &["simulate:callback-lie=rejected"]).await;
    assert_eq!(lied_to.next().await.body["status"], "rejected");
    assert_eq!(simulator.get(&process.path()).await.is(200)["status"], "accepted");

    let mut early = Receiver::start(&[]).await;
    let tags = &["simulate:callback-early", "simulate:processing-time=1h"];
    let process = started(&simulator, &early, tags).await;
    assert_eq!(early.next().await.body["status"], "accepted");
    assert_eq!(simulator.get(&process.path()).await.is(200)["status"], "processing");
}

#[tokio::test]
async fn a_callback_can_be_late_and_get_process_can_lag_behind_it() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[]).await;

    let late = started(&simulator, &receiver, &["simulate:callback-delay=1h"]).await;
    simulator.reaches(&late, "accepted").await;
    let later = started(&simulator, &receiver, &["simulate:callback-delay=50ms"]).await;
    assert_eq!(receiver.next().await.body["processId"], later.id.as_str());

    let lagging = started(&simulator, &receiver, &["simulate:get-process-lag=1h"]).await;
    receiver.next().await;
    assert_eq!(simulator.get(&lagging.path()).await.is(200)["status"], "processing");
    let state = simulator.state_of(&lagging).await;
    assert_eq!(
        (&state["status"], &state["visibleStatus"]),
        (&json!("accepted"), &json!("processing"))
    );
}

#[tokio::test]
async fn callbacks_can_be_switched_off() {
    let simulator = Simulator::start_with(Settings { callbacks: false, ..quick() }).await;
    let receiver = Receiver::start(&[]).await;

    let process = started(&simulator, &receiver, &["simulate:callback-early"]).await;
    simulator.reaches(&process, "accepted").await;

    assert_eq!(simulator.state_of(&process).await["callbacks"], json!([]));
    assert_eq!(receiver.waiting(), 0);
}

#[tokio::test]
async fn the_admin_api_sends_true_and_forged_callbacks_and_tells_the_answer() {
    let settings = Settings { processing_time: Duration::from_secs(3600), ..quick() };
    let simulator = Simulator::start_with(settings).await;
    let mut receiver = Receiver::start(&[503]).await;
    let process = started(&simulator, &receiver, &[]).await;
    let path = format!("/simulator/processes/{}/callback", process.id);

    let answer = simulator.post(&path, json!({})).await.is(200);
    assert_eq!(answer["answer"], 503);
    assert_eq!(answer["headers"]["retry-after"], "1");
    let plain = receiver.next().await;
    assert_eq!(plain.body["status"], "processing");
    assert_eq!(plain.authorization.as_deref(), Some(SECRET));

    let forged = json!({
        "dossierId": "d-2", "processId": "p-2", "status": "accepted", "authorization": null,
    });
    assert_eq!(simulator.post(&path, forged).await.is(200)["answer"], 200);
    let received = receiver.next().await;
    assert_eq!(received.authorization, None);
    assert_eq!(
        received.body,
        json!({"dossierId": "d-2", "processId": "p-2", "status": "accepted"})
    );

    let wrong = json!({"authorization": "Bearer guess"});
    simulator.post(&path, wrong).await.is(200);
    assert_eq!(receiver.next().await.authorization.as_deref(), Some("Bearer guess"));
    let elsewhere = json!({"url": "http://127.0.0.1:1/"});
    assert_eq!(simulator.post(&path, elsewhere).await.is(200)["error"], "no connection");
    simulator.post(&path, json!({"authorisation": "x"})).await.is(400);
}

#[tokio::test]
async fn the_address_of_the_callback_is_not_shown_by_the_admin_api() {
    let simulator = Simulator::start().await;
    let mut receiver = Receiver::start(&[]).await;
    started(&simulator, &receiver, &[]).await;
    receiver.next().await;

    let state = simulator.get("/simulator/state").await.is(200).to_string();

    assert!(!state.contains("callbacks/secret") && !state.contains(SECRET), "{state}");
}

async fn started(simulator: &Simulator, receiver: &Receiver, tags: &[&str]) -> Process {
    let asked = json!({
        "notificationUrl": receiver.url, "authorizationHeader": SECRET, "eventTags": tags,
    });
    simulator.started(asked).await
}

async fn deliveries(simulator: &Simulator, process: &Process, count: usize) -> Vec<Value> {
    eventually(async || {
        let sent = simulator.state_of(process).await["callbacks"].clone();
        match sent.as_array() {
            Some(list) if list.len() == count => Ok(list.clone()),
            _ => Err(sent),
        }
    })
    .await
}
