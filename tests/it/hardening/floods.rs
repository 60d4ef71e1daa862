//! Who asks too often is told so, and nobody else notices.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Ask, Caller, Caught, Scene, jpeg};

/// A flood, at one in a second with five at once.
const MANY: usize = 30;

/// Some of a flood are answered as they would be without it, the others 429.
fn is_stemmed(answers: &[Answer], usual: u16) {
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!(count(usual) + count(429), MANY);
    // A test may have used up two of the five.
    assert!(count(usual) >= 3, "{} as usual", count(usual));
    assert!(count(429) >= MANY / 2, "{} refused", count(429));
    for refused in answers.iter().filter(|answer| answer.status == 429) {
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(refused.body["type"], "about:blank");
        assert_eq!(refused.body["status"], 429);
    }
}

#[tokio::test]
async fn a_flood_of_forged_callbacks_never_keeps_a_genuine_one_out() {
    let receiver = "proofline-callback-receiver";
    let scene = Scene::new().catching_callbacks().with_webhooks();
    let stage = scene.with(receiver, "PROOFLINE_REFUSALS_PER_SECOND", 1).start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    let genuine = when.a_callback_is_caught().await;
    let forged = Caught { authorization: Some("Bearer guessed".to_owned()), ..genuine.clone() };

    let mut answers = Vec::new();
    for _ in 0..MANY {
        answers.push(when.calls_back(&forged).await);
    }
    is_stemmed(&answers, 401);
    let url = &stage.process(receiver).url;
    let strangers = |method, path: &str| stage.caller.http.request(method, format!("{url}{path}"));
    assert_eq!(strangers(Method::POST, "/events/acme").body("{}").ask().await.status, 429);
    assert_eq!(strangers(Method::GET, "/return/guessed").ask().await.status, 429);

    when.calls_back(&genuine).await.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;
    let told = stage.process(receiver).log().matches("was not authentic").count();
    assert!((5..MANY / 2).contains(&told), "{told} lines");
}

#[tokio::test]
async fn a_tenant_that_asks_too_often_slows_down_nobody_else() {
    let (intake, upload) = ("proofline-intake", "proofline-upload");
    let scene = Scene::new().with(intake, "PROOFLINE_REQUESTS_PER_SECOND", 1).with(
        upload,
        "PROOFLINE_REQUESTS_PER_SECOND",
        1,
    );
    let stage = scene.start().await;
    let (given, ..) = stage.acts();
    let v = given.a_verification(json!({})).await;

    let (mut asked, mut uploaded) = (Vec::new(), Vec::new());
    for _ in 0..MANY + 1 {
        asked.push(stage.caller.look_at(&v.id).ask().await);
        uploaded.push(stage.caller.http.put(v.upload_url("front")).body("no image").ask().await);
    }
    // The creation was one of them, so all but the first of these make a flood.
    is_stemmed(&asked[1..], 200);
    is_stemmed(&uploaded[1..], 415);
    assert_eq!(stage.caller.put_image(&v.id, "front").body(jpeg("x")).ask().await.status, 429);

    stage.stranger.look_at(&v.id).ask().await.problem(404, "not-found");
    let theirs = stage.stranger.put_image(&v.id, "front").body(jpeg("x")).ask().await;
    theirs.problem(404, "not-found");
}

#[tokio::test]
async fn guessing_api_keys_and_upload_urls_is_stemmed_and_callers_do_not_notice() {
    let (intake, upload) = ("proofline-intake", "proofline-upload");
    let scene = Scene::new().with(intake, "PROOFLINE_REFUSALS_PER_SECOND", 1).with(
        upload,
        "PROOFLINE_REFUSALS_PER_SECOND",
        1,
    );
    let stage = scene.start().await;
    let (given, when, _) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let guessing = Caller { key: "guessed", ..stage.caller.clone() };

    let (mut by_key, mut by_token) = (Vec::new(), Vec::new());
    for _ in 0..MANY {
        by_key.push(guessing.look_at(&v.id).ask().await);
        let url = v.upload_url_with("front", "guessed");
        by_token.push(stage.caller.http.put(url).body(jpeg("x")).ask().await);
    }
    is_stemmed(&by_key, 401);
    is_stemmed(&by_token, 403);

    stage.caller.look_at(&v.id).ask().await.is(200);
    stage.caller.http.put(v.upload_url("front")).body(jpeg("x")).ask().await.says_nothing(204);
    when.uploads(&v, "selfie", jpeg("x")).await.says_nothing(204);
}

#[tokio::test]
async fn whoever_has_one_upload_url_cannot_use_up_what_its_tenant_may() {
    let scene = Scene::new().with("proofline-upload", "PROOFLINE_REQUESTS_PER_SECOND", 4);
    let stage = scene.start().await;
    let (given, when, _) = stage.acts();
    let (flooded, other) =
        (given.a_verification(json!({})).await, given.a_verification(json!({})).await);

    let mut uploaded = Vec::new();
    for _ in 0..MANY {
        let request = stage.caller.http.put(flooded.upload_url("front")).body("no image");
        uploaded.push(request.ask().await);
    }
    is_stemmed(&uploaded, 415);
    let selfie = stage.caller.http.put(flooded.upload_url("selfie")).body(jpeg("x"));
    assert_eq!(selfie.ask().await.status, 429, "its URLs share");

    let by_url = stage.caller.http.put(other.upload_url("front")).body(jpeg("x"));
    by_url.ask().await.says_nothing(204);
    when.uploads(&flooded, "selfie", jpeg("x")).await.says_nothing(204);
}
