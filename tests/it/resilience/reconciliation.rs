//! Callbacks that are lost: everything ends all the same, and Assure is spared.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::json;

use super::harness::{Call, Fleet, Journey, Plan, SIMULATOR, VERIFIER, soon};
use crate::harness::Verification;

/// How often a fleet here looks up what is overdue.
const INTERVAL_MS: u64 = 1500;

/// A fleet that waits for no callback for longer than a second.
fn watchful() -> Plan {
    Plan::new().with(VERIFIER, "PROOFLINE_CALLBACK_GRACE", "1s").with(
        VERIFIER,
        "PROOFLINE_RECONCILE_INTERVAL",
        format!("{INTERVAL_MS}ms"),
    )
}

/// Submits this many verifications, all at once, with these tags each.
async fn submitted(
    fleet: &Fleet,
    count: usize,
    name: &str,
    tags: &[&str],
) -> Vec<(Journey, Verification)> {
    let all = (0..count).map(async |number| {
        let key = format!("{name} {number}");
        let journey = Journey::new(fleet.caller(), key, json!({ "tags": tags }));
        let v = journey.begins().await;
        journey.is_submitted(&v).await;
        (journey, v)
    });
    join_all(all).await
}

/// The times of calls of an operation.
fn times(calls: &[Call], operation: &str) -> Vec<u64> {
    calls.iter().filter(|call| call.is(operation)).map(|call| call.at_ms).collect()
}

/// How often Assure was asked for each process.
fn looks(calls: &[Call]) -> BTreeMap<&str, usize> {
    let mut looks = BTreeMap::new();
    for call in calls.iter().filter(|call| call.is("getProcess")) {
        *looks.entry(call.path.rsplit('/').next().unwrap()).or_default() += 1;
    }
    looks
}

/// One request for each interval at most, whoever makes it. A round begins when a replica's clock
/// ticks, and asks once it knows what is overdue: half an interval is left to that.
#[track_caller]
fn assert_one_an_interval(times: &[u64]) {
    for pair in times.windows(2) {
        let pause = pair[1] - pair[0];
        assert!(pause >= INTERVAL_MS / 2, "{pause} ms between two lists: {times:?}");
    }
}

#[tokio::test]
async fn fifty_whose_callbacks_are_lost_end_for_one_list_an_interval_and_one_look_each() {
    let fleet = watchful().replicas(VERIFIER, 3).start().await;
    // Their clocks shall tick apart from each other.
    for verifier in &fleet.all(VERIFIER)[1..] {
        verifier.kill().await;
        verifier.restart().await;
    }
    // One wave after the other, so that something comes due for longer than an interval.
    let mut all = Vec::new();
    for wave in 0..5 {
        let outcome = if wave < 4 { "accepted" } else { "rejected" };
        let tags = ["simulate:callback-lost", &format!("simulate:{outcome}")];
        for (journey, v) in submitted(&fleet, 10, &format!("wave {wave}"), &tags).await {
            all.push((journey, v, outcome));
        }
    }

    let ends = join_all(all.iter().map(|(journey, v, _)| journey.ends(v))).await;

    fleet.is_at_rest().await;
    for ((_, v, outcome), end) in all.iter().zip(&ends) {
        fleet.assert_went_through(v, end, outcome).await;
        let source = fleet.ends_of(&v.id).await[0].event.signal_source().as_str_name();
        assert_eq!(source, "SIGNAL_SOURCE_RECONCILIATION");
    }
    let calls = fleet.calls().await;
    assert_one_an_interval(&times(&calls, "listProcesses"));
    let lists: Vec<_> = calls.iter().filter(|call| call.is("listProcesses")).collect();
    assert!(lists.iter().all(|list| list.query.contains("offset=0")), "{lists:?}");
    let looks = looks(&calls);
    assert_eq!(looks.len(), 50);
    assert!(looks.values().all(|looks| *looks == 1), "{looks:?}");
}

#[tokio::test]
async fn an_account_without_the_list_is_looked_up_one_by_one_and_ever_more_rarely() {
    tokio::join!(is_looked_up_one_by_one(404), is_looked_up_one_by_one(403));
}

