//! Assure wants to be left alone: everybody obeys, and callers are told.

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::json;
use time::OffsetDateTime;
use tokio::time::interval;

use super::harness::{
    Call, Fleet, INTAKE, Journey, NORMALISER, Plan, SIMULATOR, UPLOAD, VERIFIER, soon,
};
use crate::harness::{Answer, Ask, order};

/// What is on its way when Assure says so may still arrive within this time.
const ON_ITS_WAY_MS: u64 = 250;

/// A creation without a key, and when it was asked for and answered, in ms since 1970.
struct Asked {
    sent_ms: u64,
    answered_ms: u64,
    answer: Answer,
}

#[expect(
    clippy::disallowed_methods,
    reason = "compared with the simulator's clock, on this machine"
)]
fn now_ms() -> u64 {
    let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    u64::try_from(now).unwrap()
}

/// Ten processes that call Assure. Their tokens last shorter than Assure wants to be left alone,
/// so that somebody would ask for a new one meanwhile.
async fn ten_processes() -> Fleet {
    Plan::new()
        .replicas(INTAKE, 3)
        .replicas(UPLOAD, 2)
        .replicas(VERIFIER, 2)
        .replicas(NORMALISER, 3)
        .with(SIMULATOR, "SIMULATOR_TOKEN_LIFETIME", "2s")
        .with(VERIFIER, "PROOFLINE_CALLBACK_GRACE", "1s")
        .with(VERIFIER, "PROOFLINE_RECONCILE_INTERVAL", "1s")
        .start()
        .await
}

/// Verifications one after the other, through varying processes, until this number of them.
async fn load(fleet: &Fleet, worker: usize, count: usize) {
    for number in 0..count {
        let caller = fleet.caller_of(worker + number, worker);
        let lost = ["web", "simulate:callback-lost"];
        let tags = if number % 2 == 0 { &lost[..1] } else { &lost[..] };
        let journey = Journey::new(caller, format!("{worker} {number}"), json!({ "tags": tags }));
        let v = journey.begins().await;
        journey.is_submitted(&v).await;
        let end = journey.ends(&v).await;
        fleet.assert_went_through(&v, &end, "accepted").await;
    }
}

/// Creations without a key, at all intakes in turn, until the pause is over.
async fn creations(fleet: &Fleet) -> Vec<Asked> {
    let mut all = Vec::new();
    let mut pace = interval(Duration::from_millis(50));
    for number in 0.. {
        pace.tick().await;
        let request = fleet.caller_of(number, 0).post("/v1/verifications");
        let sent_ms = now_ms();
        let answer = request.json(&order(&json!({}))).ask().await;
        let is_refused = answer.status == 503;
        all.push(Asked { sent_ms, answered_ms: now_ms(), answer });
        // At first there are some who have not heard of it.
        let first = all.iter().find(|asked| asked.answer.status == 503);
        let is_heard = first.is_some_and(|first| now_ms() > first.answered_ms + ON_ITS_WAY_MS);
        if is_heard && !is_refused {
            break;
        }
    }
    all
}

/// The call that was answered 429, once there is one.
async fn limited(fleet: &Fleet) -> Call {
    soon("a call was limited", async || {
        let calls = fleet.calls().await;
        let limited = calls.iter().find(|call| call.status == Some(429));
        limited.cloned().ok_or_else(|| format!("{} calls", calls.len()))
    })
    .await
}

/// Under load, limits one call, and looks what everybody does.
async fn is_obeyed(operation: &str, alone_s: u64, form: &str, until_ms: impl Fn(&Call) -> u64) {
    let fleet = ten_processes().await;
    load(&fleet, 0, 2).await;
    let kind = json!({ "status": { "code": 429, "retryAfter": { form: alone_s } } });
    fleet.next_go_wrong(operation, kind, 1).await;

    let loads: FuturesUnordered<_> = (1..7).map(|worker| load(&fleet, worker, 2)).collect();
    let loads = loads.collect::<()>();
    let (asked, (), limited) = tokio::join!(creations(&fleet), loads, limited(&fleet));

    let begins = limited.answered_at_ms.unwrap() + ON_ITS_WAY_MS;
    let ends = until_ms(&limited);
    let calls = fleet.calls().await;
    let disobedient: Vec<_> =
        calls.iter().filter(|call| (begins..ends).contains(&call.at_ms)).collect();
    assert!(disobedient.is_empty(), "between {begins} and {ends}: {disobedient:#?}");
    assert!(calls.iter().any(|call| call.at_ms >= ends), "nobody goes on");
    let meanwhile = asked.iter().filter(|a| a.sent_ms >= begins && a.answered_ms < ends);
    let mut count = 0;
    for asked in meanwhile {
        let seconds = asked.answer.come_again(503, "assure-unavailable");
        assert!((1..=alone_s).contains(&seconds), "{seconds} s");
        // Whoever comes then does not come too early.
        assert!(asked.answered_ms + seconds * 1000 >= ends, "{seconds} s");
        count += 1;
    }
    // On a machine that others use there is time for a few.
    assert!(count >= 3, "{count} callers were told");
}

#[tokio::test]
async fn after_a_429_nobody_calls_for_as_many_seconds_as_it_says() {
    let until = |limited: &Call| limited.answered_at_ms.unwrap() + 5000;
    is_obeyed("getProcess", 5, "seconds", until).await;
}

#[tokio::test]
async fn after_a_429_nobody_calls_before_the_date_that_it_says() {
    // A date has whole seconds.
    let until = |limited: &Call| (limited.at_ms + 5000) / 1000 * 1000;
    is_obeyed("setImages", 5, "dateIn", until).await;
}

#[tokio::test]
async fn a_token_endpoint_that_limits_is_left_alone_as_well() {
    let until = |limited: &Call| limited.answered_at_ms.unwrap() + 3000;
    is_obeyed("token", 3, "seconds", until).await;
}

/// How many callers ask in vain.
const CALLERS: usize = 60;

#[tokio::test]
async fn assure_that_fails_all_the_time_is_left_alone_however_many_callers_ask() {
    let fleet = Plan::new().start().await;
    let away = json!({ "status": { "code": 503 } });
    fleet.simulator.goes_wrong("*", away, json!({ "when": "always" })).await;

    for _ in 0..CALLERS {
        let request = fleet.caller().post("/v1/verifications");
        let seconds =
            request.json(&order(&json!({}))).ask().await.come_again(503, "assure-unavailable");
        assert!((1..=30).contains(&seconds), "{seconds} s");
    }

    // Ten failures in a row, and one trial now and then.
    let calls = fleet.calls().await.len();
    assert!((10..CALLERS / 2).contains(&calls), "{calls} calls");

    fleet.simulator.recovers().await;
    load(&fleet, 0, 1).await;
}
