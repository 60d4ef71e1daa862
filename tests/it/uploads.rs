//! Images on their way to Assure.

use reqwest::{Body, Method, Url};
use serde_json::json;
use time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::harness::{
    Answer, Ask, Scene, Stage, Trickle, Verification, digest, eventually, heic, jpeg, png,
};

const ACME_ORIGIN: &str = "https://app.acme.example";
const OTHER_ORIGIN: &str = "https://app.other.example";

async fn put(stage: &Stage, url: &str, image: impl Into<Body>) -> Answer {
    stage.caller.http.put(url).body(image).ask().await
}

#[tokio::test]
async fn a_later_image_of_a_depiction_replaces_the_earlier_one() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_complete_verification(json!({})).await;

    when.uploads(&v, "front", png("better")).await.says_nothing(204);

    assert_eq!(then.shows(&v).await["images"], json!(["front", "selfie"]));
    let images = json!({ "front": digest(&png("better")), "selfie": digest(&jpeg("selfie")) });
    assert_eq!(then.simulator.process_of(&v).await["images"], images);
    let told = then.told(&v, "image-uploaded").await;
    assert_eq!(told.last().unwrap()["media_type"], "image/png");
    when.submits(&v).await.is(202);
    then.finishes(&v).await;
    assert_eq!(then.simulator.process_of(&v).await["verified"], images);
}

#[tokio::test]
async fn the_first_bytes_decide_what_an_image_is() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification(json!({})).await;

    for no_image in [heic(), b"%PDF-1.7 ".to_vec(), Vec::new(), jpeg("")[..2].to_vec()] {
        let request = when.caller.put_image(&v.id, "front").header("content-type", "image/jpeg");
        request.body(no_image).ask().await.problem(415, "unsupported-image");
    }
    let request = when.caller.put_image(&v.id, "front").header("content-type", "image/heic");
    request.body(jpeg("front")).ask().await.says_nothing(204);

    assert_eq!(then.told(&v, "upload-started").await.len(), 1);
    assert_eq!(then.told(&v, "image-uploaded").await[0]["media_type"], "image/jpeg");
}

#[tokio::test]
async fn an_image_over_a_limit_is_413_however_its_size_becomes_known() {
    let scene = Scene::new().with("proofline-upload", "PROOFLINE_MAX_IMAGE_BYTES", 200_000).with(
        "assure-simulator",
        "SIMULATOR_MAX_IMAGE_BYTES",
        100_000,
    );
    let stage = scene.start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_complete_verification(json!({})).await;
    let before = then.simulator.process_of(&v).await["images"].clone();

    let too_large = jpeg(&"x".repeat(200_000));
    let announced = when.uploads(&v, "front", too_large.clone()).await;
    let (trickle, body) = Trickle::new();
    too_large.chunks(10_000).for_each(|chunk| trickle.send(chunk));
    trickle.end();
    let chunked = when.caller.put_image(&v.id, "front").body(body).ask().await;
    let at_assure = when.uploads(&v, "front", jpeg(&"x".repeat(150_000))).await;

    for answer in [announced, chunked, at_assure] {
        answer.problem(413, "image-too-large");
    }
    assert_eq!(then.simulator.process_of(&v).await["images"], before);
    assert_eq!(then.shows(&v).await["images"], json!(["front", "selfie"]));
    when.submits(&v).await.is(202);
}

#[tokio::test]
async fn an_image_may_come_in_chunks_without_a_length() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let image = jpeg(&"chunks of a picture ".repeat(10_000));

    let (trickle, body) = Trickle::new();
    image.chunks(997).for_each(|chunk| trickle.send(chunk));
    trickle.end();
    when.caller.put_image(&v.id, "front").body(body).ask().await.says_nothing(204);

    let images = json!({ "front": digest(&image) });
    assert_eq!(then.simulator.process_of(&v).await["images"], images);
    assert_eq!(then.told(&v, "image-uploaded").await[0]["size_bytes"], image.len());
}

