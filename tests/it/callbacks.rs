//! What comes in at the one door that is open to strangers.

use futures_util::future::join_all;
use proofline_events::v1::{Outcome, SignalSource};
use reqwest::{Method, header::DATE};
use serde_json::{Value, json};

use crate::harness::{Answer, Ask, Caught, Scene, Stage, Verification, eventually, jpeg};

/// A verification that Assure has found accepted, and the callback that says so, still in our hand.
async fn a_caught_callback(stage: &Stage) -> (Verification, Caught) {
    let (given, when, _) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    let callback = when.a_callback_is_caught().await;
    assert_eq!(callback.body["processId"], v.process_id.as_str());
    (v, callback)
}

/// What a stranger can tell of an answer.
fn seen_from_outside(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != DATE);
    let headers = headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
    (answer.status, headers, String::from_utf8_lossy(&answer.bytes).into_owned())
}

#[tokio::test]
async fn a_callback_that_is_not_authentic_is_401_and_tells_a_stranger_nothing() {
    let stage = Scene::new().catching_callbacks().start().await;
    let (given, when, then) = stage.acts();
    let (v, genuine) = a_caught_callback(&stage).await;
    let (_, of_another) = a_caught_callback(&stage).await;
    let (key_id, rest) = genuine.token.split_once('.').unwrap();
    let mut altered = rest.to_owned();
    let middle = altered.len() / 2;
    let other = if &altered[middle..=middle] == "A" { "B" } else { "A" };
    altered.replace_range(middle..=middle, other);
    let waiting = given.a_verification(json!({})).await;

    let tokens = [
        "guessed".to_owned(),
        "a.guessed".to_owned(),
        format!("{key_id}.{altered}"),
        format!("other1.{rest}"),
        rest.to_owned(),
        waiting.upload_token("front").to_owned(),
    ];
    let authorizations = [
        None,
        Some("Bearer guessed".to_owned()),
        Some(genuine.authorization.clone().unwrap().to_lowercase()),
        of_another.authorization.clone(),
        Some(format!("Bearer {}", stage.caller.key)),
    ];
    let mut attempts: Vec<_> =
        tokens.map(|token| Caught { token, ..genuine.clone() }).into_iter().collect();
    attempts
        .extend(authorizations.map(|authorization| Caught { authorization, ..genuine.clone() }));
    let mut answers = Vec::new();
    for attempt in &attempts {
        answers.push(when.calls_back(attempt).await);
    }
    // Before the body is read: neither its size nor its form makes a difference.
    let unauthorized = Caught { authorization: None, ..genuine.clone() };
    answers.push(when.calls_back_with(&unauthorized, "{").await);
    answers.push(when.calls_back_with(&unauthorized, "").await);

    answers[0].problem(401, "unauthorized");
    assert!(answers[0].header("www-authenticate").is_some());
    let first = seen_from_outside(&answers[0]);
    for answer in &answers {
        assert_eq!(seen_from_outside(answer), first);
    }
    assert!(then.told(&v, "completion-signalled").await.is_empty());
    assert!(then.told(&waiting, "completion-signalled").await.is_empty());
    when.calls_back(&genuine).await.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;
}

#[tokio::test]
async fn a_capability_is_good_for_nothing_but_its_purpose() {
    let stage = Scene::new().catching_callbacks().start().await;
    let (given, when, then) = stage.acts();
    let (v, callback) = a_caught_callback(&stage).await;
    let waiting = given.a_verification(json!({})).await;

    let token = waiting.upload_token("front").to_owned();
    let with_upload_token = Caught { token, ..callback.clone() };
    let refused = when.calls_back(&with_upload_token).await;
    let url =
        format!("{}?token={}", v.upload_url("front").split_once('?').unwrap().0, callback.token);
    let upload = stage.caller.http.put(url).body(jpeg("front")).ask().await;

    refused.problem(401, "unauthorized");
    upload.problem(403, "upload-url-invalid");
    assert_eq!(then.shows(&waiting).await["images"], json!([]));
}

