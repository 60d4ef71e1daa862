//! What Assure holds of a finished verification, handed on, and for how long.

use reqwest::RequestBuilder;
use serde_json::json;

use crate::harness::{Ask, Scene, Stage, Verification, eventually, jpeg};

fn part(stage: &Stage, v: &Verification, part: &str) -> RequestBuilder {
    stage.caller.get(&format!("/v1/verifications/{}/{part}", v.id))
}

#[tokio::test]
async fn an_image_comes_back_as_it_went_once_the_verification_is_finished() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification(json!({ "submit_when": ["front", "selfie"] })).await;
    when.uploads(&v, "front", jpeg("the front")).await.says_nothing(204);
    part(&stage, &v, "images/front").ask().await.problem(409, "not-finished");
    when.uploads(&v, "selfie", jpeg("the selfie")).await.says_nothing(204);
    then.ends_as(&v, "accepted", "").await;

    let image = part(&stage, &v, "images/front").send().await.unwrap();
    assert_eq!(image.status(), 200);
    assert_eq!(image.headers()["content-type"], "image/jpeg");
    assert_eq!(image.headers()["cache-control"], "no-store");
    assert_eq!(image.bytes().await.unwrap(), jpeg("the front"));
    part(&stage, &v, "images/back").ask().await.problem(404, "not-found");
    part(&stage, &v, "images/thumb").ask().await.problem(404, "not-found");
    let path = format!("/v1/verifications/{}/images/front", v.id);
    stage.stranger.get(&path).ask().await.problem(404, "not-found");

    stage.simulator.loses(&v).await;
    part(&stage, &v, "images/front").ask().await.problem(410, "gone-at-assure");
}

#[tokio::test]
async fn what_assure_has_goes_a_set_time_after_the_end_and_the_result_stays() {
    let scene = Scene::new().with("proofline-result-normaliser", "ASSURE_DELETE_AFTER", "1s");
    let stage = scene.start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_complete_verification(json!({})).await;
    when.submits(&v).await.is(202);
    then.ends_as(&v, "accepted", "").await;
    eventually("Assure has no dossier any more", async || {
        let dossiers = stage.simulator.dossiers().await;
        if dossiers.is_empty() { Ok(()) } else { Err(format!("{dossiers:?}")) }
    })
    .await;
    assert_eq!(then.result(&v).await["outcome"], "accepted");
    part(&stage, &v, "images/front").ask().await.problem(410, "gone-at-assure");
}
