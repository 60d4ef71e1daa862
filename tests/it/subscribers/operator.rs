//! What an operator sees of subscribers and does for them.

use std::fs;

use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, pull},
};
use futures_util::{StreamExt, TryStreamExt};
use reqwest::Method;
use serde_json::json;

use super::{
    example::{DURABLE, consumer_is},
    subscribe,
};
use crate::harness::{Ask, Stage, Verification, eventually, everything_in, program};

#[tokio::test]
async fn a_replay_comes_to_its_subscriber_alone_once_more_and_changes_no_log() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let (heard, _running) = subscribe(&stage, |_| async { Ok(()) }).await;
    let mut all = Vec::new();
    for _ in 0..2 {
        all.push(given.a_submitted_verification(json!({})).await);
    }
    for v in &all {
        then.finishes(v).await;
        heard.hears(v, 1).await;
    }
    let timelines = [then.timeline(&all[0]).await, then.timeline(&all[1]).await];

    let counted = operate(&stage, &["replay", DURABLE, "--since", "1h", "--dry-run"]).await;
    assert_eq!(counted, (Some(0), format!("2 would be replayed to {DURABLE}.\n")));
    for _ in 0..2 {
        let replayed = operate(&stage, &["replay", DURABLE, "--since", "1h", "--tenant", "acme"]);
        assert_eq!(replayed.await, (Some(0), format!("2 replayed to {DURABLE}.\n")));
    }

    for (v, timeline) in all.iter().zip(timelines) {
        let seen = heard.hears(v, 3).await;
        assert_eq!(seen.iter().map(|d| d.is_replay).collect::<Vec<_>>(), [false, true, true]);
        assert!(seen.iter().all(|d| d.event_id == seen[0].event_id && d.event == seen[0].event));
        assert_eq!(then.timeline(v).await, timeline);
    }
    consumer_is(&stage, "done", |info| info.num_pending + info.num_ack_pending as u64 == 0).await;
    assert_eq!(then.ends().await.len(), 2);
    assert_eq!(replays_of(&stage, &all[0]).await, ["1", "2"]);
    // The log goes on as if nothing had been.
    let path = format!("/v1/verifications/{}", all[0].id);
    stage.caller.api(Method::DELETE, &path).ask().await.is(202);
    then.is_told(&all[0], "data-erased", 1).await;
}

#[tokio::test]
async fn an_operator_sees_subscribers_and_is_told_of_wrong_ones() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    then.finishes(&given.a_submitted_verification(json!({})).await).await;

    let (code, shown) = operate(&stage, &["list"]).await;
    assert_eq!(code, Some(0), "{shown}");
    let lines: Vec<Vec<_>> = shown.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(lines[1..], [[DURABLE, "acme", "1", "0", "0"]]);

    for (arguments, complaint) in [
        (["replay", "acme-biling", "--since", "1h"].as_slice(), "no consumer acme-biling"),
        (&["replay", "result-normaliser-removals", "--since", "1h"], "not a subscriber"),
        (&["replay", DURABLE, "--since", "1h", "--tenant", "other"], "a subscriber of acme"),
        (&["replay", DURABLE, "--since", "1h", "--until", "2h"], "--since must be before"),
    ] {
        let (code, said) = operate(&stage, arguments).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(complaint), "{said}");
    }
    let (code, said) = operate(&stage, &["replay", DURABLE, "--since", "yesterday"]).await;
    assert_eq!(code, Some(2), "{said}");
    let (_, shown) = operate(&stage, &["list"]).await;
    assert!(shown.lines().nth(1).unwrap().contains(" 1 "), "nothing was replayed: {shown}");
}

#[tokio::test]
async fn what_a_subscriber_has_not_been_given_is_not_replayed() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    then.finishes(&v).await;

    let replayed = operate(&stage, &["replay", DURABLE, "--since", "1h"]).await;

    assert_eq!(replayed, (Some(0), format!("0 replayed to {DURABLE}.\n")));
    let (heard, _running) = subscribe(&stage, |_| async { Ok(()) }).await;
    heard.hears(&v, 1).await;
    consumer_is(&stage, "done", |info| info.num_pending + info.num_ack_pending as u64 == 0).await;
    assert_eq!(heard.of(&v).len(), 1);
}

#[tokio::test]
async fn a_replay_that_breaks_off_tells_from_where_to_go_on() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let (heard, _running) = subscribe(&stage, |_| async { Ok(()) }).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        let v = given.a_submitted_verification(json!({})).await;
        then.finishes(&v).await;
        heard.hears(&v, 1).await;
        all.push(v);
    }

    let arguments = ["replay", DURABLE, "--since", "1h", "--rate", "1"];
    let ((code, said), ()) = tokio::join!(operate(&stage, &arguments), async {
        heard.hears(&all[0], 2).await;
        when.nats_stops().await;
    });
    assert_eq!(code, Some(1), "{said}");
    let (_, since) = said.split_once("go on with --since ").unwrap_or_else(|| panic!("{said}"));
    let (since, _why) = since.split_once(": ").unwrap_or_else(|| panic!("{said}"));
    when.nats_returns().await;
    let arguments = ["replay", DURABLE, "--since", since];
    eventually("it goes on", async || match operate(&stage, &arguments).await {
        (Some(0), _) => Ok(()),
        (_, said) => Err(said),
    })
    .await;

    for v in &all {
        heard.hears(v, 2).await;
    }
    consumer_is(&stage, "done", |info| info.num_pending + info.num_ack_pending as u64 == 0).await;
    assert_eq!(heard.of(&all[0]).len(), 2, "what came before is not done again");
}

