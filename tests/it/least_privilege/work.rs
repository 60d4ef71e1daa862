//! Everything that services, operators and subscribers do, each as its own user.

use std::fs;

use reqwest::Method;
use serde_json::json;

use super::{
    copies::{a_copy_is_restored, copies_are_made, keys_are_wrapped_anew},
    dead_letters::each_consumer_puts_aside_what_it_cannot_read,
    flows::{UNWANTED, all_flows, is_erased_before_it_can_be_started},
    subscriber::Subscriber,
    used::nobody_has_a_right_without_a_use,
};
use crate::{
    doctor::Patient,
    harness::{
        Ask, Bus, Scene, Stage, Verification, eventually, everything_in, jpeg, order, program,
    },
};

#[tokio::test]
async fn one_server_lets_everybody_do_what_they_must() {
    let stage = scene().on(Bus::Alone).start().await;
    let mut billing = Subscriber::begin(&stage, "acme-billing", UNWANTED).await;
    let mut crm = Subscriber::begin(&stage, "other-crm", UNWANTED).await;

    let all = all_flows(&stage).await;
    let theirs = a_verification_of_the_other_tenant(&stage).await;

    for v in &all {
        billing.hears(v).await;
    }
    crm.hears(&theirs).await;
    assert!(!billing.has_heard(&theirs) && all.iter().all(|v| !crm.has_heard(v)));
    replays(&stage, &billing, &all[0]).await;
    leaves_alone_what_wants_to_be_left_alone(&stage).await;
    let copy = copies_are_made(&stage).await;
    is_erased_before_it_can_be_started(&stage).await;
    erases(&stage, &all[0]).await;
    each_consumer_puts_aside_what_it_cannot_read(&stage).await;
    a_timer_that_was_put_aside_comes_due_once_more(&stage).await;
    billing.stops().await;
    crm.stops().await;
    a_copy_is_restored(&stage, copy).await;
    keys_are_wrapped_anew(&stage).await;
    a_consumer_without_a_subscriber_is_pruned(&stage).await;
    nobody_was_refused_anything(&stage).await;
    // Which tries to come in without a login, and is refused.
    Patient::of(&stage).await.suffers_from(&["replicas"]).await;
    nobody_has_a_right_without_a_use(&stage).await;
}

#[tokio::test]
async fn three_servers_let_everybody_do_what_they_must() {
    let three = scene().on(Bus::Cluster).with("proofline", "PROOFLINE_NATS_REPLICAS", 3);
    let stage = three.start().await;
    let mut billing = Subscriber::begin(&stage, "acme-billing", UNWANTED).await;

    let all = all_flows(&stage).await;

    for v in &all {
        billing.hears(v).await;
    }
    replays(&stage, &billing, &all[0]).await;
    let copy = copies_are_made(&stage).await;
    a_copy_is_restored(&stage, copy).await;
    let (given, _, then) = stage.acts();
    let after = given.a_submitted_verification(json!({})).await;
    then.finishes(&after).await;
    billing.hears(&after).await;
    billing.stops().await;
    nobody_was_refused_anything(&stage).await;
}

/// A callback that is lost is missed soon.
fn scene() -> Scene {
    let (verifier, normaliser) = ("proofline-verifier", "proofline-result-normaliser");
    Scene::new()
        .with_webhooks()
        .with(verifier, "PROOFLINE_CALLBACK_GRACE", "1s")
        .with(verifier, "PROOFLINE_RECONCILE_INTERVAL", "1s")
        .with(normaliser, "PROOFLINE_CALLBACK_GRACE", "1s")
}

async fn a_verification_of_the_other_tenant(stage: &Stage) -> Verification {
    let request =
        stage.stranger.post("/v1/verifications").json(&order(&json!({ "tags": [UNWANTED] })));
    let v = Verification::of(request.ask().await);
    let path = format!("/v1/verifications/{}/cancel", v.id);
    stage.stranger.post(&path).ask().await.is(202);
    v
}