#[tokio::test]
async fn another_verifications_ids_and_a_lying_status_change_no_outcome() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let mine = given.a_verification_at_work().await;
    let other = given.a_verification_at_work().await;
    let lies = [
        json!({ "status": "accepted" }),
        json!({ "status": "Rejected" }),
        json!({ "dossierId": other.dossier_id, "processId": other.process_id, "status": "failed" }),
        json!({ "dossierId": "nonsense", "processId": "nonsense", "status": "canceled" }),
        json!({ "status": "processing" }),
        json!({ "status": "FIKTIVA TESTPERSON" }),
    ];

    for lie in &lies {
        assert_eq!(when.simulator.calls_back(&mine, lie.clone()).await["answer"], 200, "{lie}");
    }

    // Each makes somebody look, and nothing else.
    then.simulator.was_asked("getProcess", &mine, lies.len()).await;
    assert_eq!(then.simulator.calls_of("getProcess", &other).await, 0);
    for v in [&mine, &other] {
        assert_eq!(then.shows(v).await["status"], "verifying");
    }
    let told = then.told(&mine, "completion-signalled").await;
    assert_eq!(told.len(), lies.len());
    assert_eq!(told[2]["claimed_process_id"], other.process_id.as_str());
    assert_eq!(told[2]["claimed_status"], "failed");
    assert_eq!(told[5]["claimed_status"], Value::Null, "it may be personal data");
    assert!(then.told(&other, "completion-signalled").await.is_empty());

    when.simulator.finishes(&mine, "rejected").await;
    then.ends_as(&mine, "rejected", "").await;
    when.simulator.finishes(&other, "inconclusive").await;
    then.ends_as(&other, "inconclusive", "").await;
    assert_eq!(
        when.simulator.calls_back(&mine, json!({ "status": "accepted" })).await["answer"],
        200
    );
    then.ends_as(&mine, "rejected", "").await;
    assert_eq!(then.ends().await.len(), 2);
}

#[tokio::test]
async fn a_callback_before_the_end_does_not_lose_the_end() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let tags =
        ["simulate:callback-early", "simulate:callback-lost", "simulate:get-process-lag=200ms"];

    let v = given.a_submitted_verification(json!({ "tags": tags })).await;

    // It claimed an end, so whoever looked too early looks again.
    then.ends_as(&v, "accepted", "").await;
    assert_eq!(then.told(&v, "completion-signalled").await.len(), 1);
}

