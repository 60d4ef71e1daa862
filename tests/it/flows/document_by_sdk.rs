//! Document flow, the provider's SDK in the caller's own page or app.

use serde_json::json;

use super::{
    rows::each_end_of,
    way::{Way, enrolment},
};
use crate::harness::Stage;

#[tokio::test]
async fn onfido_takes_a_video_too() {
    let stage = Stage::start().await;
    let referrer = json!({ "parameters": { "referrer": "https://app.acme.example/*" } });
    let ways = ["documentSelfie", "document", "documentVideo"]
        .map(|process_type| Way::sdk("onfido", process_type).with(referrer.clone()));

    each_end_of(&stage, &ways).await;
}

#[tokio::test]
async fn without_what_its_sdk_must_be_told_onfido_refuses_to_start() {
    let stage = Stage::start().await;
    let (_, _, then) = stage.acts();
    let refused = json!({
        "referrer": "https://app.acme.example/*", "consents": { "privacy": false },
    });
    for parameters in [json!({}), refused] {
        let way = Way::sdk("onfido", "documentSelfie").with(json!({ "parameters": parameters }));
        let v = way.begin(&stage, &[]).await;
        way.act(&stage, &v, "").await;
        then.ends_as(&v, "failed", "start-refused").await;
    }
}

#[tokio::test]
async fn video_id_has_only_an_sdk() {
    let stage = Stage::start().await;
    let ways = [
        Way::sdk("signicatvideoid", "high").never(&["inconclusive"]),
        Way::sdk("signicatvideoid", "substantial"),
        Way::sdk("signicatvideoid", "substantialFullyAuto").never(&["inconclusive"]),
    ];

    each_end_of(&stage, &ways).await;
}

#[tokio::test]
async fn read_id_has_an_sdk_and_an_app_that_finishes_by_itself() {
    let stage = Stage::start().await;

    each_end_of(&stage, &[Way::sdk("readid", "sdk"), Way::app()]).await;
}

#[tokio::test]
async fn facetec_compares_what_its_sdk_took_with_an_uploaded_image() {
    let stage = Stage::start().await;
    let uploaded = Way::upload("facetec", "", &["front"])
        .with(json!({ "capture_by": "sdk" }))
        .submitted_with(enrolment("front"));

    each_end_of(&stage, &[uploaded]).await;
}
