//! `POST /v1/verifications/{id}/submit`, where the provider has a say in it.

use serde_json::{Value, json};

use super::way::{Way, enrolment};
use crate::harness::{Stage, jpeg};

fn endless() -> [String; 1] {
    ["simulate:never-finishes".to_owned()]
}

#[tokio::test]
async fn facetec_is_not_submitted_without_a_whole_enrolment() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    let v = Way::upload("facetec", "", &[]).begin(&stage, &endless()).await;
    when.uploads(&v, "selfie", jpeg("selfie")).await.says_nothing(204);
    let (scan, depiction) = ("/parameters/facetecEnrollment", "/parameters/imageDepiction");
    let with = |member: &str, value: Value| {
        let mut parameters = enrolment("selfie");
        parameters[member] = value;
        parameters
    };

    for (parameters, pointers) in [
        (json!({}), vec![scan, depiction]),
        (json!({ "imageDepiction": "selfie" }), vec![scan]),
        (with("facetecEnrollment", json!("planted-face-scan")), vec![scan]),
        (with("facetecEnrollment", Value::Null), vec![scan]),
        (with("imageDepiction", Value::Null), vec![depiction]),
        (with("imageDepiction", json!("back")), vec![depiction]),
        (with("imageDepiction", json!("portrait")), vec![depiction]),
        (with("imageDepiction", json!(1)), vec![depiction]),
    ] {
        let answer = when.submits_with(&v, parameters).await;
        assert_eq!(answer.pointers(), pointers);
        let text = String::from_utf8_lossy(&answer.bytes);
        assert!(!text.contains("planted"), "what is confidential is not repeated: {text}");
    }
    assert_eq!(when.submits(&v).await.pointers(), [scan, depiction]);

    assert!(then.told(&v, "submission-requested").await.is_empty());
    when.submits_with(&v, enrolment("selfie")).await.is(202);
    then.reaches(&v, "verifying").await;
}

#[tokio::test]
async fn the_image_that_the_enrolment_is_compared_with_must_be_there() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    let v = Way::upload("facetec", "", &[]).begin(&stage, &endless()).await;
    let missing = async |depiction| {
        let answer = when.submits_with(&v, enrolment(depiction)).await;
        answer.problem(409, "images-missing").clone()
    };

    let neither = missing("selfie").await;
    assert_eq!(neither["images"], json!(["front", "selfie"]));
    when.uploads(&v, "front", jpeg("front")).await.says_nothing(204);
    let other = missing("selfie").await;
    assert_eq!(other["images"], json!(["selfie"]));
    when.submits_with(&v, enrolment("front")).await.is(202);

    then.reaches(&v, "verifying").await;
    let verified = &then.simulator.process_of(&v).await["verified"];
    assert_eq!(verified.as_object().unwrap().keys().collect::<Vec<_>>(), ["front"]);
}

#[tokio::test]
async fn picture_id_wants_a_back_where_the_document_has_one() {
    let stage = Stage::start().await;
    let (_, when, _) = stage.acts();
    let way = |id: i64| {
        Way::upload("signicatpictureid", "documentSelfie", &[])
            .with(json!({ "document": { "id": id } }))
    };
    let one_page = way(101).begin(&stage, &endless()).await;
    let two_pages = way(102).begin(&stage, &endless()).await;
    for v in [&one_page, &two_pages] {
        for depiction in ["front", "selfie"] {
            when.uploads(v, depiction, jpeg(depiction)).await.says_nothing(204);
        }
    }

    when.submits(&one_page).await.is(202);
    let answer = when.submits(&two_pages).await;
    assert_eq!(answer.problem(409, "images-missing")["images"], json!(["back"]));

    when.uploads(&two_pages, "back", jpeg("back")).await.says_nothing(204);
    when.submits(&two_pages).await.is(202);
}

#[tokio::test]
async fn the_reviewing_authority_of_video_id_reaches_assure() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    let way = Way::sdk("signicatvideoid", "high");
    let submitted = async |parameters: Value| {
        let v = way.begin(&stage, &[]).await;
        when.submits_with(&v, parameters).await.is(202);
        then.ends_as(&v, "accepted", "").await;
        then.result(&v).await["provider_result"]["manualApproval"]["rAuthorityId"].clone()
    };

    let authority = "3f6a0c0e-0000-4000-8000-00000000acme";
    assert_eq!(submitted(json!({ "rAuthorityId": authority })).await, authority);
    assert_ne!(submitted(json!({})).await, authority);
}

#[tokio::test]
async fn what_is_submitted_first_counts() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    let way = Way::sdk("signicatvideoid", "high");
    let v = way.begin(&stage, &endless()).await;

    when.submits_with(&v, json!({ "rAuthorityId": "the-first" })).await.is(202);
    when.submits_with(&v, json!({ "rAuthorityId": "the-second" })).await.is(202);
    when.submits(&v).await.is(202);
    then.reaches(&v, "verifying").await;
    when.submits_with(&v, json!({ "rAuthorityId": "the-third" })).await.is(202);

    when.simulator.finishes(&v, "accepted").await;
    then.ends_as(&v, "accepted", "").await;
    when.submits_with(&v, json!({ "rAuthorityId": "the-fourth" })).await.is(202);
    assert_eq!(then.told(&v, "submission-requested").await.len(), 1);
    assert_eq!(then.simulator.calls_of("startVerification", &v).await, 1);
    let result = then.result(&v).await;
    assert_eq!(result["provider_result"]["manualApproval"]["rAuthorityId"], "the-first");
}

#[tokio::test]
async fn where_the_end_user_does_it_all_there_is_nothing_to_submit() {
    let stage = Stage::start().await;
    let (_, when, then) = stage.acts();
    for way in [Way::page("videoid"), Way::capture("onfido", "documentSelfie"), Way::eid()] {
        let v = way.begin(&stage, &[]).await;

        when.submits(&v).await.problem(409, "nothing-to-submit");
        when.submits_with(&v, json!({ "rAuthorityId": "x" }))
            .await
            .problem(409, "nothing-to-submit");
        let image = when.uploads(&v, "front", jpeg("front")).await;
        image.problem(422, "depiction-not-accepted");

        assert_eq!(then.shows(&v).await["status"], "awaiting_end_user");
        way.act(&stage, &v, "accepted").await;
        then.ends_as(&v, "accepted", "").await;
        when.submits(&v).await.problem(409, "nothing-to-submit");
    }
    assert_eq!(stage.simulator.count_of("startVerification").await, 0);
    assert_eq!(stage.simulator.count_of("setImages").await, 0);
}
