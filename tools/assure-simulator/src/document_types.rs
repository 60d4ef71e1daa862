//! Document types: the words of the API, and what each provider reads (a small, invented choice).

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use proofline_assure::wire::DOCUMENT_TYPES;
use serde::Serialize;

use crate::error::Refusal;
use crate::providers::Provider;

/// Country, its name, type, subtype, name of the document, ICAO form, PictureID's and VideoID's number.
type Row =
    (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, i64);

const DOCUMENTS: &[Row] = &[
    ("NOR", "Norway", "passport", "", "Norwegian passport", "TD3", 101),
    ("NOR", "Norway", "identityCard", "", "Norwegian identity card", "TD1", 102),
    ("NOR", "Norway", "driversLicense", "", "Norwegian driving licence", "", 103),
    ("NOR", "Norway", "residencePermit", "", "Norwegian residence permit", "TD1", 104),
    ("SWE", "Sweden", "passport", "", "Swedish passport", "TD3", 201),
    ("SWE", "Sweden", "identityCard", "", "Swedish identity card", "TD1", 202),
    ("NLD", "Netherlands", "passport", "2021", "Dutch passport of 2021", "TD3", 301),
    ("NLD", "Netherlands", "identityCard", "2021", "Dutch identity card of 2021", "TD1", 302),
    ("NLD", "Netherlands", "driversLicense", "", "Dutch driving licence", "", 303),
    ("DEU", "Germany", "passport", "", "German passport", "TD3", 401),
    ("DEU", "Germany", "identityCard", "", "German identity card", "TD1", 402),
    ("PRT", "Portugal", "identityCard", "", "Portuguese citizen card", "TD1", 502),
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DocumentType {
    country: &'static str,
    country_name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    sub_type: &'static str,
    name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    icao: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
}

/// Whether the reference knows the word.
pub(crate) fn is_known(word: &str) -> bool {
    DOCUMENT_TYPES.contains(&word)
}

/// How many pages of a numbered document must be shown.
pub(crate) fn pages(id: i64) -> Option<u8> {
    let (_, _, kind, ..) = DOCUMENTS.iter().find(|row| row.6 == id)?;
    Some(if *kind == "passport" { 1 } else { 2 })
}

/// `GET /{providerName}/document-types`.
pub(crate) async fn list(Path(provider): Path<String>) -> Result<Response, Refusal> {
    let provider = Provider::parse(&provider).ok_or_else(|| Refusal::not_found("provider"))?;
    let (numbered, reads): (bool, fn(&Row) -> bool) = match provider {
        Provider::Onfido => (false, |_| true),
        // It compares with the machine-readable zone.
        Provider::SignicatPaper => (false, |row| !row.5.is_empty()),
        Provider::SignicatVideoid | Provider::SignicatPictureid => (true, |_| true),
        Provider::Readid | Provider::Facetec | Provider::Webid | Provider::Connect(_) => {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
    };
    let types: Vec<_> = DOCUMENTS
        .iter()
        .filter(|row| reads(row))
        .map(|&(country, country_name, kind, sub_type, name, icao, id)| DocumentType {
            country,
            country_name,
            kind,
            sub_type,
            name,
            icao,
            id: numbered.then_some(id),
        })
        .collect();
    Ok(Json(types).into_response())
}
