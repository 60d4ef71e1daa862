//! All the ways in which a verification ends.

use proofline_events::v1::{Outcome, SignalSource};
use serde_json::{Value, json};

use crate::harness::{Ask, End, Scene, Stage, Verification, jpeg};

/// What the one end of a verification says.
async fn end_of(stage: &Stage, v: &Verification) -> End {
    let mut ends = stage.acts().2.ends().await;
    ends.retain(|end| end.event.verification_id == v.id);
    assert_eq!(ends.len(), 1, "{ends:?}");
    ends.remove(0)
}

#[tokio::test]
async fn each_final_status_of_assures_is_an_outcome() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let cases = [
        ("rejected", "rejected", "", "rejected"),
        ("inconclusive", "inconclusive", "", "inconclusive"),
        ("canceled", "canceled", "canceled-by-end-user", "canceled"),
        ("failed", "failed", "provider-failed", "failed"),
        ("status=escalated", "inconclusive", "unknown-status", "escalated"),
    ];
    let mut all = Vec::new();
    for (word, ..) in cases {
        let tags = json!({ "tags": [format!("simulate:{word}")] });
        all.push(given.a_submitted_verification(tags).await);
    }

    for (v, (word, outcome, reason, status)) in all.iter().zip(cases) {
        then.ends_as(v, outcome, reason).await;
        let end = end_of(&stage, v).await.event;
        assert_eq!(end.outcome().as_str_name().to_lowercase(), format!("outcome_{outcome}"));
        assert_eq!((end.reason_code.as_str(), end.assure_status.as_str()), (reason, status));
        assert_eq!(end.signal_source(), SignalSource::Callback);
        let result = then.result(v).await;
        assert_eq!(result["outcome"], outcome, "{word}");
        assert_eq!(result["final_result"], Value::Null, "{word}");
        assert_eq!(result["process"]["status"], status);
    }
}

#[tokio::test]
async fn a_verification_that_is_canceled_before_submission_ends_canceled() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_complete_verification(json!({})).await;

    when.cancels(&v).await.is(202);
    when.cancels(&v).await.is(202);
    let seen = then.ends_as(&v, "canceled", "canceled-by-caller").await;
    when.cancels(&v).await.is(202);

    assert!(!seen["reason"]["message"].as_str().unwrap().is_empty());
    when.uploads(&v, "front", jpeg("front")).await.problem(409, "already-finished");
    when.submits(&v).await.problem(409, "already-finished");
    assert_eq!(then.told(&v, "cancellation-requested").await.len(), 1);
    let end = end_of(&stage, &v).await.event;
    assert_eq!(end.outcome(), Outcome::Canceled);
    assert_eq!(end.reason_code, "canceled-by-caller");
    assert_eq!(end.signal_source(), SignalSource::Unspecified);
    assert_eq!(then.result(&v).await["outcome"], "canceled");
    assert_eq!(then.simulator.calls_of("startVerification", &v).await, 0);
    then.simulator.forgets(&v).await;
}

#[tokio::test]
async fn a_verification_at_work_can_be_canceled_and_stays_so() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification_at_work().await;

    when.cancels(&v).await.is(202);
    then.ends_as(&v, "canceled", "canceled-by-caller").await;

    // Onfido's processes can't be deleted while they are worked on.
    when.simulator.finishes(&v, "accepted").await;
    then.is_told(&v, "completion-signalled", 1).await;
    then.ends_as(&v, "canceled", "canceled-by-caller").await;
    assert_eq!(end_of(&stage, &v).await.event.outcome(), Outcome::Canceled);
    then.simulator.forgets(&v).await;
}

#[tokio::test]
async fn what_assure_has_found_counts_more_than_a_cancellation_that_came_late() {
    let stage = Scene::new().catching_callbacks().start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    let callback = when.a_callback_is_caught().await;

    when.cancels(&v).await.is(202);
    then.ends_as(&v, "accepted", "").await;
    when.calls_back(&callback).await.says_nothing(200);

    assert_eq!(then.result(&v).await["final_result"]["first_name"], "INGA");
    assert_eq!(end_of(&stage, &v).await.event.outcome(), Outcome::Accepted);
}

#[tokio::test]
async fn what_ended_otherwise_cannot_be_canceled() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    then.ends_as(&v, "accepted", "").await;

    when.cancels(&v).await.problem(409, "already-finished");

    then.ends_as(&v, "accepted", "").await;
    assert!(then.told(&v, "cancellation-requested").await.is_empty());
}

