//! Which webhooks are taken: signed right, and an event.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Body, Method, header::DATE};
use serde_json::{Value, json};

use super::{SIGNATURE, an_unheard_verification, by_events, event_of, hmac, post, send, signature};
use crate::harness::{Answer, Ask, EVENTS_SECRET, Stage, THEIR_EVENTS_SECRET};

#[tokio::test]
async fn a_webhook_that_is_not_authentic_is_401_and_tells_a_stranger_nothing() {
    let stage = by_events().start().await;
    let then = stage.acts().2;
    let v = an_unheard_verification(&stage).await;
    let body = event_of(&stage, &v, "e1").await.to_string();
    let right = signature(EVENTS_SECRET, &body);
    let spaced = body.replace(':', ": ");

    let attempts = [
        post(&stage, "acme", body.clone()),
        post(&stage, "acme", body.clone()).header(SIGNATURE, ""),
        post(&stage, "acme", body.clone()).header(SIGNATURE, "guessed"),
        post(&stage, "acme", body.clone()).header(SIGNATURE, &right[..62]),
        post(&stage, "acme", body.clone()).header(SIGNATURE, format!("sha256={right}")),
        post(&stage, "acme", body.clone()).header("x-signature", &right),
        post(&stage, "acme", body.clone()).header(SIGNATURE, signature(THEIR_EVENTS_SECRET, &body)),
        post(&stage, "acme", body.clone()).header(SIGNATURE, signature("", &body)),
        // The raw body is signed, not what it means.
        post(&stage, "acme", spaced).header(SIGNATURE, &right),
        post(&stage, "acme", "").header(SIGNATURE, &right),
        post(&stage, "acme", "{").header(SIGNATURE, &right),
        // A tenant that has a secret of its own takes no other.
        post(&stage, "other", body.clone()).header(SIGNATURE, &right),
        post(&stage, "nobody", body.clone()).header(SIGNATURE, &right),
        post(&stage, "ACME", body.clone()).header(SIGNATURE, &right),
        post(&stage, "%20", body.clone()).header(SIGNATURE, &right),
        post(&stage, "%ff", body.clone()).header(SIGNATURE, &right),
    ];
    let mut answers = Vec::new();
    for attempt in attempts {
        answers.push(attempt.ask().await);
    }

    answers[0].problem(401, "unauthorized");
    assert!(answers[0].header("www-authenticate").is_some());
    let seen = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove(DATE);
        (answer.status, headers, answer.bytes.clone())
    };
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(seen(answer), seen(&answers[0]), "attempt {number}");
    }
    assert!(then.told(&v, "completion-signalled").await.is_empty());
    let request = post(&stage, "acme", body).header(SIGNATURE, right.to_uppercase());
    request.ask().await.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;
    for (name, log) in stage.logs() {
        assert!(!log.contains(&right) && !log.contains(EVENTS_SECRET), "{name}");
    }
}

#[tokio::test]
async fn without_a_secret_the_webhook_is_off() {
    let stage = Stage::start().await;
    let given = stage.acts().0;
    let v = given.a_verification_at_work().await;
    let body = event_of(&stage, &v, "e1").await.to_string();

    for secret in ["", EVENTS_SECRET] {
        let request = post(&stage, "acme", body.clone());
        let answer = request.header(SIGNATURE, signature(secret, &body)).ask().await;
        answer.problem(401, "unauthorized");
    }
    assert!(stage.acts().2.told(&v, "completion-signalled").await.is_empty());
}

#[tokio::test]
async fn header_encoding_and_prefix_of_the_signature_can_be_set() {
    let receiver = "proofline-callback-receiver";
    let stage = by_events()
        .with_secrets_in_files()
        .with(receiver, "PROOFLINE_EVENTS_SIGNATURE_HEADER", "X-Other-Signature")
        .with(receiver, "PROOFLINE_EVENTS_SIGNATURE_ENCODING", "base64")
        .with(receiver, "PROOFLINE_EVENTS_SIGNATURE_PREFIX", "sha256=")
        .start()
        .await;
    let v = an_unheard_verification(&stage).await;
    let body = event_of(&stage, &v, "e1").await.to_string();
    let right = STANDARD.encode(hmac(EVENTS_SECRET, body.as_bytes()));
    let post = |header: &'static str, value: String| {
        post(&stage, "acme", body.clone()).header(header, value).ask()
    };

    post(SIGNATURE, format!("sha256={right}")).await.problem(401, "unauthorized");
    post("x-other-signature", right.clone()).await.problem(401, "unauthorized");
    let hex = format!("sha256={}", signature(EVENTS_SECRET, &body));
    post("x-other-signature", hex).await.problem(401, "unauthorized");
    post("x-other-signature", format!("sha256={right}")).await.says_nothing(200);

    stage.acts().2.ends_as(&v, "accepted", "").await;
}

#[tokio::test]
async fn what_is_well_signed_and_no_event_is_refused() {
    let stage = by_events().start().await;
    let then = stage.acts().2;
    let v = an_unheard_verification(&stage).await;
    let event = event_of(&stage, &v, "e1").await;
    let with = |member: &str, value: Value| {
        let mut event = event.clone();
        event[member] = value;
        event.to_string()
    };
    let mut without_id = event.clone();
    without_id.as_object_mut().unwrap().remove("id");

    for body in [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "\"event\"".to_owned(),
        "{}".to_owned(),
        format!("{event}{event}"),
        without_id.to_string(),
        with("id", json!(1)),
        with("id", json!(null)),
        with("eventData", json!("accepted")),
        with("timestamp", json!(5)),
        with("tags", json!("proofline")),
        with("tags", json!([1])),
    ] {
        send(&stage, &body).await.problem(400, "malformed");
    }
    let large = with("more", json!("x".repeat(64 * 1024)));
    send(&stage, &large).await.problem(413, "payload-too-large");
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(large.clone())]);
    let request = post(&stage, "acme", Body::wrap_stream(chunks));
    let answer = request.header(SIGNATURE, signature(EVENTS_SECRET, &large)).ask().await;
    answer.problem(413, "payload-too-large");
    let receiver = &stage.process("proofline-callback-receiver").url;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let url = format!("{receiver}/events/acme");
        let answer = stage.caller.http.request(method, url).ask().await;
        assert_eq!(answer.header("allow"), Some("POST"));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.status, 405);
    }
    assert!(then.told(&v, "completion-signalled").await.is_empty());
    let fits = with("more", json!("x".repeat(60 * 1024)));
    send(&stage, fits).await.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;
}

#[tokio::test]
async fn while_its_secret_is_being_replaced_no_event_is_lost() {
    const NEXT: &str = "next-planted-events-secret";
    let both = format!("{NEXT}\n{EVENTS_SECRET}");
    let stage = by_events()
        .with("proofline-callback-receiver", "PROOFLINE_EVENTS_SECRET", &both)
        .start()
        .await;

    for (id, secret) in [("e1", EVENTS_SECRET), ("e2", NEXT)] {
        let v = an_unheard_verification(&stage).await;
        let body = event_of(&stage, &v, id).await.to_string();
        let request = post(&stage, "acme", body.clone());
        let answer = request.header(SIGNATURE, signature(secret, &body)).ask().await;
        answer.says_nothing(200);
        stage.acts().2.ends_as(&v, "accepted", "").await;
    }
}
