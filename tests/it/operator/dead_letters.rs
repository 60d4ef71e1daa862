//! Dead letters: seen, understood, and handed once more to who could not handle them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_nats::{HeaderMap, jetstream};
use proofline_subscriber::Failure;
use serde_json::{Value, json};

use crate::{
    harness::{Stage, Verification, eventually},
    subscribers::subscribe,
};

/// Stores what nobody can read in a verification's log, or what a consumer can't; its sequence.
pub(crate) async fn plant(stage: &Stage, event: &str, v: &Verification) -> u64 {
    let jetstream = jetstream::new(stage.nats.clone());
    let subject = format!("proofline.v1.{event}.acme.{}", v.id);
    let sent = jetstream.publish_with_headers(subject, HeaderMap::new(), "planted".into()).await;
    sent.unwrap().await.unwrap().sequence
}

async fn remove(stage: &Stage, sequence: u64) {
    let jetstream = jetstream::new(stage.nats.clone());
    let log = jetstream.get_stream("VERIFICATIONS").await.unwrap();
    log.delete_message(sequence).await.unwrap();
}

/// What `dead list --json` says of these.
async fn listed(stage: &Stage, selection: &[&str]) -> Vec<Value> {
    let typed = stage.types(&[&["dead", "list", "--json"], selection].concat()).await;
    let mut document: Value = serde_json::from_str(&typed.worked()).unwrap();
    let letters = document["letters"].as_array_mut().unwrap().split_off(0);
    assert_eq!(document["count"], letters.len());
    letters
}

/// Waits until there are so many of these.
pub(crate) async fn letters(stage: &Stage, selection: &[&str], count: usize) -> Vec<Value> {
    eventually(&format!("there are {count} dead letters"), async || {
        let letters = listed(stage, selection).await;
        if letters.len() == count { Ok(letters) } else { Err(format!("{letters:?}")) }
    })
    .await
}

#[tokio::test]
async fn a_verification_whose_log_was_unreadable_ends_once_its_dead_letters_are_replayed() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let looked_at = given.a_verification_at_work().await;
    let expiring = given.a_verification(json!({ "expires_in_seconds": 2 })).await;
    let in_the_way = [
        plant(&stage, "image-uploaded", &looked_at).await,
        plant(&stage, "image-uploaded", &expiring).await,
    ];
    when.simulator.finishes(&looked_at, "accepted").await;
    let put_aside = letters(&stage, &["--reason", "unreadable-log"], 2).await;
    let by: Vec<_> = put_aside.iter().map(|letter| &letter["consumer"]).collect();
    assert_eq!(by, ["result-normaliser-signals", "verifier-deadline"]);

    // Nothing is mended yet, so they are put aside again.
    let one = listed(&stage, &["--verification", &expiring.id]).await;
    assert_eq!(one, [put_aside[1].clone()]);
    let again = stage.types(&["dead", "replay", "--reason", "unreadable-log"]).await;
    assert_eq!(again.worked(), "2 replayed.\n");
    let again = letters(&stage, &["--reason", "unreadable-log"], 2).await;
    assert!(
        again
            .iter()
            .zip(&put_aside)
            .all(|(new, old)| new["sequence"].as_u64() > old["sequence"].as_u64())
    );
    for sequence in in_the_way {
        remove(&stage, sequence).await;
    }
    let counted = stage.types(&["dead", "replay", "--all", "--dry-run"]).await;
    assert_eq!(counted.worked(), "2 would be replayed.\n");
    let replayed = stage.types(&["dead", "replay", "--since", "1h", "--rate", "50"]).await;

    assert_eq!(replayed.worked(), "2 replayed.\n");
    then.ends_as(&looked_at, "accepted", "").await;
    then.ends_as(&expiring, "expired", "never-submitted").await;
    assert_eq!(listed(&stage, &[]).await, [Value::Null; 0]);
    assert_eq!(then.ends().await.len(), 2);
}

