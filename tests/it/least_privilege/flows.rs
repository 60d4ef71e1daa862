//! A verification of each flow, and of each way to its end, so that every right has a use.

use futures_util::{FutureExt, future::join_all};
use reqwest::Method;
use serde_json::{Value, json};

use super::NOBODY;
use crate::{
    harness::{Ask, Stage, Verification, eventually, jpeg},
    webhooks::{completed, envelope, send},
};

const RETURN_URL: &str = "https://app.acme.example/done";
/// The tag of what the subscriber `acme-billing` does not want.
pub(super) const UNWANTED: &str = "unwanted";

/// Verifications of the tenant `acme`, each at its end.
pub(super) async fn all_flows(stage: &Stage) -> Vec<Verification> {
    let (given, _, then) = stage.acts();
    let path = "/v1/document-types?provider=signicatpictureid";
    assert!(stage.caller.get(path).ask().await.is(200).is_array());
    let unwanted = given.a_submitted_verification(json!({ "tags": [UNWANTED] })).await;
    then.ends_as(&unwanted, "accepted", "").await;

    // Boxed, as together they would be large.
    let mut all = join_all([
        uploaded(stage).boxed_local(),
        with_the_providers_parameters(stage).boxed_local(),
        not_started(stage).boxed_local(),
        page(stage, json!({ "flow": "capture" })).boxed_local(),
        back_too_early(stage).boxed_local(),
        page(stage, json!({ "flow": "eid", "provider": "connect:idin", "process_type": null }))
            .boxed_local(),
        heard_of_by_a_webhook_without_our_tag(stage).boxed_local(),
        reconciled(stage).boxed_local(),
        expired(stage).boxed_local(),
        canceled(stage).boxed_local(),
    ])
    .await;
    all.extend(sharing_a_dossier(stage).await);
    all.push(unwanted);
    all
}

async fn uploaded(stage: &Stage) -> Verification {
    let (_, when, then) = stage.acts();
    // Under an idempotency key, and watched by whoever waits.
    let answer = when.creates_once("key-1", json!({})).await;
    let v = Verification::of(answer);
    assert_eq!(when.creates_once("key-1", json!({})).await.is(200)["id"], *v.id);
    let path = format!("/v1/verifications/{}/events", v.id);
    let live = stage.caller.get(&path).header("accept", "text/event-stream");
    let work = async {
        for depiction in ["front", "selfie"] {
            when.uploads(&v, depiction, jpeg(depiction)).await.says_nothing(204);
        }
        when.submits(&v).await.is(202);
        then.ends_as(&v, "accepted", "").await;
    };
    let (live, ()) = tokio::join!(live.ask(), work);
    let live = String::from_utf8_lossy(&live.bytes).into_owned();
    assert!(live.contains("event: proofline.v1.process-finished"), "{live}");
    assert_eq!(then.result(&v).await["outcome"], "accepted");
    let end = then.told(&v, "process-finished").await.remove(0);
    assert_eq!(end["signal_source"], "callback", "{end}");
    v
}

async fn with_the_providers_parameters(stage: &Stage) -> Verification {
    let v = submitted_with_the_providers_parameters(stage).await;
    stage.acts().2.ends_as(&v, "accepted", "").await;
    v
}

async fn submitted_with_the_providers_parameters(stage: &Stage) -> Verification {
    let when = stage.acts().1;
    let order = json!({ "flow": "document", "provider": "facetec" });
    let answer = stage.caller.post("/v1/verifications").json(&order).ask().await;
    let v = Verification::of(answer);
    when.uploads(&v, "front", jpeg("front")).await.says_nothing(204);
    let enrolment = json!({
        "imageDepiction": "front",
        "facetecEnrollment": {
            "faceScan": "planted", "auditTrailImage": "planted", "lowQualityAuditTrailImage": "planted",
            "userAgent": "planted",
        },
    });
    when.submits_with(&v, enrolment).await.is(202);
    v
}

/// Assure refuses what is submitted by itself once its images are there.
async fn not_started(stage: &Stage) -> Verification {
    let (given, when, then) = stage.acts();
    let v = given
        .a_verification(json!({
            "tags": ["simulate:start-refused"], "submit_when": ["front", "selfie"],
        }))
        .await;
    for depiction in ["front", "selfie"] {
        when.uploads(&v, depiction, jpeg(depiction)).await.says_nothing(204);
    }
    then.ends_as(&v, "failed", "start-refused").await;
    let unknown = stage.caller.put_image(NOBODY, "front").body(jpeg("front"));
    unknown.ask().await.problem(404, "not-found");
    v
}

