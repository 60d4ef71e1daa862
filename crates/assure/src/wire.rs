//! The bodies that travel between Assure and its clients, as Assure spells them (camelCase).
//!
//! Both the client and the simulator use these types; neither owns a second copy. Everything that
//! Assure sends may grow or lack members, so answers are read tolerantly: unknown members are
//! ignored here, and [`crate::Process`] keeps the whole answer beside the few members we act on.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Every `documentType` that Assure documents. An open list: others occur.
pub const DOCUMENT_TYPES: &[&str] = &[
    "driversLicense",
    "passport",
    "identityCard",
    "residencePermit",
    "workPermit",
    "voterId",
    "postalIdCard",
    "professionalQualificationCard",
    "professionalPermit",
    "socialSecurity",
    "panCard",
    "passportCard",
    "stateId",
    "visa",
    "asylumRegistrationCard",
    "nationalHealthInsuranceCard",
    "aadharCard",
    "immigrationStatusDocument",
    "indigenousCard",
    "municipalityIdentityCard",
    "privateOperatorsCard",
    "certificateOfSponsorship",
    "serviceIdCard",
    "taxId",
];

/// `POST /dossiers`: request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateDossier {
    /// The customer's own reference, carried by listings and events; Proofline sends its
    /// verification id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
}

/// A dossier, as create and list answer it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dossier {
    /// Opaque id.
    pub dossier_id: String,
    /// Absent when none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_reference: Option<String>,
    /// ISO 8601, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// ISO 8601, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// `GET /dossiers/{dossierId}`: answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DossierDetails {
    /// What create and list answer too.
    #[serde(flatten)]
    pub dossier: Dossier,
    /// Its processes.
    #[serde(default)]
    pub processes: Vec<ListedProcess>,
}

/// `POST /dossiers/{dossierId}/processes`: request. Nothing in it can be changed later. Like every
/// body here that holds personal data or secrets it is not `Debug`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateProcess {
    /// `onfido`, `signicatpaper`, …
    pub provider: String,
    /// Which of the provider's process types; the provider's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_type: Option<String>,
    /// Needed by providers that take images through this API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_type: Option<String>,
    /// ISO 3166 alpha-3 (alpha-2 in some of the vendor's text).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_country: Option<String>,
    /// Id from Get document types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_id: Option<i64>,
    /// The provider's own parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_parameters: Option<Map<String, Value>>,
    /// Copied to the tags of the completion event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_tags: Vec<String>,
    /// Where the callback goes (older generation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_url: Option<String>,
    /// Sent verbatim as `Authorization` of the callback (inferred).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_header: Option<String>,
    /// Members passed on as the caller gave them.
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

/// `POST /dossiers/{dossierId}/processes`: answer.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessCreated {
    /// Opaque id.
    pub process_id: String,
    /// As requested.
    #[serde(default)]
    pub provider: String,
    /// Absent for providers without process types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_type: Option<String>,
    /// `pending`.
    #[serde(default)]
    pub status: String,
    /// SDK token: a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// The provider's other artefacts, under their own names.
    #[serde(flatten)]
    pub artefacts: Map<String, Value>,
}

/// `POST /dossiers/{dossierId}/capture`: request.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartCapture {
    /// Exactly one: provider, process type, and what Create process has at its top level.
    pub providers: Vec<Map<String, Value>>,
    /// Where the end-user comes back, whatever the outcome.
    pub redirect_url: String,
    /// How the page looks and speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_parameters: Option<Map<String, Value>>,
    /// Copied to the tags of the completion event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_tags: Vec<String>,
    /// Where the callback goes (older generation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_url: Option<String>,
    /// Sent verbatim as `Authorization` of the callback (inferred).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_header: Option<String>,
    /// `sdk`, `requestDomain`.
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

/// `POST /dossiers/{dossierId}/capture`: answer. Other members may come with it.
#[derive(Clone, Serialize, Deserialize)]
pub struct CaptureStarted {
    /// Where the end-user goes: a secret. Required in practice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// `POST …/images`: request. Each member is a data URL, `data:image/jpeg;base64,…` or
/// `data:image/png;base64,…`. The client streams this body instead of building it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct SetImages {
    /// Front of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front: Option<String>,
    /// Back of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<String>,
    /// The end-user's face.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selfie: Option<String>,
}

/// Answer of Start verification where there is a body.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessStatus {
    /// Opaque id.
    pub process_id: String,
    /// `processing`.
    pub status: String,
}

/// The callback that Assure sends to `notificationUrl`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Callback {
    /// The dossier.
    pub dossier_id: String,
    /// The process.
    pub process_id: String,
    /// The final status, unsigned and so never believed.
    pub status: String,
}

/// One entry of `GET /processes`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedProcess {
    /// Opaque id.
    pub process_id: String,
    /// The dossier it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dossier: Option<Dossier>,
    /// As Assure spells it: `pending`, `processing`, or a final one.
    #[serde(default)]
    pub status: String,
    /// The provider's name.
    #[serde(default)]
    pub provider: String,
    /// Absent for providers without process types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_type: Option<String>,
    /// ISO 8601, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// `GET /processes`: answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessList {
    /// One page.
    pub processes: Vec<ListedProcess>,
    /// How many match, over all pages.
    #[serde(default)]
    pub total_results: u64,
}

/// An error body: the union of Assure's own shape and the platform's.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ErrorBody {
    /// Request path (Assure's shape).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    pub instance: Option<String>,
    /// Request method (Assure's shape).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    pub method: Option<String>,
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "status")]
    pub status: Option<u16>,
    /// `base:client-problem`, or the address of a documentation page.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    pub kind: Option<String>,
    /// Short text.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    pub title: Option<String>,
    /// Longer text, for people; may quote the request.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    pub detail: Option<String>,
    /// 32 hex digits, what Signicat's support asks for.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    pub trace_id: Option<String>,
    /// Constant such as `invalid_token` (platform's shape).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    pub code: Option<String>,
    /// OAuth error code (token endpoint).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    pub error: Option<String>,
    /// OAuth error text (token endpoint).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    pub error_description: Option<String>,
}

/// Answer of the token endpoint.
#[derive(Clone, Serialize, Deserialize)]
pub struct Token {
    /// Opaque bearer token.
    pub access_token: String,
    /// Lifetime in seconds.
    #[serde(default = "default_token_lifetime", deserialize_with = "seconds")]
    pub expires_in: u64,
    /// `Bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// What was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// The vendor's default lifetime, for an answer that doesn't say.
fn default_token_lifetime() -> u64 {
    600
}

/// A number, or one as text; the default lifetime for anything else.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    Ok(number.unwrap_or_else(default_token_lifetime))
}

/// A text; anything else counts as absent, so that one odd member does not hide the others.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_str().map(ToOwned::to_owned))
}

/// A status; likewise.
fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_u64().and_then(|number| number.try_into().ok()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_odd_member_does_not_hide_the_others() {
        let body = json!({ "status": "404", "title": 7, "detail": "gone", "traceId": "ab" });
        let body: ErrorBody = serde_json::from_value(body).unwrap();
        assert_eq!((body.status, body.title), (None, None));
        assert_eq!((body.detail.as_deref(), body.trace_id.as_deref()), (Some("gone"), Some("ab")));
        let token: Token =
            serde_json::from_value(json!({ "access_token": "t", "expires_in": "60" })).unwrap();
        assert_eq!(token.expires_in, 60);
    }
}
