//! Captures of which nobody hears: reconciliation finds them, and spares Assure.

use async_nats::jetstream::consumer::PullConsumer;
use futures_util::future::join_all;
use proofline_events::v1::SignalSource;
use serde_json::json;

use super::{end_user::EndUser, id_of, orders::capture, processes_of};
use crate::{
    harness::Ask,
    harness::{Verification, order},
    resilience::harness::{Fleet, NORMALISER, Plan, VERIFIER, soon},
};

const INTERVAL_MS: u64 = 1500;

fn watchful(grace: &str) -> Plan {
    Plan::new()
        .with(VERIFIER, "PROOFLINE_CALLBACK_GRACE", grace)
        .with(NORMALISER, "PROOFLINE_CALLBACK_GRACE", grace)
        .with(VERIFIER, "PROOFLINE_RECONCILE_INTERVAL", format!("{INTERVAL_MS}ms"))
}

async fn created(fleet: &Fleet, tags: &[&str]) -> Verification {
    let order = order(&capture(&json!({ "tags": tags })));
    Verification::of(fleet.caller().post("/v1/verifications").json(&order).ask().await)
}

/// The end of a verification, which must have one only.
async fn end_of(fleet: &Fleet, v: &Verification) -> proofline_events::v1::ProcessFinished {
    soon("it has its end", async || {
        let mut ends = fleet.ends_of(&v.id).await;
        if ends.len() == 1 { Ok(ends.remove(0).event) } else { Err(format!("{ends:?}")) }
    })
    .await
}

#[tokio::test]
async fn ten_whose_end_users_and_callbacks_are_lost_are_found_by_one_list_an_interval() {
    let fleet = watchful("1s").start().await;
    let end_user = EndUser::new(&fleet.caller().http);
    let outcomes = ["accepted", "rejected"];
    let all = join_all((0..10).map(async |number| {
        let v = created(&fleet, &["simulate:callback-lost"]).await;
        end_user.is_sent_back(&v, outcomes[number % 2]).await;
        v
    }))
    .await;
    // Two whose end-users have not been there, or are not done.
    let never = created(&fleet, &[]).await;
    let open = created(&fleet, &[]).await;
    end_user.opens(&open).await;

    for (number, v) in all.iter().enumerate() {
        let end = end_of(&fleet, v).await;
        let outcome = format!("OUTCOME_{}", outcomes[number % 2].to_uppercase());
        assert_eq!(end.outcome().as_str_name(), outcome);
        assert_eq!(end.signal_source(), SignalSource::Reconciliation);
        assert_eq!(end.process_id, id_of(&processes_of(&fleet.simulator, v).await[0]));
    }

    let calls = fleet.calls().await;
    let lists: Vec<_> = calls.iter().filter(|c| c.is("listProcesses")).map(|c| c.at_ms).collect();
    assert!(!lists.is_empty() && lists.len() < all.len() / 2, "{lists:?}");
    for pair in lists.windows(2) {
        assert!(pair[1] - pair[0] >= INTERVAL_MS / 2, "{lists:?}");
    }
    for v in &all {
        let process = &processes_of(&fleet.simulator, v).await[0];
        let looks = calls.iter().filter(|c| c.is("getProcess") && c.path.ends_with(id_of(process)));
        assert_eq!(looks.count(), 1, "one look is enough");
    }
    fleet.is_at_rest().await;
    for v in [&never, &open] {
        assert!(fleet.ends_of(&v.id).await.is_empty());
    }
}

#[tokio::test]
async fn after_a_return_the_check_comes_after_the_grace_and_not_six_times_the_grace() {
    // Six times the grace would be half a minute, and the looks after a return are at 0, 1, 4 and
    // 14 s: what is final after 4.5 s is found first by the check at 5 s.
    let fleet = watchful("5s").start().await;
    let end_user = EndUser::new(&fleet.caller().http);
    let tags = ["simulate:callback-lost", "simulate:processing-time=4500ms"];
    let v = created(&fleet, &tags).await;

    end_user.goes_through(&v, "accepted").await;

    let end = end_of(&fleet, &v).await;
    assert_eq!(end.outcome().as_str_name(), "OUTCOME_ACCEPTED");
    assert_eq!(end.signal_source(), SignalSource::Reconciliation);
}

#[tokio::test]
async fn a_creation_that_was_completed_late_is_found_as_the_others_are() {
    let fleet = watchful("200ms").start().await;
    let end_user = EndUser::new(&fleet.caller().http);
    let away = json!({ "status": { "code": 503, "body": "empty" } });
    fleet.next_go_wrong("startCapture", away, 1).await;
    let order = order(&capture(&json!({ "tags": ["simulate:callback-lost"] })));
    let attempt = || {
        let request = fleet.caller().post("/v1/verifications").json(&order);
        request.header("idempotency-key", "late").ask()
    };
    attempt().await.problem(503, "assure-unavailable");
    // Six times the grace goes by, and with it the check that came with the request.
    let jetstream = async_nats::jetstream::new(fleet.nats.clone());
    soon("the check has come", async || {
        let mut checks: PullConsumer =
            jetstream.get_consumer_from_stream("verifier-check", "TIMERS").await.unwrap();
        let info = checks.info().await.unwrap();
        let is_done = info.delivered.consumer_sequence > 0 && info.num_ack_pending == 0;
        if is_done { Ok(()) } else { Err(format!("{:?}", info.delivered)) }
    })
    .await;

    let v = Verification::of(attempt().await);
    end_user.is_sent_back(&v, "accepted").await;

    let end = end_of(&fleet, &v).await;
    assert_eq!(end.signal_source(), SignalSource::Reconciliation);
}
