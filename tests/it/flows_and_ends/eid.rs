//! The eID flow: final when the end-user is back.

use std::time::Duration;

use proofline_events::v1::SignalSource;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{end_user::EndUser, orders::eid};
use crate::harness::{Ask, Stage, Verification};

/// How soon after the return the answer is there.
const AT_ONCE: Duration = Duration::from_secs(3);

/// Lets an end-user log in, and the caller wait for the end; how long that took after the return.
async fn logs_in(stage: &Stage, v: &Verification, word: &str) -> (Value, Duration) {
    let end_user = EndUser::new(&stage.caller.http);
    let back = end_user.is_sent_back(v, word).await;
    let began = Instant::now();
    assert_eq!(end_user.goes_to(&back).await.status, 303);
    let waiting = stage.caller.look_at(&v.id).header("prefer", "wait=20");
    let answer = waiting.timeout(Duration::from_secs(30)).ask().await;
    assert_eq!(answer.header("preference-applied"), Some("wait=20"));
    (answer.is(200), began.elapsed())
}

#[tokio::test]
async fn whoever_waits_after_the_return_is_answered_at_once_also_without_a_callback() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    for (outcome, reason, tags) in [
        ("accepted", "", json!([])),
        ("accepted", "", json!(["simulate:callback-lost"])),
        ("rejected", "", json!(["simulate:callback-lost"])),
        ("canceled", "canceled-by-end-user", json!(["simulate:callback-lost"])),
        ("failed", "provider-failed", json!(["simulate:callback-lost"])),
    ] {
        let is_lost = tags != json!([]);
        let v = given.a_verification(eid(&json!({ "tags": tags }))).await;
        assert_eq!(v.created["status"], "awaiting_end_user");

        let (seen, took) = logs_in(&stage, &v, outcome).await;

        assert_eq!(seen["outcome"], outcome, "{seen}");
        assert_eq!(seen["reason"]["code"].as_str().unwrap_or_default(), reason);
        assert_eq!(
            (&seen["next_action"], &seen["process_id"]),
            (&Value::Null, &json!(v.process_id))
        );
        assert!(took < AT_ONCE, "{outcome} after {took:?}");
        let end = then.ends().await.pop().unwrap().event;
        assert_eq!(end.verification_id, v.id);
        if is_lost {
            assert_eq!(end.signal_source(), SignalSource::Return);
        }
        let result = then.result(&v).await;
        assert_eq!(result["final_result"], Value::Null);
        assert_eq!(result["user_info"].is_object(), outcome == "accepted", "{result}");
    }
}

#[tokio::test]
async fn an_end_that_shows_only_after_the_return_is_looked_for_until_it_is_there() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    for (late, looks) in [
        (json!(["simulate:return-first", "simulate:processing-time=2s"]), 3),
        (json!(["simulate:get-process-lag=600ms"]), 2),
    ] {
        let mut tags = late.as_array().unwrap().clone();
        tags.push(json!("simulate:callback-lost"));
        let v = given.a_verification(eid(&json!({ "tags": tags }))).await;

        let (seen, _) = logs_in(&stage, &v, "accepted").await;

        assert_eq!(seen["outcome"], "accepted", "{seen}");
        let end = then.ends().await.pop().unwrap().event;
        assert_eq!(end.signal_source(), SignalSource::Return);
        // At once, after one second, after three more: and no more often than that.
        assert_eq!(then.simulator.calls_of("getProcess", &v).await, looks, "{late}");
    }
}
