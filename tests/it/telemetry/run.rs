//! A run in which everything happens that is counted.

use hmac::{Hmac, KeyInit, Mac};
use proofline_seal::{Capability, Keyring, Purpose};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use time::{Duration, OffsetDateTime};

use super::scrape::Scrape;
use crate::harness::{
    Ask, Caught, EVENTS_SECRET, SERVICES, Scene, Stage, TOKEN_KEYS, Verification, eventually, jpeg,
};

/// Looks up soon, so that there is something overdue.
pub(super) fn scene() -> Scene {
    let verifier = "proofline-verifier";
    Scene::new()
        .catching_callbacks()
        .with_webhooks()
        .with_an_account_of_its_own()
        .with(verifier, "PROOFLINE_CALLBACK_GRACE", "1s")
        .with(verifier, "PROOFLINE_RECONCILE_INTERVAL", "1s")
}

/// Makes everything happen, and waits until all services tell of it.
pub(super) async fn everything(stage: &Stage) -> Scrape {
    ends_by_every_signal(stage).await;
    goes_wrong_with_images(stage).await;
    goes_wrong_at_assure(stage).await;
    is_forged(stage).await;
    is_put_aside(stage).await;
    is_erased(stage).await;
    loses_nats_and_keys(stage).await;
    eventually("everything is told", async || {
        let scrape = Scrape::of(stage).await;
        let mut missing = scrape.missing();
        // Counted every so often.
        for gauge in ["proofline_verifications_open", "proofline_dead_letters_waiting"] {
            if scrape.value(gauge, &[]) == 0.0 {
                missing.push(format!("{gauge} above 0"));
            }
        }
        if missing.is_empty() { Ok(scrape) } else { Err(missing.join(", ")) }
    })
    .await
}

async fn ends_by_every_signal(stage: &Stage) {
    let (given, when, then) = stage.acts();
    let never = json!({ "tags": ["web", "simulate:never-finishes"] });
    let v = given.a_verification_at_work().await;
    when.simulator.finishes(&v, "accepted").await;
    let callback = when.a_callback_is_caught().await;
    when.calls_back(&callback).await.says_nothing(200);
    when.calls_back(&callback).await.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;

    let v = given.a_complete_verification(never.clone()).await;
    a_webhook_comes(stage, &v).await;
    // Overdue at once, and found.
    let v = given.a_verification_at_work().await;
    eventually("one is overdue", async || {
        let scrape = Scrape::of(stage).await;
        let overdue = scrape.value("proofline_verifications_overdue", &[]);
        if overdue > 0.0 { Ok(()) } else { Err(overdue.to_string()) }
    })
    .await;
    when.simulator.finishes(&v, "rejected").await;
    then.ends_as(&v, "rejected", "").await;
    returns(stage, &v).await;

    let soon = json!({ "expires_in_seconds": 1, "tags": ["simulate:never-finishes"] });
    let v = given.a_verification(soon).await;
    then.ends_as(&v, "expired", "never-submitted").await;
    let v = given.a_verification(json!({})).await;
    when.cancels(&v).await.is(202);
    then.ends_as(&v, "canceled", "canceled-by-caller").await;
}