#[tokio::test]
async fn a_subscriber_gets_its_dead_letters_back_as_replays_and_nobody_else_does() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let order_is_known = Arc::new(AtomicBool::new(false));
    let is_known = Arc::clone(&order_is_known);
    let (heard, _running) = subscribe(&stage, move |_| {
        let result = match is_known.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(Failure::reject("no-such-order", "nobody ordered this")),
        };
        async { result }
    })
    .await;
    let v = given.a_submitted_verification(json!({})).await;
    then.finishes(&v).await;
    let letter = letters(&stage, &["--consumer", "acme-billing"], 1).await.remove(0);
    let sequence = letter["sequence"].to_string();

    let shown = stage.types(&["dead", "show", &sequence]).await.worked();
    let table = stage.types(&["dead", "list", "--reason", "no-such-order"]).await.worked();
    order_is_known.store(true, Ordering::Relaxed);
    let replayed = stage.types(&["dead", "replay", &sequence]).await.worked();

    assert_eq!(replayed, "1 replayed.\n");
    for part in [
        "reason        no-such-order",
        "first error   nobody ordered this",
        "last error    nobody ordered this",
        "attempts      1",
        &format!("original      proofline.v1.process-finished.acme.{}", v.id),
        &format!("  ce-id: {}.process-finished", v.id),
        "\"outcome\": \"accepted\"",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert_eq!(table.matches("acme-billing").count(), 2, "a line and a count: {table}");
    let seen = heard.hears(&v, 2).await;
    assert_eq!(seen.iter().map(|d| d.is_replay).collect::<Vec<_>>(), [false, true]);
    assert_eq!(seen[0].event_id, seen[1].event_id);
    assert_eq!(listed(&stage, &[]).await, [Value::Null; 0]);
    assert_eq!(then.ends().await.len(), 1);
}

#[tokio::test]
async fn what_can_be_handed_to_nobody_stays_and_is_told() {
    let stage = Stage::start().await;
    let v = stage.acts().0.a_verification(json!({})).await;
    plant(&stage, "completion-signalled", &v).await;
    let letter = letters(&stage, &["--reason", "unreadable"], 1).await.remove(0);
    let sequence = letter["sequence"].to_string();
    // As it was written before first errors were kept, and by a consumer that is no more.
    let jetstream = jetstream::new(stage.nats.clone());
    let mut headers = HeaderMap::new();
    headers.insert("ce-type", "proofline.v1.process-finished");
    headers.insert("proofline-dead-reason", "no-such-order");
    let original = format!("proofline.v1.process-finished.acme.{}", v.id);
    headers.insert("proofline-dead-subject", original);
    let subject = format!("proofline.dead.v1.acme-former.acme.{}", v.id);
    let sent = jetstream.publish_with_headers(subject, headers, "".into()).await.unwrap();
    let older = sent.await.unwrap().sequence.to_string();

    let unreadable = stage.types(&["dead", "show", &sequence]).await.worked();
    let former = stage.types(&["dead", "show", &older]).await.worked();
    let refused = stage.types(&["dead", "replay", "--all"]).await.failed();

    assert!(unreadable.contains("first error   header ce-type is missing"), "{unreadable}");
    // The planted bytes themselves, as they are.
    assert!(unreadable.contains("cGxhbnRlZA=="), "{unreadable}");
    assert!(former.contains("first error   not recorded"), "{former}");
    for complaint in [
        format!("{sequence} cannot be replayed: its ce-type names no event"),
        format!("{older} cannot be replayed: there is no consumer acme-former"),
        "2 cannot be replayed and are still there".to_owned(),
    ] {
        assert!(refused.contains(&complaint), "{complaint} in {refused}");
    }
    assert_eq!(listed(&stage, &[]).await.len(), 2);
    for (arguments, complaint) in [
        (["dead", "replay"].as_slice(), "which ones?"),
        (&["dead", "show", "9999"], "there is no dead letter 9999"),
        (&["dead", "replay", &older, "--reason", "unreadable"], "either sequences or"),
    ] {
        let said = stage.types(arguments).await.failed();
        assert!(said.contains(complaint), "{said}");
    }
}
