//! Whatever goes wrong at Assure once: the verification ends as it would have.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::harness::{Fleet, Journey, Plan, VERIFIER};

/// Every call on the way of a verification.
const STEPS: [&str; 7] = [
    "token",
    "createDossier",
    "setUserData",
    "createProcess",
    "setImages",
    "startVerification",
    "getProcess",
];

/// Every step suffers this once, on the way of one verification.
async fn suffers(fleet: &Fleet, number: usize, kind: &Value, carried_out: bool) {
    let case = format!("{kind}, carried out: {carried_out}");
    // Whoever had a token needs a new one.
    fleet.tokens_are_revoked().await;
    for step in STEPS {
        let more = json!({ "when": { "next": 1 }, "carriedOut": carried_out });
        fleet.simulator.goes_wrong(step, kind.clone(), more).await;
    }
    let members = json!({ "user_data": { "firstName": "INGA" } });
    let journey = Journey::new(fleet.caller(), format!("{number}"), members);

    let (v, end) = journey.goes().await;

    fleet.assert_went_through(&v, &end, "accepted").await;
    for fault in fleet.faults().await {
        assert_eq!(fault["fired"], 1, "{case}: {fault}");
    }
    fleet.simulator.recovers().await;
}

async fn each_step_suffers(kinds: &[Value], carried_out: &[bool]) {
    let fleet = Plan::new().start().await;
    let mut number = 0;
    for kind in kinds {
        for carried_out in carried_out {
            suffers(&fleet, number, kind, *carried_out).await;
            number += 1;
        }
    }
    let dossiers = fleet.simulator.dossiers().await;
    assert_eq!(dossiers.len(), number, "orphans are left: {dossiers:?}");
}

#[tokio::test]
async fn errors_at_any_step_change_no_end() {
    let statuses = [
        json!({ "status": { "code": 401, "body": "platform" } }),
        json!({ "status": { "code": 500 } }),
        json!({ "status": { "code": 503, "body": "html" } }),
    ];
    each_step_suffers(&statuses, &[false]).await;
}

#[tokio::test]
async fn errors_after_the_deed_at_any_step_change_no_end() {
    each_step_suffers(&[json!({ "status": { "code": 504, "body": "empty" } })], &[true]).await;
}

#[tokio::test]
async fn slow_and_broken_answers_at_any_step_change_no_end() {
    each_step_suffers(&[json!({ "slow": { "ms": 300 } }), json!("reset")], &[false, true]).await;
}

#[tokio::test]
async fn answers_that_make_no_sense_at_any_step_change_no_end() {
    each_step_suffers(&[json!("garbage")], &[false, true]).await;
    each_step_suffers(&[json!("cutOff")], &[true]).await;
}

#[tokio::test]
async fn a_token_revoked_at_any_time_is_replaced() {
    let fleet = Plan::new().start().await;
    let journey = Journey::new(fleet.caller(), "k", json!({ "tags": ["simulate:rejected"] }));

    fleet.tokens_are_revoked().await;
    let v = journey.begins().await;
    fleet.tokens_are_revoked().await;
    let started = fleet.told("verification-started").await;
    journey.is_submitted(&v).await;
    started.await;
    fleet.tokens_are_revoked().await;
    let end = journey.ends(&v).await;

    fleet.assert_went_through(&v, &end, "rejected").await;
}

#[tokio::test]
async fn callbacks_that_come_doubled_early_late_or_lying_change_no_end() {
    let fleet = Plan::new()
        .with(VERIFIER, "PROOFLINE_CALLBACK_GRACE", "2s")
        .with(VERIFIER, "PROOFLINE_RECONCILE_INTERVAL", "1s")
        .start()
        .await;
    let cases: [(&str, &[&str]); 11] = [
        ("accepted", &["callback-doubled"]),
        ("rejected", &["rejected", "callback-copies=7"]),
        ("accepted", &["callback-early", "processing-time=1s"]),
        ("accepted", &["callback-early", "callback-lost"]),
        ("accepted", &["callback-lie=rejected"]),
        ("rejected", &["rejected", "callback-lie=accepted", "callback-early"]),
        ("failed", &["failed", "callback-lie=never-heard-of"]),
        ("accepted", &["callback-delay=3s"]),
        ("accepted", &["get-process-lag=1500ms"]),
        ("inconclusive", &["inconclusive", "get-process-lag=500ms", "callback-doubled"]),
        ("rejected", &["rejected", "get-process-lag=3s", "callback-lie=accepted"]),
    ];
    let all = cases.iter().enumerate().map(async |(number, (outcome, words))| {
        let tags: Vec<_> = words.iter().map(|word| format!("simulate:{word}")).collect();
        let journey = Journey::new(fleet.caller(), format!("{number}"), json!({ "tags": tags }));
        let (v, end) = journey.goes().await;
        (outcome, v, end)
    });

    for (outcome, v, end) in join_all(all).await {
        fleet.assert_went_through(&v, &end, outcome).await;
    }
}
