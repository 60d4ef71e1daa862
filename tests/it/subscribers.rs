//! What internal services are told: with nothing but a NATS client and `proto/`, and with the crate
//! for subscribers. What an operator does for them is in `operator.rs`.

mod example;
mod operator;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::{ConnectOptions, jetstream};
use proofline_events::v1::{Flow, Outcome, SignalSource};
use proofline_subscriber::{CancellationToken, Delivery, Failure, Subscription};
use serde_json::json;
use tokio::{process::Command, task::JoinSet};

use crate::harness::{
    Ask, End, SERVICES, Stage, Verification, ends_of, eventually, everything_in, order, time_of,
};
use example::{
    DURABLE, consumer_is, misses_nothing_when_killed, set_short_ack_wait, stops_while_nats_is_away,
};

#[tokio::test]
async fn a_plain_consumer_gets_exactly_one_process_finished_for_each_verification() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let cases = [
        ("simulate:callback-copies=5", Outcome::Accepted),
        ("simulate:rejected", Outcome::Rejected),
        ("simulate:callback-doubled", Outcome::Accepted),
    ];
    let mut all = Vec::new();
    for (tag, outcome) in cases {
        let v = given.a_submitted_verification(json!({ "tags": ["web", tag] })).await;
        all.push((v, tag, outcome));
    }

    for (v, ..) in &all {
        then.finishes(v).await;
    }

    let ends = then.ends().await;
    assert_eq!(ends.len(), cases.len(), "{ends:?}");
    for (v, tag, outcome) in &all {
        let end = ends.iter().find(|end| end.event.verification_id == v.id).unwrap();
        assert_says(end, v, tag, *outcome);
        assert_envelope(end, v);
        // What can be seen can be fetched, at the address that the event tells.
        let request = stage.caller.http.get(&end.event.result_url).bearer_auth(stage.caller.key);
        let result = request.ask().await.is(200);
        assert_eq!(result["verification_id"], v.id.as_str());
    }
    assert_eq!(ends.iter().map(|end| &end.subject).collect::<BTreeSet<_>>().len(), cases.len());
}

#[track_caller]
fn assert_says(end: &End, v: &Verification, tag: &str, outcome: Outcome) {
    let event = &end.event;
    assert_eq!(event.tenant, "acme");
    assert_eq!(event.reference, "order-778");
    assert_eq!(event.tags, ["web", tag]);
    assert_eq!(event.flow(), Flow::Document);
    assert_eq!(event.outcome(), outcome);
    assert_eq!(event.provider, "onfido");
    assert_eq!(event.process_type, "documentSelfie");
    assert_eq!(event.dossier_id, v.dossier_id);
    assert_eq!(event.process_id, v.process_id);
    let status = if outcome == Outcome::Accepted { "accepted" } else { "rejected" };
    assert_eq!(event.assure_status, status);
    assert_eq!(event.reason_code, "");
    let requested = event.requested_at.unwrap();
    let finished = event.finished_at.unwrap();
    assert!((finished.seconds, finished.nanos) > (requested.seconds, requested.nanos));
    assert_eq!(requested.seconds, time_of(&v.created["created_at"]).unix_timestamp());
    assert_eq!(event.signal_source(), SignalSource::Callback);
    assert!(event.result_url.ends_with(&format!("/v1/verifications/{}/result", v.id)));
}