/// Assure's account-level webhook tells of a verification.
async fn a_webhook_comes(stage: &Stage, v: &Verification) {
    let body =
        json!({ "id": "evt-1", "eventData": {}, "tags": [format!("proofline:acme:{}", v.id)] });
    let body = body.to_string();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(EVENTS_SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature: Vec<_> =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let receiver = &stage.process("proofline-callback-receiver").url;
    let request = stage.caller.http.post(format!("{receiver}/events/acme")).body(body);
    let request = request.header("x-signicat-signature", signature.concat());
    request.ask().await.says_nothing(200);
}

/// The end-user comes back, as from a page.
#[expect(clippy::disallowed_methods, reason = "the services read the clock too")]
async fn returns(stage: &Stage, v: &Verification) {
    let token = Keyring::parse(TOKEN_KEYS).unwrap().mint(&Capability {
        purpose: Purpose::Return,
        tenant: "acme".to_owned(),
        verification_id: v.id.clone(),
        expires_at: OffsetDateTime::now_utc() + Duration::HOUR,
        detail: Some("https://app.acme.example/".to_owned()),
    });
    let receiver = &stage.process("proofline-callback-receiver").url;
    let answer = stage.caller.http.get(format!("{receiver}/return/{token}")).ask().await;
    assert_eq!(answer.status, 303);
}

async fn goes_wrong_with_images(stage: &Stage) {
    let (given, when, _) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let next = json!({ "when": { "next": 1 } });
    when.simulator.goes_wrong("setImages", status(400), next.clone()).await;
    when.uploads(&v, "front", jpeg("front")).await.problem(422, "assure-refused");
    when.simulator.goes_wrong("setImages", json!("reset"), json!({})).await;
    when.uploads(&v, "front", jpeg("front")).await.problem(503, "assure-unavailable");
    when.simulator.recovers().await;
}

async fn goes_wrong_at_assure(stage: &Stage) {
    let (given, when, then) = stage.acts();
    when.simulator.goes_wrong("createProcess", status(400), json!({})).await;
    when.creates(json!({})).await.problem(422, "assure-refused");
    when.simulator.recovers().await;
    let tags = json!({ "tags": ["simulate:start-refused"] });
    let v = given.a_submitted_verification(tags).await;
    then.ends_as(&v, "failed", "start-refused").await;
    let limited = json!({ "status": { "code": 429, "retryAfter": { "seconds": 1 } } });
    when.simulator.goes_wrong("createDossier", limited, json!({})).await;
    when.creates(json!({})).await.problem(503, "assure-unavailable");
    when.simulator.recovers().await;
    eventually("Assure is asked again", async || {
        let answer = when.creates(json!({})).await;
        if answer.status == 201 { Ok(()) } else { Err(answer.body.to_string()) }
    })
    .await;
    // The tenant `other` has an account of its own.
    let order = crate::harness::order(&json!({}));
    stage.stranger.post("/v1/verifications").json(&order).ask().await.is(201);
}

async fn is_forged(stage: &Stage) {
    let (given, when, _) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let body = json!({ "dossierId": "d", "processId": "p", "status": "accepted" });
    let forged = Caught { token: "forged".to_owned(), authorization: None, body };
    when.calls_back(&forged).await.problem(401, "unauthorized");
    let receiver = &stage.process("proofline-callback-receiver").url;
    let http = &stage.caller.http;
    http.post(format!("{receiver}/events/acme"))
        .body("{}")
        .ask()
        .await
        .problem(401, "unauthorized");
    http.get(format!("{receiver}/return/forged")).ask().await.problem(404, "not-found");
    let url = v.upload_url_with("front", "forged");
    http.put(url).body(jpeg("x")).ask().await.problem(403, "upload-url-invalid");
}

/// Something in the log that nobody can read.
async fn is_put_aside(stage: &Stage) {
    let subject = "proofline.v1.submission-requested.acme.vrf_00000000000000000000";
    stage.nats.publish(subject, "no event".into()).await.unwrap();
    stage.nats.flush().await.unwrap();
}

async fn is_erased(stage: &Stage) {
    let (given, _, then) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let path = format!("/v1/verifications/{}", v.id);
    stage.caller.api(Method::DELETE, &path).ask().await.is(202);
    then.is_told(&v, "data-erased", 1).await;
}

async fn loses_nats_and_keys(stage: &Stage) {
    let (given, when, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    then.ends_as(&v, "accepted", "").await;
    when.nats_stops().await;
    when.nats_returns().await;
    for service in SERVICES {
        stage.becomes_ready(service).await;
    }
    let jetstream = async_nats::jetstream::new(stage.nats.clone());
    jetstream.get_stream("KV_DATA_KEYS").await.unwrap().purge().await.unwrap();
    let path = format!("/v1/verifications/{}/result", v.id);
    stage.caller.get(&path).ask().await.problem(410, "result-expired");
}

fn status(code: u16) -> Value {
    json!({ "status": { "code": code } })
}
