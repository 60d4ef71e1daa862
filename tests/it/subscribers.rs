//! What internal services are told, with nothing but a NATS client and `proto/`.

use std::{collections::BTreeSet, time::Duration};

use async_nats::jetstream;
use proofline_events::v1::{Flow, Outcome, SignalSource};
use serde_json::json;

use crate::harness::{Ask, End, Stage, Verification, ends_of, order, time_of};

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