#[tokio::test]
async fn what_cannot_be_uploaded_is_refused() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let document = json!({ "process_type": "document" });
    let v = given.a_verification(document).await;
    let submitted = given.a_submitted_verification(json!({})).await;

    let not_accepted = when.uploads(&v, "selfie", jpeg("selfie")).await;
    not_accepted.problem(422, "depiction-not-accepted");
    for depiction in ["portrait", "FRONT", "front%2F", "%20"] {
        when.uploads(&v, depiction, jpeg("x")).await.problem(404, "not-found");
    }
    let theirs = stage.stranger.put_image(&v.id, "front").body(jpeg("x")).ask().await;
    theirs.problem(404, "not-found");
    for id in ["vrf_00000000000000000000000000", "nonsense", "vrf_"] {
        let answer = when.caller.put_image(id, "front").body(jpeg("x")).ask().await;
        assert_eq!(answer.problem(404, "not-found"), theirs.problem(404, "not-found"));
    }
    let late = when.uploads(&submitted, "front", jpeg("late")).await;
    assert!(["already-submitted", "already-finished"].iter().any(|code| {
        late.status == 409 && late.body["type"] == format!("urn:proofline:problem:{code}")
    }));
    let at_work = given.a_verification_at_work().await;
    let late = when.uploads(&at_work, "front", jpeg("late")).await;
    late.problem(409, "already-submitted");

    let missing = when.submits(&v).await;
    assert_eq!(missing.problem(409, "images-missing")["images"], json!(["front"]));
    assert_eq!(then.shows(&v).await["images"], json!([]));
    assert!(then.told(&v, "upload-started").await.is_empty());
}

#[tokio::test]
async fn images_that_are_missing_are_named() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification(json!({})).await;

    let none = when.submits(&v).await;
    assert_eq!(none.problem(409, "images-missing")["images"], json!(["front", "selfie"]));
    when.uploads(&v, "front", jpeg("front")).await.says_nothing(204);
    let one = when.submits(&v).await;
    let problem = one.problem(409, "images-missing");
    assert_eq!(problem["images"], json!(["selfie"]));
    assert!(problem["detail"].as_str().unwrap().contains("selfie"), "{problem}");

    assert_eq!(then.shows(&v).await["status"], "awaiting_images");
}

#[tokio::test]
async fn while_an_image_is_on_its_way_neither_another_one_nor_a_submission_is_taken() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_complete_verification(json!({})).await;
    let (trickle, body) = Trickle::new();
    trickle.send(&jpeg("slow "));
    let slow = tokio::spawn(stage.caller.put_image(&v.id, "front").body(body).ask());
    then.is_told(&v, "upload-started", 3).await;

    when.uploads(&v, "front", jpeg("other")).await.come_again(409, "upload-in-progress");
    when.submits(&v).await.come_again(409, "upload-in-progress");
    when.uploads(&v, "selfie", jpeg("other")).await.says_nothing(204);
    trickle.send(b"but steady");
    trickle.end();
    slow.await.unwrap().says_nothing(204);

    let images = then.simulator.process_of(&v).await["images"].clone();
    assert_eq!(images["front"], digest(&jpeg("slow but steady")));
    when.submits(&v).await.is(202);
}

#[tokio::test]
async fn an_upload_that_breaks_off_changes_nothing() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_complete_verification(json!({})).await;
    let before = then.simulator.process_of(&v).await["images"].clone();
    let url = Url::parse(&stage.caller.uploads).unwrap();

    let mut broken =
        TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.unwrap();
    let head = format!(
        "PUT /v1/verifications/{}/images/front HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\
         authorization: Bearer {}\r\n\r\n",
        v.id, stage.caller.key
    );
    broken.write_all(&[head.as_bytes(), &jpeg("half of it")].concat()).await.unwrap();
    then.is_told(&v, "upload-started", 3).await;
    drop(broken);
    then.is_told(&v, "upload-failed", 1).await;

    assert_eq!(then.shows(&v).await["images"], json!(["front", "selfie"]));
    assert_eq!(then.simulator.process_of(&v).await["images"], before);
    when.submits(&v).await.is(202);
    then.ends_as(&v, "accepted", "").await;
    assert_eq!(then.simulator.process_of(&v).await["verified"], before);
}

#[tokio::test]
async fn an_upload_that_ended_unknown_must_come_again() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_complete_verification(json!({})).await;
    let lost_answer = json!({ "when": { "next": 1 }, "carriedOut": true });
    when.simulator.goes_wrong("setImages", json!("reset"), lost_answer).await;

    when.uploads(&v, "front", jpeg("perhaps")).await.come_again(503, "assure-unavailable");
    let seen = then.shows(&v).await;
    assert_eq!(seen["images"], json!(["selfie"]));
    assert_eq!(seen["next_action"]["depictions"], json!(["front"]));
    let refused = when.submits(&v).await;
    assert_eq!(refused.problem(409, "images-missing")["images"], json!(["front"]));

    when.uploads(&v, "front", jpeg("surely")).await.says_nothing(204);
    when.submits(&v).await.is(202);
    then.finishes(&v).await;
    let verified = then.simulator.process_of(&v).await["verified"].clone();
    assert_eq!(verified["front"], digest(&jpeg("surely")));
}

