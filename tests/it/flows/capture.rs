//! Capture flow, Assure's hosted page.

use serde_json::json;

use super::{rows::each_end_of, way::Way};
use crate::harness::{Ask, Stage};

/// All process types of a provider.
async fn captures<const N: usize>(provider: &'static str, process_types: [&'static str; N]) {
    let stage = Stage::start().await;
    let ways = process_types.map(|process_type| match process_type {
        "high" | "substantialFullyAuto" => {
            Way::capture(provider, process_type).never(&["inconclusive"])
        }
        _ => Way::capture(provider, process_type),
    });

    each_end_of(&stage, &ways).await;
}

#[tokio::test]
async fn onfido_captures() {
    captures("onfido", ["documentSelfie", "document", "documentVideo"]).await;
}

#[tokio::test]
async fn video_id_captures() {
    captures("signicatvideoid", ["high", "substantial", "substantialFullyAuto"]).await;
}

#[tokio::test]
async fn read_id_captures_with_its_app() {
    captures("readid", ["ready"]).await;
}

#[tokio::test]
async fn signicat_paper_captures() {
    captures("signicatpaper", [""]).await;
}

#[tokio::test]
async fn picture_id_captures() {
    captures("signicatpictureid", ["documentSelfie", "document"]).await;
}

#[tokio::test]
async fn web_id_captures() {
    captures("webid", ["videoid", "accountid"]).await;
}

#[tokio::test]
async fn the_sdk_of_a_page_is_the_one_asked_for() {
    let stage = Stage::start().await;
    let answer = async |sdk: &str| {
        let way =
            Way::capture("signicatvideoid", "high").with(json!({ "options": { "sdk": sdk } }));
        stage.caller.post("/v1/verifications").json(&way.order(&[])).ask().await
    };

    answer("native").await.is(201);
    // VideoID has no other, but that is Assure's to say.
    answer("capture").await.problem(422, "assure-refused");
}