#[tokio::test]
async fn a_replay_that_nobody_confirms_is_published_again_as_the_same() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let (heard, _running) = subscribe(&stage, |_| async { Ok(()) }).await;
    let v = given.a_submitted_verification(json!({})).await;
    then.finishes(&v).await;
    heard.hears(&v, 1).await;
    // The log takes no replays for now, and this test hears what becomes of them.
    let jetstream = jetstream::new(stage.nats.clone());
    let log = jetstream.get_stream("VERIFICATIONS").await.unwrap().cached_info().config.clone();
    let mut deaf = log.clone();
    deaf.subjects.retain(|subject| !subject.starts_with("proofline.replay."));
    assert_eq!(deaf.subjects.len() + 1, log.subjects.len());
    jetstream.update_stream(deaf).await.unwrap();
    let replays = format!("proofline.replay.v1.{DURABLE}.>");
    let mut published = stage.nats.subscribe(replays).await.unwrap();

    let (replayed, ids) =
        tokio::join!(operate(&stage, &["replay", DURABLE, "--since", "1h"]), async {
            let first = published.next().await.unwrap();
            jetstream.update_stream(log).await.unwrap();
            let again = published.next().await.unwrap();
            [first, again].map(|message| message.headers.unwrap().get("Nats-Msg-Id").cloned())
        });

    assert_eq!(replayed, (Some(0), format!("1 replayed to {DURABLE}.\n")));
    assert_eq!(ids[0], ids[1]);
    heard.hears(&v, 2).await;
    assert_eq!(replays_of(&stage, &v).await, ["1"]);
}

#[tokio::test]
async fn a_subscriber_that_is_no_more_keeps_its_consumer_until_it_is_pruned() {
    let stage = Stage::start().await;
    let tenants = stage.folder().join("fewer-tenants.toml");
    let file = format!(
        "[tenants.acme]\napi_key_sha256 = [\"{}\"]\nweb_origins = []\nsubscribers = [\"audit\"]\n",
        "a".repeat(64)
    );
    fs::write(&tenants, file).unwrap();
    // Somebody's own, on the same events and with such a name.
    let own = pull::Config {
        durable_name: Some("acme-own".to_owned()),
        filter_subject: "proofline.v1.process-finished.acme.*".to_owned(),
        ack_policy: AckPolicy::Explicit,
        ..Default::default()
    };
    let jetstream = jetstream::new(stage.nats.clone());
    jetstream.create_consumer_on_stream(own, "VERIFICATIONS").await.unwrap();
    let mut expected = consumers(&stage).await;
    let provision = async |arguments: &[&str]| {
        let mut command = program("proofline");
        command.arg("provision").args(arguments);
        command.env("PROOFLINE_NATS_URL", stage.broker.lock().await.url());
        command.env("PROOFLINE_TENANTS_FILE", &tenants);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };

    provision(&[]).await;
    expected.push("acme-audit".to_owned());
    expected.sort();
    assert_eq!(consumers(&stage).await, expected);
    let said = provision(&["--prune"]).await;
    let again = provision(&["--prune"]).await;

    assert_eq!(said.matches("deleted").count(), 1, "{said}");
    assert!(said.ends_with("consumer acme-billing of VERIFICATIONS deleted\n"), "{said}");
    assert!(!again.contains("deleted"), "{again}");
    expected.retain(|name| name != DURABLE);
    assert_eq!(consumers(&stage).await, expected);
}

/// The names of all consumers of the log.
async fn consumers(stage: &Stage) -> Vec<String> {
    let jetstream = jetstream::new(stage.nats.clone());
    let stream = jetstream.get_stream("VERIFICATIONS").await.unwrap();
    let mut names: Vec<_> = stream.consumer_names().try_collect().await.unwrap();
    names.sort();
    names
}

/// `proofline subscribers …`, and what it said.
async fn operate(stage: &Stage, arguments: &[&str]) -> (Option<i32>, String) {
    let typed = stage.types(&[&["subscribers"], arguments].concat()).await;
    (typed.code, typed.said + &typed.complained)
}

/// The numbers of the replays of an end, as they are stored.
async fn replays_of(stage: &Stage, v: &Verification) -> Vec<String> {
    let subject = format!("proofline.replay.v1.{DURABLE}.acme.{}\n", v.id);
    let all = everything_in(&stage.nats, "VERIFICATIONS").await;
    let all = all.iter().map(|message| String::from_utf8_lossy(message).into_owned());
    let replays = all.filter(|message| message.starts_with(&subject));
    let number = |message: String| {
        let (_, after) = message.split_once("\"proofline-replay\"").unwrap();
        after.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty()).unwrap().to_owned()
    };
    replays.map(number).collect()
}
