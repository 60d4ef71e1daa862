//! What nobody means to send, and what somebody may store all the same.

use async_nats::{HeaderMap, jetstream};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::harness::{Ask, Scene, Stage, Verification, eventually, jpeg, order};

#[tokio::test]
async fn an_address_that_is_no_text_is_answered_as_any_other_that_names_nothing() {
    let stage = Stage::start().await;
    let caller = &stage.caller;
    let v = stage.acts().0.a_verification(json!({})).await;
    let receiver = &stage.process("proofline-callback-receiver").url;
    let nobody = |method: Method, url: String| caller.http.request(method, url);

    for (id, depiction) in [(v.id.as_str(), "%ff"), ("%ff", "front"), ("%ff", "%c3%28")] {
        let answer = caller.put_image(id, depiction).body(jpeg("x")).ask().await;
        answer.problem(404, "not-found");
    }
    for path in ["/callbacks/%ff", "/callbacks/a.%ff%fe", "/events/%ff"] {
        let answer = nobody(Method::POST, format!("{receiver}{path}")).body("{}").ask().await;
        answer.problem(401, "unauthorized");
    }
    for (method, path) in [
        (Method::GET, "/v1/verifications/%ff"),
        (Method::DELETE, "/v1/verifications/%ff"),
        (Method::POST, "/v1/verifications/%ff/submit"),
        (Method::GET, "/v1/verifications/%ff/result"),
    ] {
        caller.api(method.clone(), path).ask().await.problem(404, "not-found");
        let answer = nobody(method, format!("{}{path}", caller.api)).ask().await;
        answer.problem(401, "unauthorized");
    }
}