/// Each service that calls Assure tells the others to leave it alone for a second.
async fn leaves_alone_what_wants_to_be_left_alone(stage: &Stage) {
    let (_, when, then) = stage.acts();
    let limited = json!({ "status": { "code": 429, "retryAfter": { "seconds": 1 } } });
    for operation in ["createDossier", "setImages", "startVerification", "getProcess"] {
        let next = json!({ "when": { "next": 1 } });
        stage.simulator.goes_wrong(operation, limited.clone(), next).await;
    }
    let v = eventually("Assure may be asked again", async || {
        let answer = when.creates(json!({})).await;
        if answer.status == 201 {
            Ok(Verification::of(answer))
        } else {
            Err(answer.body.to_string())
        }
    })
    .await;
    for depiction in ["front", "selfie"] {
        eventually("Assure takes an image", async || {
            let answer = when.uploads(&v, depiction, jpeg(depiction)).await;
            if answer.status == 204 { Ok(()) } else { Err(answer.body.to_string()) }
        })
        .await;
    }
    when.submits(&v).await.is(202);
    then.ends_as(&v, "accepted", "").await;
}

/// The operator shows one subscriber again what it has heard, and sees what it put aside.
async fn replays(stage: &Stage, billing: &Subscriber, v: &Verification) {
    let (code, shown) = operate(stage, "operator", &["subscribers", "list"]).await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("acme-billing") && shown.contains("other-crm"), "{shown}");
    let (code, said) =
        operate(stage, "operator", &["subscribers", "replay", "acme-billing", "--since", "1h"])
            .await;
    assert_eq!(code, Some(0), "{said}");
    billing.hears_a_replay_of(v).await;
    let letters = everything_in(&stage.nats, "DEAD_LETTERS").await;
    let is_its_own = |letter: &Vec<u8>| letter.starts_with(b"proofline.dead.v1.acme-billing.acme.");
    assert!(letters.iter().any(is_its_own));
}

async fn a_timer_that_was_put_aside_comes_due_once_more(stage: &Stage) {
    let arguments = ["dead", "replay", "--consumer", "verifier-deadline"];
    let (code, said) = operate(stage, "operator", &arguments).await;
    assert_eq!((code, said.as_str()), (Some(0), "1 replayed.\n"));
}

async fn erases(stage: &Stage, v: &Verification) {
    let path = format!("/v1/verifications/{}", v.id);
    stage.caller.api(Method::DELETE, &path).ask().await.is(202);
    stage.acts().2.is_told(v, "data-erased", 1).await;
}

async fn a_consumer_without_a_subscriber_is_pruned(stage: &Stage) {
    let file = stage.folder().join("tenants.toml");
    let tenants = fs::read_to_string(&file).unwrap();
    fs::write(&file, tenants.replace("['crm']", "[]")).unwrap();
    let (code, said) = operate(stage, "provision", &["provision", "--prune"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("consumer other-crm of VERIFICATIONS deleted"), "{said}");
}

/// `proofline …` as this user.
pub(super) async fn operate(
    stage: &Stage,
    user: &str,
    arguments: &[&str],
) -> (Option<i32>, String) {
    let mut command = program("proofline");
    command.args(arguments);
    let broker = stage.broker.lock().await;
    command.env("PROOFLINE_NATS_URL", broker.url());
    command.env("PROOFLINE_NATS_REPLICAS", broker.replicas().to_string());
    drop(broker);
    command.env("PROOFLINE_TENANTS_FILE", stage.folder().join("tenants.toml"));
    command.envs(stage.guard.as_ref().unwrap().settings_of(user));
    let output = command.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// Neither a client nor a server has a word of a refusal in its log.
async fn nobody_was_refused_anything(stage: &Stage) {
    for (name, log) in stage.logs() {
        let refusal = log.lines().find(|line| line.contains("NATS refused"));
        assert_eq!(refusal, None, "{name}");
    }
    for log in stage.broker.lock().await.logs() {
        let refusal = log.lines().find(|line| line.contains("Violation"));
        assert_eq!(refusal, None);
    }
}