#[tokio::test]
async fn a_signed_url_is_good_for_its_image_alone_and_needs_no_api_key() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let another = given.a_verification(json!({})).await;

    put(&stage, v.upload_url("front"), jpeg("front")).await.says_nothing(204);
    let renewed = then.shows(&v).await["next_action"]["upload_urls"]["selfie"].clone();
    assert_ne!(renewed, v.upload_url("selfie"), "GET renews it");
    put(&stage, renewed.as_str().unwrap(), jpeg("selfie")).await.says_nothing(204);
    put(&stage, v.upload_url("selfie"), jpeg("again")).await.says_nothing(204);

    let address = |v: &Verification, depiction: &str| {
        v.upload_url(depiction).split_once('?').unwrap().0.to_owned()
    };
    let token = v.upload_token("front");
    for url in [
        format!("{}?token={token}", address(&v, "back")),
        format!("{}?token={token}", address(&another, "front")),
        format!("{}?token=garbage", address(&v, "front")),
        format!("{}?token=", address(&v, "front")),
        format!("{}?token={}", address(&v, "front"), &token[..token.len() - 4]),
        v.upload_url_with("front", &v.minted_token("front", -Duration::SECOND)),
    ] {
        // A valid API key does not make up for a wrong token.
        let request = stage.caller.http.put(&url).bearer_auth(stage.caller.key).body(jpeg("x"));
        request.ask().await.problem(403, "upload-url-invalid");
    }
    let url = v.upload_url_with("front", &v.minted_token("front", Duration::MINUTE));
    put(&stage, &url, jpeg("minted as the expired one was")).await.says_nothing(204);
    put(&stage, &address(&v, "front"), jpeg("x")).await.problem(401, "unauthorized");
    assert_eq!(then.shows(&another).await["images"], json!([]));
    when.submits(&v).await.is(202);
    let url = v.upload_url("front");
    assert_eq!(put(&stage, url, jpeg("late")).await.status, 409);
}

#[tokio::test]
async fn browsers_on_listed_origins_may_upload_and_no_others() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let url = v.upload_url("front");
    let request = |method: Method, origin: &str, url: &str| {
        stage.caller.http.request(method, url).header("origin", origin)
    };
    let preflight = |origin: &'static str| {
        let request = request(Method::OPTIONS, origin, url);
        let request = request.header("access-control-request-method", "PUT");
        request.header("access-control-request-headers", "content-type").ask()
    };
    let allowed =
        |answer: &Answer| answer.header("access-control-allow-origin").map(ToOwned::to_owned);

    let listed = preflight(ACME_ORIGIN).await;
    assert_eq!(allowed(&listed).as_deref(), Some(ACME_ORIGIN));
    assert!(listed.header("access-control-allow-methods").unwrap().contains("PUT"));
    let headers = listed.header("access-control-allow-headers").unwrap().to_lowercase();
    assert!(headers.contains("content-type"), "{headers}");
    assert!(listed.header("vary").unwrap().to_lowercase().contains("origin"));
    listed.says_nothing(204);
    for origin in [OTHER_ORIGIN, "https://evil.example", "http://app.acme.example", "null"] {
        assert_eq!(allowed(&preflight(origin).await), None, "{origin}");
    }

    let refused = request(Method::PUT, ACME_ORIGIN, url).body(heic()).ask().await;
    assert_eq!(allowed(&refused).as_deref(), Some(ACME_ORIGIN), "the page must see why");
    refused.problem(415, "unsupported-image");
    let unlisted = request(Method::PUT, OTHER_ORIGIN, url).body(jpeg("front")).ask().await;
    assert_eq!(allowed(&unlisted), None);
    let uploaded = request(Method::PUT, ACME_ORIGIN, url).body(jpeg("front")).ask().await;
    assert_eq!(allowed(&uploaded).as_deref(), Some(ACME_ORIGIN));
    uploaded.says_nothing(204);
    assert_eq!(then.shows(&v).await["images"], json!(["front"]));
}

#[tokio::test]
async fn with_assure_away_an_upload_is_503_and_safe_to_repeat() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification(json!({ "submit_when": ["front", "selfie"] })).await;
    when.uploads(&v, "selfie", jpeg("selfie")).await.says_nothing(204);
    let limited = json!({ "status": { "code": 429, "retryAfter": { "seconds": 2 } } });
    when.simulator.goes_wrong("setImages", limited, json!({ "when": { "next": 1 } })).await;

    let answer = when.uploads(&v, "front", jpeg("front")).await;
    assert!(answer.come_again(503, "assure-unavailable") <= 2);
    eventually("the repeat is 204", async || {
        let answer = when.uploads(&v, "front", jpeg("front")).await;
        if answer.status == 204 { Ok(()) } else { Err(answer.body.to_string()) }
    })
    .await;

    then.ends_as(&v, "accepted", "").await;
}