#[tokio::test]
async fn without_an_api_key_nobody_learns_which_addresses_there_are() {
    let stage = Stage::start().await;
    let caller = &stage.caller;

    for path in ["/v1/nothing", "/v1/", "/v1/verifications/a/b/c/d"] {
        caller.get(path).ask().await.problem(404, "not-found");
        let answer = caller.http.get(format!("{}{path}", caller.api)).ask().await;
        answer.problem(401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    let url = format!("{}/v1/verifications", caller.api);
    let method = caller.http.request(Method::PATCH, url).ask().await;
    method.problem(401, "unauthorized");
}

#[tokio::test]
async fn an_array_of_three_texts_is_no_callback() {
    let stage = Scene::new().catching_callbacks().start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    let callback = when.a_callback_is_caught().await;

    let array = json!([v.dossier_id, v.process_id, "accepted"]).to_string();
    when.calls_back_with(&callback, array).await.problem(400, "malformed");

    assert!(then.told(&v, "completion-signalled").await.is_empty());
}

#[tokio::test]
async fn what_is_told_of_a_request_full_of_faults_is_bounded() {
    const MANY: usize = 10_000;
    const BOUND: usize = 32 * 1024;
    let stage = Stage::start().await;
    let (given, when, _) = stage.acts();
    let many: Map<String, Value> =
        (0..MANY).map(|number| (format!("member{number}"), json!(number))).collect();
    let with = |name: &str, value: Value| order(&json!({ name: value }));
    let mut unknown = order(&json!({}));
    unknown.as_object_mut().unwrap().extend(many.clone());
    let mut long = order(&json!({}));
    long["x".repeat(900_000)] = json!(1);
    let mut document = many.clone();
    document.insert("type".to_owned(), json!("passport"));

    for body in [
        unknown,
        long,
        with("document", document.into()),
        with("tags", vec![Value::Null; MANY].into()),
        with("submit_when", vec![json!("portrait"); MANY].into()),
        with("reference", json!("x".repeat(900_000))),
        with("provider", json!("x".repeat(900_000))),
        with("flow", json!("x".repeat(900_000))),
    ] {
        let answer = when.caller.post("/v1/verifications").json(&body).ask().await;
        assert!(!answer.pointers().is_empty());
        assert!(answer.bytes.len() < BOUND, "{} bytes", answer.bytes.len());
    }
    let v = given.a_complete_verification(json!({})).await;
    let path = format!("/v1/verifications/{}/submit", v.id);
    let answer = when.caller.post(&path).json(&many).ask().await;
    assert!(answer.pointers().len() > 1);
    assert!(answer.bytes.len() < BOUND, "{} bytes", answer.bytes.len());
    assert!(stage.simulator.count_of("createDossier").await == 1, "only the one that is right");
}

/// Somebody who may append signals stores nonsense as one: bare, with headers that fit, with
/// another's.
async fn poison(stage: &Stage, v: &Verification) {
    let subject = format!("proofline.v1.completion-signalled.acme.{}", v.id);
    let jetstream = jetstream::new(stage.nats.clone());
    let headers = |id: &str| {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", &format!("{id}.callback.poison")),
            ("ce-type", "proofline.v1.completion-signalled"),
            ("ce-source", "/proofline/callback-receiver"),
            ("ce-subject", id),
            ("ce-time", "2026-02-03T08:15:30Z"),
            ("ce-datacontenttype", "application/protobuf"),
        ] {
            headers.insert(name, value);
        }
        headers
    };
    let garbage = "\u{ff}\u{0}garbage";
    for (headers, payload) in [
        (HeaderMap::new(), garbage),
        (headers(&v.id), garbage),
        (headers("vrf_00000000000000000000000000"), ""),
        (HeaderMap::new(), ""),
    ] {
        let stored = jetstream.publish_with_headers(subject.clone(), headers, payload.into());
        stored.await.unwrap().await.unwrap();
    }
}

/// How many dead letters of this consumer there are of a verification.
async fn dead_letters(stage: &Stage, consumer: &str, v: &Verification) -> usize {
    let stream = jetstream::new(stage.nats.clone()).get_stream("DEAD_LETTERS").await.unwrap();
    let subject = format!("proofline.dead.v1.{consumer}.acme.{}", v.id);
    let last = stream.cached_info().state.last_sequence;
    let mut count = 0;
    for sequence in 1..=last {
        let message = stream.get_raw_message(sequence).await.unwrap();
        if message.subject.as_str() == subject {
            assert_eq!(
                message.headers.get("proofline-dead-reason").unwrap().as_str(),
                "unreadable"
            );
            count += 1;
        }
    }
    count
}

async fn become_dead_letters(stage: &Stage, v: &Verification, count: usize) {
    eventually("what can't be read is a dead letter", async || {
        let seen = dead_letters(stage, "result-normaliser-signals", v).await;
        if seen == count { Ok(()) } else { Err(format!("{seen} are")) }
    })
    .await;
}

#[tokio::test]
async fn signals_that_cannot_be_read_do_not_keep_a_verification_from_its_end() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_complete_verification(json!({ "tags": ["simulate:never-finishes"] })).await;

    poison(&stage, &v).await;

    become_dead_letters(&stage, &v, 4).await;
    assert_eq!(then.shows(&v).await["status"], "awaiting_images");
    assert!(then.told(&v, "completion-signalled").await.is_empty());
    when.uploads(&v, "front", jpeg("better")).await.says_nothing(204);
    when.submits(&v).await.is(202);
    then.reaches(&v, "verifying").await;
    when.simulator.finishes(&v, "accepted").await;
    then.ends_as(&v, "accepted", "").await;
    assert_eq!(then.result(&v).await["outcome"], "accepted");
    then.the_only_end().await;
}

#[tokio::test]
async fn signals_that_cannot_be_read_keep_nothing_from_being_reconciled() {
    let verifier = "proofline-verifier";
    let scene = Scene::new().with(verifier, "PROOFLINE_CALLBACK_GRACE", "1s");
    let stage = scene.with(verifier, "PROOFLINE_RECONCILE_INTERVAL", "1s").start().await;
    let (given, _, then) = stage.acts();
    let lost = json!({ "tags": ["simulate:callback-lost"] });
    let poisoned = given.a_submitted_verification(lost.clone()).await;
    poison(&stage, &poisoned).await;
    let expiring = json!({ "expires_in_seconds": 2 });
    let expiring = given.a_verification(expiring).await;
    poison(&stage, &expiring).await;
    let other = given.a_submitted_verification(lost).await;

    then.ends_as(&poisoned, "accepted", "").await;
    then.ends_as(&other, "accepted", "").await;
    then.ends_as(&expiring, "expired", "never-submitted").await;

    become_dead_letters(&stage, &poisoned, 4).await;
    become_dead_letters(&stage, &expiring, 4).await;
    assert_eq!(dead_letters(&stage, "verifier-check", &poisoned).await, 0);
    assert_eq!(then.ends().await.len(), 3);
}
