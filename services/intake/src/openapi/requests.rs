//! Bodies of requests. They are read member by member, so that every fault is told at once; a test
//! keeps what is described here and what is read together.
#![expect(dead_code, reason = "they describe; nothing makes them")]

use serde_json::{Map, Value};
use utoipa::{
    ToSchema,
    openapi::{
        ArrayBuilder, ObjectBuilder, Type,
        schema::{Array, SchemaType},
    },
};

use super::words::{CaptureBy, Depiction, Flow};

/// A verification that is asked for.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "flow": "document", "provider": "onfido", "process_type": "documentSelfie",
    "capture_by": "upload", "document": { "type": "identityCard", "country": "NOR", "id": null },
    "submit_when": ["front", "selfie"], "reference": "order-778", "tags": ["web"],
    "return_url": null, "expires_in_seconds": 86400, "same_dossier_as": null,
    "user_data": null, "parameters": {}, "options": {}
})))]
pub(crate) struct CreateVerification {
    /// How the end-user is verified.
    flow: Flow,
    /// Assure's name of the provider.
    #[schema(max_length = 64, examples("onfido"))]
    provider: String,
    /// Assure's name of the process type; the provider's default when absent.
    #[schema(max_length = 64, examples("documentSelfie"))]
    process_type: Option<String>,
    /// Who takes the pictures: only in the document flow, where absent means `upload`.
    capture_by: Option<CaptureBy>,
    /// The document that will be shown: only in the document flow.
    document: Option<Document>,
    /// Submit by itself once these images are in; absent or empty: only when asked. Only in the
    /// document flow.
    #[schema(max_items = 3)]
    submit_when: Option<Vec<Depiction>>,
    /// Your own reference, of printable characters. Not for personal data.
    #[schema(max_length = 128, examples("order-778"))]
    reference: Option<String>,
    /// Your own tags, of printable characters. Not for personal data.
    #[schema(schema_with = tags)]
    tags: Option<Vec<String>>,
    /// Where the end-user lands afterwards, with `verification_id` appended. Required where a page is
    /// visited (`capture`, `eid` and `capture_by: page`). `https` (`http` for loopback), without user
    /// info, and its origin must be listed for you.
    #[schema(max_length = 1024, format = "uri", examples("https://app.acme.example/verified"))]
    return_url: Option<String>,
    /// Without an end by then it is `expired`. Absent: as the installation is set, usually a day.
    #[schema(minimum = 1, maximum = 2_592_000)]
    expires_in_seconds: Option<u32>,
    /// An earlier, finished verification of yours, whose dossier is used again.
    #[schema(pattern = "^vrf_[0-9a-z]{20,40}$")]
    same_dossier_as: Option<String>,
    /// For the dossier's user data in Assure. Proofline stores it nowhere.
    user_data: Option<Map<String, Value>>,
    /// Assure's `processParameters`, or `captureParameters` in the capture flow.
    parameters: Option<Map<String, Value>>,
    /// Any further member of Create process, passed on as it is, such as `redact`. Members that
    /// Proofline sets itself are refused.
    options: Option<Map<String, Value>>,
}

fn tags() -> Array {
    let tag = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(tag.max_length(Some(64)).build())
        .max_items(Some(20))
        .description(Some("Your own tags, of printable characters. Not for personal data."))
        .build()
}

/// The document that will be shown.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    /// Assure's name of the type.
    #[schema(max_length = 64, examples("identityCard"))]
    r#type: Option<String>,
    /// Two or three letters of ISO 3166, or `UNIV`.
    #[schema(pattern = "^([A-Za-z]{2,3}|UNIV)$", examples("NOR"))]
    country: Option<String>,
    /// Assure's number of it, where the provider has numbers.
    id: Option<i64>,
}

/// What a submission may bring along.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Submission {
    /// The provider's own members of Start verification, such as FaceTec's enrolment. Kept sealed, and
    /// only until they are used.
    parameters: Option<Map<String, Value>>,
}