#[track_caller]
fn assert_envelope(end: &End, v: &Verification) {
    let id = &v.id;
    assert_eq!(end.subject, format!("proofline.v1.process-finished.acme.{id}"));
    let headers = |prefix: &str| -> Vec<_> {
        let all = end.headers.iter().filter(|(name, _)| name.starts_with(prefix));
        all.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    };
    let time = end.headers["ce-time"].as_str();
    assert_eq!(
        headers("ce-"),
        [
            ("ce-datacontenttype", "application/protobuf"),
            ("ce-id", format!("{id}.process-finished").as_str()),
            ("ce-source", "/proofline/result-normaliser"),
            ("ce-specversion", "1.0"),
            ("ce-subject", id),
            ("ce-time", time),
            ("ce-type", "proofline.v1.process-finished"),
        ]
    );
    time_of(&json!(time));
    assert_eq!(end.headers["Nats-Msg-Id"], end.headers["ce-id"]);
    let traceparent: Vec<_> = end.headers["traceparent"].split('-').map(str::len).collect();
    assert_eq!(traceparent, [2, 32, 16, 2]);
    // Nothing else but the guards of the append, which the server keeps.
    let known = ["ce-", "Nats-Msg-Id", "Nats-Expected-", "traceparent", "tracestate"];
    let others: Vec<_> = end
        .headers
        .keys()
        .filter(|name| !known.iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

#[tokio::test]
async fn the_durable_that_provision_makes_gets_the_ends_of_its_tenant_alone() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let jetstream = jetstream::new(stage.nats.clone());
    let durable = jetstream.get_consumer_from_stream("acme-billing", "VERIFICATIONS").await;
    let mut durable = durable.unwrap();
    let settings = durable.info().await.unwrap().config.clone();
    assert_eq!(settings.ack_wait, Duration::from_secs(30));
    assert_eq!(settings.max_deliver, -1);

    let mine = given.a_verification(json!({})).await;
    let request = stage.stranger.post("/v1/verifications").json(&order(&json!({})));
    let theirs = Verification::of(request.ask().await);
    for (caller, v) in [(&stage.caller, &mine), (&stage.stranger, &theirs)] {
        let path = format!("/v1/verifications/{}/cancel", v.id);
        caller.post(&path).ask().await.is(202);
        let request = caller.look_at(&v.id).header("prefer", "wait=15");
        assert_eq!(request.ask().await.is(200)["outcome"], "canceled");
    }

    assert_eq!(then.ends().await.len(), 2);
    let received: Vec<_> =
        ends_of(&durable).await.into_iter().map(|end| end.event.verification_id).collect();
    assert_eq!(received, [mine.id]);
}

#[tokio::test]
async fn a_subscriber_that_dies_at_work_hears_of_every_end_again_also_after_nats_was_away() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    set_short_ack_wait(&stage).await;
    let (heard, mut dying) = subscribe(&stage, |_| std::future::pending()).await;
    let first = given.a_submitted_verification(json!({})).await;
    heard.hears(&first, 1).await;
    dying.task.abort_all();

    when.nats_stops().await;
    let (heard, mut running) = subscribe(&stage, |_| async { Ok(()) }).await;
    when.nats_returns().await;
    for service in SERVICES {
        stage.becomes_ready(service).await;
    }
    let second = given.a_submitted_verification(json!({})).await;
    then.finishes(&second).await;

    let again = heard.hears(&first, 1).await.remove(0);
    assert!(again.attempt > 1);
    assert_eq!(again.event_id, format!("{}.process-finished", first.id));
    assert_eq!(again.event.outcome(), Outcome::Accepted);
    heard.hears(&second, 1).await;
    consumer_is(&stage, "done", |info| info.num_pending + info.num_ack_pending as u64 == 0).await;
    running.stop.cancel();
    running.task.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn what_a_subscriber_rejects_is_put_aside_for_its_operator() {
    let stage = Stage::start().await;
    let (given, ..) = stage.acts();
    let (heard, _running) = subscribe(&stage, |_| async {
        Err(Failure::reject("no-such-order", "nobody ordered this"))
    })
    .await;

    let v = given.a_submitted_verification(json!({})).await;

    heard.hears(&v, 1).await;
    let letters = eventually("there is a dead letter", async || {
        let letters = everything_in(&stage.nats, "DEAD_LETTERS").await;
        if letters.is_empty() { Err("none".to_owned()) } else { Ok(letters) }
    })
    .await;
    let letter = String::from_utf8_lossy(&letters[0]);
    assert!(letter.starts_with(&format!("proofline.dead.v1.{DURABLE}.acme.{}\n", v.id)));
    assert!(letter.contains("no-such-order"), "{letter}");
    consumer_is(&stage, "done", |info| info.num_pending + info.num_ack_pending as u64 == 0).await;
    assert_eq!((letters.len(), heard.of(&v).len()), (1, 1));
}

#[tokio::test]
async fn the_rust_example_misses_nothing_when_killed() {
    misses_nothing_when_killed(&Stage::start().await, rust_example).await;
}

#[tokio::test]
async fn the_rust_example_stops_while_nats_is_away() {
    stops_while_nats_is_away(&Stage::start().await, rust_example).await;
}

fn rust_example() -> Command {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples/billing");
    assert!(program.exists(), "build it first: cargo build -p proofline-subscriber --examples");
    Command::new(program)
}

/// A subscriber at work, in this process. It ends with its owner.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinSet<Result<(), proofline_subscriber::Error>>,
}

/// What a subscriber was given.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<Delivery>>>);

pub(crate) async fn subscribe<H, F>(stage: &Stage, handler: H) -> (Heard, Running)
where
    H: Fn(Delivery) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let client = ConnectOptions::new().retry_on_initial_connect();
    let client = client.connect(stage.broker.lock().await.url()).await.unwrap();
    let subscription = Subscription::open(client, DURABLE).unwrap();
    let (heard, stop, mut task) = (Heard::default(), CancellationToken::new(), JoinSet::new());
    let (noted, token) = (heard.clone(), stop.clone());
    task.spawn(async move {
        let noting = move |delivery: Delivery| {
            noted.0.lock().unwrap().push(delivery.clone());
            handler(delivery)
        };
        subscription.run(token, noting).await
    });
    (heard, Running { stop, task })
}

impl Heard {
    fn of(&self, v: &Verification) -> Vec<Delivery> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|d| d.event.verification_id == v.id).cloned().collect()
    }

    /// Waits until an end was heard so often.
    pub(crate) async fn hears(&self, v: &Verification, times: usize) -> Vec<Delivery> {
        eventually(&format!("{} is heard of {times} times", v.id), async || {
            let heard = self.of(v);
            if heard.len() >= times { Ok(heard) } else { Err(format!("{heard:?}")) }
        })
        .await
    }
}
