//! How uploads lead to a submission, and what a page in a browser can read of them.

use futures_util::future::join_all;
use reqwest::{Method, Url};
use serde_json::json;
use time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::harness::{Answer, Ask, Caller, Stage, Trickle, Verification, digest, jpeg};

const ACME_ORIGIN: &str = "https://app.acme.example";
const OTHER_ORIGIN: &str = "https://app.other.example";

/// An upload of which half is sent; dropping it breaks it off.
async fn half_an_upload(caller: &Caller, v: &Verification, depiction: &str) -> TcpStream {
    let url = Url::parse(&caller.uploads).unwrap();
    let address = (url.host_str().unwrap(), url.port().unwrap());
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "PUT /v1/verifications/{}/images/{depiction} HTTP/1.1\r\nhost: x\r\n\
         content-length: 1000\r\nauthorization: Bearer {}\r\n\r\n",
        v.id, caller.key
    );
    let half = [head.as_bytes(), &jpeg("half of it")].concat();
    connection.write_all(&half).await.unwrap();
    connection
}

#[tokio::test]
async fn an_upload_that_breaks_off_after_the_last_image_came_still_leads_to_the_submission() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification(json!({ "submit_when": ["front", "selfie"] })).await;
    when.uploads(&v, "front", jpeg("front")).await.says_nothing(204);
    let second_front = half_an_upload(&stage.caller, &v, "front").await;
    then.is_told(&v, "upload-started", 2).await;

    when.uploads(&v, "selfie", jpeg("selfie")).await.says_nothing(204);
    assert!(then.told(&v, "submission-requested").await.is_empty(), "an image is on its way");
    drop(second_front);

    let told = then.is_told(&v, "submission-requested", 1).await;
    assert_eq!(told[0]["automatic"], true);
    then.ends_as(&v, "accepted", "").await;
    let verified = then.simulator.process_of(&v).await["verified"].clone();
    assert_eq!(verified["front"], digest(&jpeg("front")), "the one that was answered 204");
}

#[tokio::test]
async fn an_upload_that_is_refused_after_the_last_image_came_leads_to_it_too() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification(json!({ "submit_when": ["front", "selfie"] })).await;
    when.uploads(&v, "front", jpeg("front")).await.says_nothing(204);
    let refused = json!({ "status": { "code": 400, "body": "assure" } });
    when.simulator.goes_wrong("setImages", refused, json!({ "when": { "next": 1 } })).await;
    let (trickle, body) = Trickle::new();
    trickle.send(&jpeg("slow "));
    let slow = tokio::spawn(stage.caller.put_image(&v.id, "front").body(body).ask());
    then.is_told(&v, "upload-started", 2).await;
    then.simulator.count_reaches("setImages", 2).await;

    when.uploads(&v, "selfie", jpeg("selfie")).await.says_nothing(204);
    trickle.end();

    slow.await.unwrap().problem(422, "assure-refused");
    then.ends_as(&v, "accepted", "").await;
    let verified = then.simulator.process_of(&v).await["verified"].clone();
    assert_eq!(verified["front"], digest(&jpeg("front")));
}

#[tokio::test]
async fn one_of_which_nobody_knows_holds_the_submission_until_it_has_come_again() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let v = given.a_verification(json!({ "submit_when": ["front", "selfie"] })).await;
    when.uploads(&v, "front", jpeg("front")).await.says_nothing(204);
    let lost_answer = json!({ "when": { "next": 1 }, "carriedOut": true });
    when.simulator.goes_wrong("setImages", json!("reset"), lost_answer).await;
    let (trickle, body) = Trickle::new();
    trickle.send(&jpeg("perhaps "));
    let slow = tokio::spawn(stage.caller.put_image(&v.id, "front").body(body).ask());
    then.is_told(&v, "upload-started", 2).await;
    then.simulator.count_reaches("setImages", 2).await;

    when.uploads(&v, "selfie", jpeg("selfie")).await.says_nothing(204);
    trickle.end();

    slow.await.unwrap().come_again(503, "assure-unavailable");
    assert_eq!(then.shows(&v).await["images"], json!(["selfie"]));
    assert!(then.told(&v, "submission-requested").await.is_empty());
    when.uploads(&v, "front", jpeg("surely")).await.says_nothing(204);
    then.ends_as(&v, "accepted", "").await;
    let verified = then.simulator.process_of(&v).await["verified"].clone();
    assert_eq!(verified["front"], digest(&jpeg("surely")));
}

