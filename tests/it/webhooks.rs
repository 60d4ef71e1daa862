//! `POST /events/{tenant}`: Assure's account-level webhook.

mod authenticity;

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use proofline_events::v1::SignalSource;
use reqwest::{Body, RequestBuilder};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::harness::{
    Answer, Ask, EVENTS_SECRET, Scene, Stage, THEIR_EVENTS_SECRET, Verification, eventually,
    everything_in, order,
};

const SIGNATURE: &str = "x-signicat-signature";
const UNKNOWN: &str = "vrf_00000000000000000000000000";

fn hmac(secret: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

fn signature(secret: &str, body: &str) -> String {
    hmac(secret, body.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// An event's nine members.
fn envelope(id: &str, tags: Value, data: Value) -> Value {
    json!({
        "id": id, "timestamp": "2026-02-03T08:15:30.1234567Z", "sender": "assure",
        "eventName": "process.complete", "eventData": data, "accountId": "a-planted",
        "organizationId": null, "expiresAt": "2026-02-04T08:15:30Z", "tags": tags,
    })
}

/// What the event of a verification's process says.
fn completed(v: &Verification) -> Value {
    json!({
        "dossierId": v.dossier_id, "processId": v.process_id, "externalReference": v.id,
        "provider": "onfido", "processType": "documentSelfie", "status": "accepted",
    })
}

fn tag(tenant: &str, id: &str) -> String {
    format!("proofline:{tenant}:{id}")
}

/// The event as Assure would send it: with the tags that the process was given.
async fn event_of(stage: &Stage, v: &Verification, id: &str) -> Value {
    let process = stage.simulator.process_of(v).await;
    envelope(id, process["eventTags"].clone(), completed(v))
}

fn post(stage: &Stage, tenant: &str, body: impl Into<Body>) -> RequestBuilder {
    let receiver = &stage.process("proofline-callback-receiver").url;
    let request = stage.caller.http.post(format!("{receiver}/events/{tenant}"));
    request.header("content-type", "application/json").body(body)
}

/// A webhook of the tenant `acme`, well signed.
async fn send(stage: &Stage, body: impl ToString) -> Answer {
    let body = body.to_string();
    let signature = signature(EVENTS_SECRET, &body);
    post(stage, "acme", body).header(SIGNATURE, signature).ask().await
}

/// The same of the tenant `other`, with its own secret.
async fn send_theirs(stage: &Stage, body: impl ToString) -> Answer {
    let body = body.to_string();
    let signature = signature(THEIR_EVENTS_SECRET, &body);
    post(stage, "other", body).header(SIGNATURE, signature).ask().await
}

/// A verification that Assure has found accepted, of which nobody has heard.
async fn an_unheard_verification(stage: &Stage) -> Verification {
    let v = stage.acts().0.a_submitted_verification(json!({})).await;
    eventually("Assure is finished", async || {
        let process = stage.simulator.process_of(&v).await;
        if process["status"] == "accepted" { Ok(()) } else { Err(process.to_string()) }
    })
    .await;
    v
}

/// Where Assure's account sends webhooks, and no callbacks are asked for.
fn by_events() -> Scene {
    Scene::new().with_webhooks().with("proofline-intake", "ASSURE_COMPLETION", "events")
}

/// The ids of the signals in the log, oldest first, as a plain NATS client reads them.
async fn signal_ids(stage: &Stage) -> Vec<String> {
    let stream = async_nats::jetstream::new(stage.nats.clone());
    let stream = stream.get_stream("VERIFICATIONS").await.unwrap();
    let last = stream.cached_info().state.last_sequence;
    let mut ids = Vec::new();
    for sequence in 1..=last {
        let message = stream.get_raw_message(sequence).await.unwrap();
        if message.subject.starts_with("proofline.v1.completion-signalled.") {
            ids.push(message.headers.get("ce-id").unwrap().to_string());
        }
    }
    ids
}

#[tokio::test]
async fn where_no_callbacks_are_asked_for_a_webhook_leads_to_the_end() {
    let stage = by_events().start().await;
    let (_, _, then) = stage.acts();
    let v = an_unheard_verification(&stage).await;
    let process = then.simulator.process_of(&v).await;
    assert_eq!(process["wantsCallback"], false, "{process}");
    let event = event_of(&stage, &v, "0123456789abcdef0123456789abcdef").await;
    assert!(event["tags"].as_array().unwrap().contains(&json!(tag("acme", &v.id))), "{event}");

    send(&stage, event).await.says_nothing(200);

    then.ends_as(&v, "accepted", "").await;
    let end = then.the_only_end().await.event;
    assert_eq!(end.signal_source(), SignalSource::Webhook);
    let told = then.told(&v, "completion-signalled").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["source"], "webhook");
    assert_eq!(told[0]["claimed_dossier_id"], v.dossier_id.as_str());
    assert_eq!(told[0]["claimed_process_id"], v.process_id.as_str());
    assert_eq!(told[0]["claimed_status"], "accepted");
    let id = format!("{}.webhook.0123456789abcdef0123456789abcdef", v.id);
    assert_eq!(signal_ids(&stage).await, [id]);
}

#[tokio::test]
async fn a_webhook_is_believed_as_little_as_a_callback_and_never_recorded_in_full() {
    let stage = by_events().start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification_at_work().await;
    let other = given.a_verification_at_work().await;
    let mut lie = completed(&other);
    lie["status"] = json!("FIKTIVA TESTPERSON");
    lie["externalReference"] = json!(other.id);
    lie["finalResult"] = json!({ "firstName": "FIKTIVA" });

    send(&stage, envelope("e1", json!([tag("acme", &v.id)]), lie)).await.says_nothing(200);
    let mut early = completed(&v);
    early["status"] = json!("rejected");
    send(&stage, envelope("e2", json!([tag("acme", &v.id)]), early)).await.says_nothing(200);
    let nothing = envelope("e3", json!([tag("acme", &v.id)]), json!(null));
    send(&stage, nothing).await.says_nothing(200);

    then.simulator.was_asked("getProcess", &v, 3).await;
    assert_eq!(then.simulator.calls_of("getProcess", &other).await, 0);
    assert_eq!(then.shows(&v).await["status"], "verifying");
    let told = then.told(&v, "completion-signalled").await;
    let claimed: Vec<_> = told.iter().map(|signal| &signal["claimed_status"]).collect();
    assert_eq!(claimed, [&Value::Null, &json!("rejected"), &Value::Null]);
    assert!(then.told(&other, "completion-signalled").await.is_empty());
    for (name, log) in stage.logs() {
        assert!(!log.contains("FIKTIVA"), "{name}");
    }
    when.simulator.finishes(&v, "inconclusive").await;
    send(&stage, event_of(&stage, &v, "e4").await).await.says_nothing(200);
    then.ends_as(&v, "inconclusive", "").await;
}

#[tokio::test]
async fn without_our_tag_the_reference_of_the_dossier_tells_which_of_the_tenants_it_is() {
    let stage = by_events().start().await;
    let then = stage.acts().2;

    for (number, tags) in
        [json!([]), json!(null), json!(["web", "proof", "line:x"])].into_iter().enumerate()
    {
        let v = an_unheard_verification(&stage).await;
        // Who has another tenant's secret reaches nothing here, with a true reference either.
        let event = envelope(&format!("e{number}"), tags, completed(&v));
        send_theirs(&stage, &event).await.says_nothing(200);
        assert!(then.told(&v, "completion-signalled").await.is_empty());

        send(&stage, &event).await.says_nothing(200);

        then.ends_as(&v, "accepted", "").await;
        assert_eq!(then.told(&v, "completion-signalled").await[0]["source"], "webhook");
    }
    let v = an_unheard_verification(&stage).await;
    let mut untagged = envelope("untagged", json!([]), completed(&v));
    untagged.as_object_mut().unwrap().remove("tags");
    send(&stage, untagged).await.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;
}

#[tokio::test]
async fn what_names_no_verification_of_this_tenant_is_200_and_no_event() {
    let stage = by_events().start().await;
    let then = stage.acts().2;
    let v = an_unheard_verification(&stage).await;
    let request = stage.stranger.post("/v1/verifications").json(&order(&json!({})));
    let theirs = Verification::of(request.ask().await);
    let referring = |reference: Value| {
        let mut data = completed(&v);
        data["externalReference"] = reference;
        data
    };

    let ignored = [
        (json!([tag("other", &theirs.id)]), completed(&theirs)),
        (json!([tag("other", &v.id)]), completed(&v)),
        (json!([]), completed(&theirs)),
        (json!([tag("acme", "nonsense")]), completed(&v)),
        (json!(["proofline:acme"]), completed(&v)),
        (json!(["proofline:"]), completed(&v)),
        (json!([]), referring(json!(UNKNOWN))),
        (json!([]), referring(json!("another system's order"))),
        (json!([]), referring(json!(null))),
        (json!([]), referring(json!(7))),
        (json!([]), json!("no object")),
        (json!(["mock"]), completed(&v)),
        (json!(["mock"]), json!({ "externalReference": "mock" })),
    ];
    for (number, (tags, data)) in ignored.into_iter().enumerate() {
        let event = envelope(&format!("e{number}"), tags, data);
        send(&stage, &event).await.says_nothing(200);
        assert_eq!(signal_ids(&stage).await, [""; 0], "{event}");
    }

    assert_eq!(then.shows(&v).await["status"], "verifying");
    send(&stage, event_of(&stage, &v, "last").await).await.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;
}

#[tokio::test]
async fn nothing_comes_of_a_tag_of_ours_that_names_no_verification() {
    let stage = by_events().start().await;
    let then = stage.acts().2;
    let v = an_unheard_verification(&stage).await;

    let data = json!({ "dossierId": "d", "processId": "p", "status": "accepted" });
    let event = envelope("e1", json!([tag("acme", UNKNOWN)]), data);
    send(&stage, event).await.says_nothing(200);

    stage.caller.look_at(UNKNOWN).ask().await.problem(404, "not-found");
    send(&stage, event_of(&stage, &v, "e2").await).await.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;
    then.the_only_end().await;
    assert!(everything_in(&stage.nats, "DEAD_LETTERS").await.is_empty());
}

#[tokio::test]
async fn a_repeated_webhook_is_200_and_stored_once() {
    let stage = by_events().start().await;
    let then = stage.acts().2;
    let v = an_unheard_verification(&stage).await;
    let event = event_of(&stage, &v, "e1").await;

    for _ in 0..3 {
        send(&stage, &event).await.says_nothing(200);
    }
    then.ends_as(&v, "accepted", "").await;
    send(&stage, &event).await.says_nothing(200);
    send(&stage, event_of(&stage, &v, "e2").await).await.says_nothing(200);

    let ids = [format!("{}.webhook.e1", v.id), format!("{}.webhook.e2", v.id)];
    assert_eq!(signal_ids(&stage).await, ids);
    then.the_only_end().await;
}

#[tokio::test]
async fn with_both_ways_a_callback_and_a_webhook_lead_to_one_end() {
    let stage = Scene::new().with_webhooks().catching_callbacks().start().await;
    let (_, when, then) = stage.acts();
    let v = an_unheard_verification(&stage).await;
    let callback = when.a_callback_is_caught().await;
    let event = event_of(&stage, &v, "e1").await;

    let (called, sent) = tokio::join!(when.calls_back(&callback), send(&stage, &event));

    called.says_nothing(200);
    sent.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;
    then.is_told(&v, "completion-signalled", 2).await;
    then.the_only_end().await;
}

#[tokio::test]
async fn with_nats_stopped_a_webhook_is_503_and_once_it_is_back_200_and_the_end_comes() {
    let stage = by_events().start().await;
    let (_, when, then) = stage.acts();
    let v = an_unheard_verification(&stage).await;
    let tagged = event_of(&stage, &v, "e1").await;
    let untagged = envelope("e2", json!([]), completed(&v));
    let mock = envelope("e3", json!(["mock"]), completed(&v)).to_string();

    when.nats_stops().await;
    let (refused, not_looked_up, ignored, forged) = tokio::join!(
        send(&stage, &tagged),
        send(&stage, &untagged),
        send(&stage, &mock),
        post(&stage, "acme", mock.clone()).header(SIGNATURE, "00").ask(),
    );

    refused.come_again(503, "storage-unavailable");
    not_looked_up.come_again(503, "storage-unavailable");
    ignored.says_nothing(200);
    forged.problem(401, "unauthorized");
    when.nats_returns().await;
    eventually("the same webhook is 200", async || {
        let answer = send(&stage, &tagged).await;
        if answer.status == 200 { Ok(()) } else { Err(answer.body.to_string()) }
    })
    .await;
    then.ends_as(&v, "accepted", "").await;
    assert_eq!(then.the_only_end().await.event.signal_source(), SignalSource::Webhook);
    assert_eq!(signal_ids(&stage).await, [format!("{}.webhook.e1", v.id)]);
}
