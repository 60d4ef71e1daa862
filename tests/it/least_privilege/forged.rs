//! Requests that name somebody else's subject as the address for their answer: the server does not
//! ask whether the sender might publish there, but sends the answer to the sender's own account.

use async_nats::{HeaderMap, Message, header, jetstream};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{NOBODY, refusals::User};
use crate::harness::{Ask, Bus, PATIENCE, Scene, eventually};

const NEXT: &str = "SVC.API.CONSUMER.MSG.NEXT.VERIFICATIONS.acme-billing";
const PULL: &str = r#"{"batch":1,"no_wait":true}"#;

/// Where an answer would do harm.
const TARGETS: [(&str, &str); 8] = [
    ("VERIFICATIONS", "proofline.v1.process-finished.acme."),
    ("VERIFICATIONS", "proofline.v1.cancellation-requested.acme."),
    ("VERIFICATIONS", "proofline.v1.verification-requested.acme."),
    ("VERIFICATIONS", "proofline.replay.v1.other-crm.acme."),
    ("DEAD_LETTERS", "proofline.dead.v1.other-crm.acme."),
    ("TIMERS", "proofline.timer.v1.due.deadline.acme."),
    ("KV_DATA_KEYS", "$KV.DATA_KEYS.acme."),
    ("KV_SEALED", "$KV.SEALED.acme.vrf_0."),
];

#[tokio::test]
async fn on_one_server_an_answer_goes_nowhere_but_to_its_asker() {
    forges(Scene::new().on(Bus::Alone)).await;
}

#[tokio::test]
async fn on_three_servers_an_answer_goes_nowhere_but_to_its_asker() {
    forges(Scene::new().on(Bus::Cluster).with("proofline", "PROOFLINE_NATS_REPLICAS", 3)).await;
}

/// Why those who are not trusted have accounts of their own, and what protects the others: readers.
#[tokio::test]
async fn inside_the_account_of_the_services_a_forged_event_is_stored_and_believed_by_nobody() {
    let stage = Scene::new().on(Bus::Alone).start().await;
    let (upload, operator) = (User::of(&stage, "upload").await, User::of(&stage, "operator").await);
    let target = format!("proofline.v1.process-finished.acme.{NOBODY}");
    let request = r#"{"last_by_subj":"proofline.v1.>"}"#;
    asks(&upload, "$JS.API.STREAM.MSG.GET.VERIFICATIONS", HeaderMap::new(), request, &target).await;

    eventually("it is put aside", async || {
        let letter = format!("proofline.dead.v1.result-normaliser-removals.acme.{NOBODY}");
        let is_put_aside = is_stored(&operator, "DEAD_LETTERS", &letter).await;
        if is_put_aside { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await;
    assert!(is_stored(&operator, "VERIFICATIONS", &target).await);
    let path = format!("/v1/verifications/{NOBODY}");
    let answer = stage.caller.get(&path).ask().await;
    assert_ne!(answer.status, 200, "{answer:?}");
}

async fn forges(scene: Scene) {
    let stage = scene.start().await;
    let (given, _, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    then.finishes(&v).await;
    let mut receiver = User::of(&stage, "callback-receiver").await;
    let mut billing = User::of(&stage, "acme-billing").await;
    let operator = User::of(&stage, "operator").await;
    let intake = User::of(&stage, "intake").await;
    let end = pull(&billing).await;
    let ack = end.reply.expect("a delivery").to_string();
    let signal = format!("proofline.v1.completion-signalled.acme.{NOBODY}");

    for (_, target) in TARGETS {
        let target = &format!("{target}{NOBODY}");
        // One that the stream refuses, and one that it takes.
        asks(&receiver, &signal, elsewhere(), "", target).await;
        asks(&receiver, &signal, HeaderMap::new(), "", target).await;
        asks(&billing, NEXT, HeaderMap::new(), PULL, target).await;
        asks(&billing, NEXT, HeaderMap::new(), "no JSON", target).await;
        asks(&billing, &ack, HeaderMap::new(), "+WPI", target).await;
        asks(&billing, &ack, HeaderMap::new(), r#"+NXT {"batch":1,"no_wait":true}"#, target).await;
    }
    // Both are answered in turn, and so has everything before been.
    let last = jetstream::new(receiver.client.clone());
    last.publish(signal.clone(), "".into()).await.unwrap().await.unwrap();
    pull(&billing).await;

    for (stream, target) in TARGETS.into_iter().filter(|(stream, _)| *stream != "TIMERS") {
        let reader = if stream.starts_with("KV_") { &intake } else { &operator };
        let target = format!("{target}{NOBODY}");
        assert!(!is_stored(reader, stream, &target).await, "{target}");
    }
    assert!(is_stored(&operator, "VERIFICATIONS", &signal).await);
    assert_eq!((receiver.refused(), billing.refused()), (Vec::new(), Vec::new()));
    // Where the server would tell of the way of a message is a publish like any other.
    for (user, subject) in [(&mut receiver, signal.as_str()), (&mut billing, NEXT)] {
        for (_, target) in TARGETS {
            let target = format!("{target}{NOBODY}");
            let mut traced = HeaderMap::new();
            traced.insert("Nats-Trace-Dest", target.as_str());
            user.client.publish_with_headers(subject.to_owned(), traced, "".into()).await.unwrap();
            user.is_refused("Publish", &target).await;
        }
    }
    // Nobody may look at timers: one that can't be read would have been put aside by now.
    let letter = format!("proofline.dead.v1.verifier-deadline.acme.{NOBODY}");
    assert!(!is_stored(&operator, "DEAD_LETTERS", &letter).await);
}

/// A header with which the stream refuses what it is told.
fn elsewhere() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::NATS_EXPECTED_STREAM, "ANOTHER");
    headers
}

async fn asks(user: &User, subject: &str, headers: HeaderMap, body: &'static str, reply: &str) {
    let (subject, reply) = (subject.to_owned(), reply.to_owned());
    let client = &user.client;
    client.publish_with_reply_and_headers(subject, reply, headers, body.into()).await.unwrap();
}

/// What the subscriber's consumer has now: a message, or the word that there is none.
async fn pull(user: &User) -> Message {
    let inbox = user.client.new_inbox();
    // A delivery has its own subject, by which the client's requests would not know it.
    let mut answers = user.client.subscribe(inbox.clone()).await.unwrap();
    asks(user, NEXT, HeaderMap::new(), PULL, &inbox).await;
    timeout(PATIENCE, answers.next()).await.unwrap().unwrap()
}

/// Whether a stream holds such a message, as this user finds it.
async fn is_stored(user: &User, stream: &str, subject: &str) -> bool {
    let request = json!({ "last_by_subj": subject }).to_string();
    let api = format!("$JS.API.STREAM.MSG.GET.{stream}");
    let answer = user.client.request(api, request.into()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    let is_stored = answer["message"]["subject"].is_string();
    assert!(is_stored || answer["error"]["err_code"] == 10037, "{answer}");
    is_stored
}