async fn is_looked_up_one_by_one(code: u16) {
    let fleet = watchful().start().await;
    let refused = json!({ "status": { "code": code } });
    fleet.simulator.goes_wrong("listProcesses", refused, json!({})).await;
    let (lost, open) = tokio::join!(
        submitted(&fleet, 3, "lost", &["simulate:callback-lost"]),
        submitted(&fleet, 1, "open", &["simulate:never-finishes"]),
    );

    for (journey, v) in &lost {
        let end = journey.ends(v).await;
        fleet.assert_went_through(v, &end, "accepted").await;
    }
    let open = &open[0].1;
    fleet.simulator.was_asked("getProcess", open, 2).await;

    let calls = fleet.calls().await;
    assert_one_an_interval(&times(&calls, "listProcesses"));
    let looks_at_it: Vec<Call> = calls
        .iter()
        .filter(|call| call.is("getProcess") && call.path.ends_with(&open.process_id))
        .cloned()
        .collect();
    let times = times(&looks_at_it, "getProcess");
    // Once a signal has come the next check is two intervals away.
    assert!(times[1] - times[0] >= INTERVAL_MS * 3 / 2, "{times:?}");
    assert!(fleet.ends_of(&open.id).await.is_empty());
}

#[tokio::test]
async fn a_list_that_fails_is_asked_for_again_in_the_next_round_however_often_it_failed() {
    let fleet = watchful().start().await;
    let failing = json!({ "status": { "code": 503 } });
    fleet.simulator.goes_wrong("listProcesses", failing, json!({})).await;
    let all = submitted(&fleet, 3, "lost", &["simulate:callback-lost"]).await;
    // Each round asks twice, as a list may be repeated at once.
    let failed = soon("three rounds failed", async || {
        let times = times(&fleet.calls().await, "listProcesses");
        if times.len() >= 6 { Ok(times) } else { Err(format!("{times:?}")) }
    })
    .await;

    fleet.simulator.recovers().await;
    for (journey, v) in &all {
        let end = journey.ends(v).await;
        fleet.assert_went_through(v, &end, "accepted").await;
    }

    let times = times(&fleet.calls().await, "listProcesses");
    let answered = times[failed.len()..].first().unwrap();
    let pause = answered - failed.last().unwrap();
    assert!(pause <= INTERVAL_MS * 4, "after {pause} ms: {times:?}");
}

#[tokio::test]
async fn a_hundred_equal_callbacks_cost_a_handful_of_looks() {
    let fleet = Plan::new().with(SIMULATOR, "SIMULATOR_PROCESSING_TIME", "200ms").start().await;
    let journey =
        Journey::new(fleet.caller(), "k", json!({ "tags": ["simulate:callback-copies=100"] }));
    let early = submitted(&fleet, 1, "open", &["simulate:never-finishes"]).await;
    let early = &early[0].1;

    let (v, end) = journey.goes().await;
    // Those that announce an end that is not there yet are believed no more than others.
    let claim = json!({ "status": "accepted" });
    let answers = join_all((0..100).map(|_| fleet.simulator.calls_back(early, claim.clone())));
    for answer in answers.await {
        assert_eq!(answer["answer"], 200, "{answer}");
    }

    fleet.assert_went_through(&v, &end, "accepted").await;
    soon("all hundred callbacks were answered", async || {
        let process = fleet.simulator.process_of(&v).await;
        let answered = process["callbacks"].as_array().unwrap();
        let is_all = answered.len() >= 100 && answered.iter().all(|c| c["answer"] == 200);
        if is_all { Ok(()) } else { Err(process["callbacks"].to_string()) }
    })
    .await;
    fleet.simulator.was_asked("getProcess", early, 2).await;
    let calls = fleet.calls().await;
    let looks = looks(&calls);
    assert!(looks[v.process_id.as_str()] <= 5, "{looks:?}");
    assert!(looks[early.process_id.as_str()] <= 5, "{looks:?}");
}