#[tokio::test]
async fn a_start_that_assure_refuses_ends_it_failed() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();

    let v = given.a_submitted_verification(json!({ "tags": ["simulate:start-refused"] })).await;

    then.ends_as(&v, "failed", "start-refused").await;
    let told = then.told(&v, "start-refused").await;
    assert_eq!(told[0]["reason_code"], "start-refused");
    assert_eq!(told[0]["http_status"], 400);
    assert!(told[0]["assure_trace_id"].is_string(), "{}", told[0]);
    let end = end_of(&stage, &v).await.event;
    assert_eq!(end.outcome(), Outcome::Failed);
    assert_eq!(
        (end.reason_code.as_str(), end.assure_status.as_str()),
        ("start-refused", "pending")
    );
    assert!(then.told(&v, "verification-started").await.is_empty());
}

#[tokio::test]
async fn a_start_whose_answer_was_lost_counts_as_a_start() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let lost_answer = json!({ "carriedOut": true, "when": { "next": 1 } });
    when.simulator.goes_wrong("startVerification", json!("reset"), lost_answer).await;
    let tags = json!({ "tags": ["simulate:never-finishes"] });

    let v = given.a_submitted_verification(tags).await;

    then.reaches(&v, "verifying").await;
    assert!(then.told(&v, "start-refused").await.is_empty());
    when.simulator.finishes(&v, "accepted").await;
    then.ends_as(&v, "accepted", "").await;
}

#[tokio::test]
async fn a_process_that_is_gone_from_assure_ends_it_failed() {
    let stage = Scene::new().catching_callbacks().start().await;
    let (given, when, then) = stage.acts();
    let before = given.a_complete_verification(json!({})).await;
    let after = given.a_submitted_verification(json!({})).await;
    let callback = when.a_callback_is_caught().await;

    when.simulator.loses(&before).await;
    when.submits(&before).await.is(202);
    when.simulator.loses(&after).await;
    when.calls_back(&callback).await.says_nothing(200);

    for v in [&before, &after] {
        then.ends_as(v, "failed", "process-gone").await;
        let result = then.result(v).await;
        assert_eq!(result["outcome"], "failed");
        assert_eq!(result["process"], Value::Null);
    }
}

#[tokio::test]
async fn at_the_deadline_assure_is_asked_once_more_and_then_it_has_expired() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let never = "simulate:never-finishes";
    let lost = "simulate:callback-lost";
    let waiting = given.a_verification(json!({ "expires_in_seconds": 1 })).await;
    let at_work = json!({ "expires_in_seconds": 3, "tags": [never] });
    let at_work = given.a_submitted_verification(at_work).await;
    let unheard = json!({ "expires_in_seconds": 3, "tags": [lost] });
    let unheard = given.a_submitted_verification(unheard).await;

    then.ends_as(&waiting, "expired", "never-submitted").await;
    then.ends_as(&at_work, "expired", "no-result").await;
    then.ends_as(&unheard, "accepted", "").await;

    for (v, outcome, status) in [
        (&waiting, Outcome::Expired, "pending"),
        (&at_work, Outcome::Expired, "processing"),
        (&unheard, Outcome::Accepted, "accepted"),
    ] {
        let end = end_of(&stage, v).await.event;
        assert_eq!((end.outcome(), end.assure_status.as_str()), (outcome, status));
        assert_eq!(end.signal_source(), SignalSource::Deadline);
        let told = then.told(v, "completion-signalled").await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["source"], "deadline");
    }
    when.uploads(&waiting, "front", jpeg("late")).await.problem(409, "already-finished");
    // The first end stays, whatever Assure says later.
    when.simulator.finishes(&at_work, "accepted").await;
    then.is_told(&at_work, "completion-signalled", 2).await;
    then.ends_as(&at_work, "expired", "no-result").await;
    end_of(&stage, &at_work).await;
}

#[tokio::test]
async fn the_default_deadline_is_a_setting() {
    let stage =
        Scene::new().with("proofline-intake", "PROOFLINE_EXPIRES_AFTER", "1s").start().await;
    let (given, _, then) = stage.acts();

    let v = given.a_verification(json!({})).await;

    then.ends_as(&v, "expired", "never-submitted").await;
    let path = format!("/v1/verifications/{}/result", v.id);
    assert_eq!(stage.caller.get(&path).ask().await.is(200)["outcome"], "expired");
}