/// The end-user goes to a page, and comes back.
async fn page(stage: &Stage, mut members: Value) -> Verification {
    let (given, when, then) = stage.acts();
    members["document"] = Value::Null;
    members["return_url"] = json!(RETURN_URL);
    let v = given.a_verification(members).await;
    let page = v.created["next_action"]["url"].as_str().unwrap().to_owned();
    eventually("it is still there for whoever asks", async || {
        let seen = then.shows(&v).await;
        if seen["next_action"]["url"] == page { Ok(()) } else { Err(seen.to_string()) }
    })
    .await;
    let sent_on = when.chooses(&page, "accepted").await;
    let back = when.opens(sent_on.header("location").unwrap()).await;
    let landing = format!("{RETURN_URL}?verification_id={}", v.id);
    assert_eq!((back.status, back.header("location")), (303, Some(landing.as_str())));
    then.ends_as(&v, "accepted", "").await;
    v
}

/// The same before Assure has an end to tell, so that there is a time to look again.
async fn back_too_early(stage: &Stage) -> Verification {
    page(stage, json!({ "flow": "capture", "tags": ["simulate:processing-time=1s"] })).await
}

async fn heard_of_by_a_webhook_without_our_tag(stage: &Stage) -> Verification {
    let (given, _, then) = stage.acts();
    let tags = json!({ "tags": ["simulate:callback-lost"] });
    let v = given.a_submitted_verification(tags).await;
    send(stage, envelope("planted-1", json!([]), completed(&v))).await.says_nothing(200);
    let mut unknown = completed(&v);
    unknown["externalReference"] = json!(NOBODY);
    send(stage, envelope("planted-2", json!([]), unknown)).await.says_nothing(200);

    let signals = then.told(&v, "completion-signalled").await;
    assert!(signals.iter().any(|signal| signal["source"] == "webhook"), "{signals:?}");
    then.ends_as(&v, "accepted", "").await;
    let of_nobody = format!("/v1/verifications/{}/events", NOBODY);
    stage.caller.get(&of_nobody).ask().await.problem(404, "not-found");
    v
}

async fn reconciled(stage: &Stage) -> Verification {
    let (given, _, then) = stage.acts();
    let tags = json!({ "tags": ["simulate:callback-lost"] });
    let v = given.a_submitted_verification(tags).await;
    then.ends_as(&v, "accepted", "").await;
    let end = then.told(&v, "process-finished").await.remove(0);
    assert_eq!(end["signal_source"], "reconciliation", "{end}");
    v
}

async fn expired(stage: &Stage) -> Verification {
    let (given, _, then) = stage.acts();
    let v = given.a_verification(json!({ "expires_in_seconds": 1 })).await;
    then.ends_as(&v, "expired", "never-submitted").await;
    v
}

async fn canceled(stage: &Stage) -> Verification {
    let (given, when, then) = stage.acts();
    let v = given.a_verification(json!({})).await;
    when.cancels(&v).await.is(202);
    then.ends_as(&v, "canceled", "canceled-by-caller").await;
    stage.simulator.forgets(&v).await;
    v
}

/// Two verifications in one dossier, both erased.
async fn sharing_a_dossier(stage: &Stage) -> [Verification; 2] {
    let (given, _, then) = stage.acts();
    let first = given.a_submitted_verification(json!({})).await;
    then.ends_as(&first, "accepted", "").await;
    let second = given.a_submitted_verification(json!({ "same_dossier_as": first.id })).await;
    then.ends_as(&second, "accepted", "").await;
    assert_eq!(first.dossier_id, second.dossier_id);
    for v in [&first, &second] {
        let path = format!("/v1/verifications/{}", v.id);
        stage.caller.api(Method::DELETE, &path).ask().await.is(202);
        then.is_told(v, "data-erased", 1).await;
        stage.simulator.forgets(v).await;
    }
    let result = format!("/v1/verifications/{}/result", first.id);
    stage.caller.get(&result).ask().await.problem(410, "erased");
    [first, second]
}

/// What was sealed for a start that never came goes too.
pub(super) async fn is_erased_before_it_can_be_started(stage: &Stage) {
    let (_, _, then) = stage.acts();
    let away = json!({ "status": { "code": 503, "body": "platform" } });
    stage.simulator.goes_wrong("startVerification", away, json!({ "when": "always" })).await;
    let v = submitted_with_the_providers_parameters(stage).await;
    stage.simulator.is_being_asked("startVerification").await;
    let path = format!("/v1/verifications/{}", v.id);
    stage.caller.api(Method::DELETE, &path).ask().await.is(202);
    then.is_told(&v, "data-erased", 1).await;
    stage.simulator.recovers().await;
}
