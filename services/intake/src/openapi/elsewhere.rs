//! Bodies that are made elsewhere: the result, which result-normaliser seals, and Assure's own lists.
#![expect(dead_code, reason = "they describe; nothing makes them here")]

use serde_json::Value;
use utoipa::ToSchema;

use super::words::Outcome;

/// What came of a verification.
#[derive(ToSchema)]
#[schema(as = Result)]
pub(crate) struct ResultDocument {
    /// The verification's id.
    verification_id: String,
    /// How it ended.
    outcome: Outcome,
    /// Assure's name of the provider.
    provider: String,
    /// Assure's name of the process type.
    #[schema(required = true)]
    process_type: Option<String>,
    /// The end-user's data, normalised: the same members for every provider. Only for an accepted
    /// document verification.
    #[schema(required = true)]
    final_result: Option<FinalResult>,
    /// What the provider said, untouched.
    #[schema(required = true)]
    provider_result: Value,
    /// Flow `eid`: what the electronic identity tells of the end-user, an object or a JWT, not
    /// normalised.
    #[schema(required = true)]
    user_info: Value,
    /// Assure's whole answer to Get process, untouched; null where there never was a process.
    #[schema(required = true)]
    process: Value,
    /// What Assure holds images of.
    depictions: Vec<Value>,
    /// When it was read from Assure; null where Assure gave nothing.
    #[schema(required = true, format = DateTime)]
    fetched_at: Option<String>,
    /// Names of members that were too large to keep; usually empty.
    omitted: Vec<String>,
}

/// The end-user's data, normalised: a text each, or null, but `liveness_detected`. A value that can't
/// be mended stays as it came, whatever it is.
#[derive(ToSchema)]
pub(crate) struct FinalResult {
    #[schema(required = true)]
    first_name: Value,
    #[schema(required = true)]
    last_name: Value,
    #[schema(required = true)]
    last_name_second_line: Value,
    /// `YYYY-MM-DD`.
    #[schema(required = true)]
    date_of_birth: Value,
    #[schema(required = true)]
    place_of_birth: Value,
    #[schema(required = true)]
    gender: Value,
    /// ISO 3166 alpha-3.
    #[schema(required = true)]
    nationality: Value,
    #[schema(required = true)]
    personal_identification_number: Value,
    /// Assure's name of the type.
    #[schema(required = true)]
    document_type: Value,
    #[schema(required = true)]
    document_number: Value,
    /// ISO 3166 alpha-3.
    #[schema(required = true)]
    issuing_country: Value,
    /// `YYYY-MM-DD`.
    #[schema(required = true)]
    date_of_issue: Value,
    /// `YYYY-MM-DD`.
    #[schema(required = true)]
    date_of_expiry: Value,
    /// How alike selfie and document are: `veryLow`, `low`, `medium` or `high`.
    #[schema(required = true)]
    similarity_score: Value,
    /// Whether a living person was seen: a boolean.
    #[schema(required = true)]
    liveness_detected: Value,
}

/// A document that a provider can check, as Assure describes it.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DocumentType {
    /// ISO 3166 alpha-3.
    country: Option<String>,
    country_name: Option<String>,
    /// For `document.type` of a creation.
    r#type: Option<String>,
    sub_type: Option<String>,
    name: Option<String>,
    /// Its format, such as `TD3`.
    icao: Option<String>,
    /// For `document.id` of a creation.
    id: Option<i64>,
}
