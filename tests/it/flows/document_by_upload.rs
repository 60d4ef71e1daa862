//! Document flow, the images through Proofline.

use serde_json::{Value, json};

use super::{
    rows::each_end_of,
    way::{Way, enrolment},
};
use crate::harness::Stage;

const PASSPORT: i64 = 101;
/// With a back too.
const IDENTITY_CARD: i64 = 102;

#[tokio::test]
async fn onfido_verifies_a_document_and_a_selfie() {
    let stage = Stage::start().await;
    let document = json!({ "document": { "type": "passport" } });
    let ways = [
        Way::upload("onfido", "documentSelfie", &["front", "selfie"]).with(document.clone()),
        Way::upload("onfido", "document", &["front", "back"]).with(document),
    ];

    each_end_of(&stage, &ways).await;
}

#[tokio::test]
async fn signicat_paper_verifies_a_document() {
    let stage = Stage::start().await;
    let document = json!({ "type": "identityCard", "country": "NLD" });
    let plain =
        Way::upload("signicatpaper", "", &["front", "back"]).with(json!({ "document": document }));
    let redacted = plain.clone().with(json!({ "options": { "redact": ["photo"] } }));

    each_end_of(&stage, &[plain, redacted]).await;
}

#[tokio::test]
async fn what_signicat_paper_is_to_redact_reaches_it() {
    let stage = Stage::start().await;
    let (_, _, then) = stage.acts();
    let way = |redact: &[&str]| {
        Way::upload("signicatpaper", "", &["front"]).with(json!({
            "document": { "type": "identityCard", "country": "NLD" },
            "options": { "redact": redact },
        }))
    };
    let redacted =
        |partly, fully| json!({ "isPartialRedaction": partly, "isFullRedaction": fully });
    for (redact, result) in [
        (&[][..], Value::Null),
        (&["photo"], redacted(true, true)),
        (&["photo", "mrz"], redacted(true, false)),
    ] {
        let way = way(redact);
        let v = way.begin(&stage, &[]).await;
        way.act(&stage, &v, "").await;
        then.ends_as(&v, "accepted", "").await;
        assert_eq!(then.result(&v).await["provider_result"]["redactionResult"], result);
    }
}

#[tokio::test]
async fn picture_id_verifies_one_page_or_two_and_a_selfie() {
    let stage = Stage::start().await;
    let way = |process_type, images, id: i64| {
        Way::upload("signicatpictureid", process_type, images)
            .with(json!({ "document": { "id": id } }))
    };
    let ways = [
        way("documentSelfie", &["front", "selfie"], PASSPORT),
        way("documentSelfie", &["front", "back", "selfie"], IDENTITY_CARD),
        way("document", &["front"], PASSPORT),
        way("document", &["front", "back"], IDENTITY_CARD),
    ];

    each_end_of(&stage, &ways).await;
}

#[tokio::test]
async fn facetec_compares_an_image_with_its_enrolment() {
    let stage = Stage::start().await;
    let ways = [
        Way::upload("facetec", "", &["selfie"]).submitted_with(enrolment("selfie")),
        Way::upload("facetec", "", &["front"]).submitted_with(enrolment("front")),
    ];

    each_end_of(&stage, &ways).await;
}