#[tokio::test]
async fn a_repeated_callback_is_200_and_stored_once() {
    let stage = Scene::new().catching_callbacks().start().await;
    let (_, when, then) = stage.acts();
    let (v, callback) = a_caught_callback(&stage).await;
    let text = |name: &str| callback.body[name].to_string();
    let (dossier, process, status) = (text("dossierId"), text("processId"), text("status"));
    let same = [
        format!("{{\"dossierId\":{dossier},\"processId\":{process},\"status\":{status}}}"),
        format!("{{ \"status\" : {status},\n\"processId\":{process},\"dossierId\":{dossier} }}"),
        format!(
            "{{\"dossierId\":{dossier},\"processId\":{process},\"status\":{status},\"new\":[1]}}"
        ),
    ];

    let at_once = join_all((0..5).map(|_| when.calls_back(&callback))).await;
    at_once.into_iter().for_each(|answer| answer.says_nothing(200));
    for body in same {
        when.calls_back_with(&callback, body).await.says_nothing(200);
    }
    then.ends_as(&v, "accepted", "").await;
    when.calls_back(&callback).await.says_nothing(200);

    assert_eq!(then.told(&v, "completion-signalled").await.len(), 1);
    assert_eq!(then.ends().await.len(), 1);
    let mut different = callback.clone();
    different.body["status"] = json!("rejected");
    when.calls_back(&different).await.says_nothing(200);
    assert_eq!(then.told(&v, "completion-signalled").await.len(), 2);
    let path = format!("proofline.v1.completion-signalled.acme.{}", v.id);
    let stream = async_nats::jetstream::new(stage.nats.clone());
    let stream = stream.get_stream("VERIFICATIONS").await.unwrap();
    let stored = stream.get_last_raw_message_by_subject(&path).await.unwrap();
    let id = stored.headers.get("ce-id").unwrap().as_str();
    let hash = id.strip_prefix(&format!("{}.callback.", v.id)).unwrap();
    assert!(hash.len() >= 32 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    assert_eq!(stored.headers.get("Nats-Msg-Id").unwrap().as_str(), id);
    then.ends_as(&v, "accepted", "").await;
    assert_eq!(then.ends().await.len(), 1);
}

#[tokio::test]
async fn what_is_no_callback_is_refused() {
    let stage = Scene::new().catching_callbacks().start().await;
    let (_, when, then) = stage.acts();
    let (v, callback) = a_caught_callback(&stage).await;

    for body in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        r#"{"dossierId":"d","processId":"p"}"#,
        r#"{"dossierId":1,"processId":"p","status":"accepted"}"#,
        r#"{"dossierId":"d","processId":null,"status":"accepted"}"#,
        r#"{"dossierId":"d","processId":"p","status":["accepted"]}"#,
        "{\"dossierId\":\"\u{fffd}",
    ] {
        when.calls_back_with(&callback, body).await.problem(400, "malformed");
    }
    let large = json!({
        "dossierId": "d", "processId": "p", "status": "accepted", "more": "x".repeat(64 * 1024),
    });
    let answer = when.calls_back_with(&callback, large.to_string()).await;
    answer.problem(413, "payload-too-large");
    let large = futures_util::stream::iter([Ok::<_, std::io::Error>(large.to_string())]);
    let answer = when.calls_back_with(&callback, reqwest::Body::wrap_stream(large)).await;
    answer.problem(413, "payload-too-large");

    let receiver = &stage.process("proofline-callback-receiver").url;
    let url = format!("{receiver}/callbacks/{}", callback.token);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = stage.caller.http.request(method, &url).ask().await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.header("allow"), Some("POST"));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    stage.caller.http.post(format!("{receiver}/callbacks/")).ask().await.problem(404, "not-found");
    assert!(then.told(&v, "completion-signalled").await.is_empty());
}

#[tokio::test]
async fn with_nats_stopped_a_callback_is_503_and_once_it_is_back_200_and_the_event_comes() {
    let stage = Scene::new().catching_callbacks().start().await;
    let (given, when, then) = stage.acts();
    let (v, callback) = a_caught_callback(&stage).await;
    let waiting = given.a_verification(json!({})).await;

    when.nats_stops().await;
    let (refused, creation, look, upload) = tokio::join!(
        when.calls_back(&callback),
        when.creates(json!({})),
        stage.caller.look_at(&v.id).ask(),
        when.uploads(&waiting, "front", jpeg("front")),
    );

    refused.come_again(503, "storage-unavailable");
    creation.come_again(503, "storage-unavailable");
    look.come_again(503, "storage-unavailable");
    upload.come_again(503, "storage-unavailable");
    for service in crate::harness::SERVICES {
        stage.readiness_becomes(service, 503).await;
        let alive = format!("{}/livez", stage.process(service).admin_url);
        stage.caller.http.get(alive).ask().await.is(200);
    }

    when.nats_returns().await;
    eventually("the same callback is 200", async || {
        let answer = when.calls_back(&callback).await;
        if answer.status == 200 { Ok(()) } else { Err(answer.body.to_string()) }
    })
    .await;
    for service in crate::harness::SERVICES {
        stage.becomes_ready(service).await;
    }
    then.ends_as(&v, "accepted", "").await;
    let end = then.the_only_end().await;
    assert_eq!(end.event.verification_id, v.id);
    assert_eq!(end.event.outcome(), Outcome::Accepted);
    assert_eq!(end.event.signal_source(), SignalSource::Callback);
    assert_eq!(then.told(&v, "completion-signalled").await.len(), 1);
}