#[tokio::test]
async fn images_that_come_at_once_lead_to_one_submission() {
    let stage = Stage::start().await;
    let (given, when, then) = stage.acts();
    let depictions = ["front", "back", "selfie"];

    let verifications = join_all((0..5).map(async |_| {
        let v = given.a_verification(json!({ "submit_when": depictions })).await;
        let uploads = depictions.map(|depiction| when.uploads(&v, depiction, jpeg(depiction)));
        join_all(uploads).await.into_iter().for_each(|answer| answer.says_nothing(204));
        v
    }))
    .await;

    for v in &verifications {
        then.ends_as(v, "accepted", "").await;
        assert_eq!(then.told(v, "submission-requested").await.len(), 1);
        assert_eq!(then.simulator.calls_of("startVerification", v).await, 1);
    }
}

#[tokio::test]
async fn a_page_can_read_that_its_upload_url_is_over() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let ask = |method: Method, origin: &str, token: &str| {
        let request = stage.caller.http.request(method, v.upload_url_with("front", token));
        request.header("origin", origin).body(jpeg("front")).ask()
    };
    let allowed =
        |answer: &Answer| answer.header("access-control-allow-origin").map(ToOwned::to_owned);
    let expired = v.minted_token("front", -Duration::HOUR);

    let preflight = ask(Method::OPTIONS, ACME_ORIGIN, &expired).await;
    assert_eq!(allowed(&preflight).as_deref(), Some(ACME_ORIGIN));
    preflight.says_nothing(204);
    let answer = ask(Method::PUT, ACME_ORIGIN, &expired).await;
    answer.problem(403, "upload-url-invalid");
    assert_eq!(allowed(&answer).as_deref(), Some(ACME_ORIGIN));
    assert!(answer.header("vary").unwrap().to_lowercase().contains("origin"));

    // Whose page it would be is told by the token alone.
    let elsewhere = ask(Method::PUT, OTHER_ORIGIN, &expired).await;
    elsewhere.problem(403, "upload-url-invalid");
    assert_eq!(allowed(&elsewhere), None);
    let (key_id, _) = expired.split_once('.').unwrap();
    for token in ["", "garbage", &expired[..expired.len() - 4], &format!("{key_id}.AAAA")] {
        let answer = ask(Method::PUT, ACME_ORIGIN, token).await;
        answer.problem(403, "upload-url-invalid");
        assert_eq!(allowed(&answer), None, "{token}");
    }
    assert_eq!(then.shows(&v).await["images"], json!([]));
}

#[tokio::test]
async fn a_page_can_read_when_to_come_again() {
    let stage = Stage::start().await;
    let (given, _, then) = stage.acts();
    let v = given.a_verification(json!({})).await;
    let (trickle, body) = Trickle::new();
    trickle.send(&jpeg("slow "));
    let slow = tokio::spawn(stage.caller.put_image(&v.id, "front").body(body).ask());
    then.is_told(&v, "upload-started", 1).await;

    let request = stage.caller.http.put(v.upload_url("front")).header("origin", ACME_ORIGIN);
    let answer = request.body(jpeg("other")).ask().await;

    answer.come_again(409, "upload-in-progress");
    assert_eq!(answer.header("access-control-allow-origin"), Some(ACME_ORIGIN));
    let exposed = answer.header("access-control-expose-headers").unwrap().to_lowercase();
    assert!(exposed.contains("retry-after"), "{exposed}");
    trickle.end();
    slow.await.unwrap().says_nothing(204);
}
