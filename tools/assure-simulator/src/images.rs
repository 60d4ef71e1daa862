//! Images of a process: set, replaced until verification starts, read back.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::body;
use crate::data_url::{self, Fault};
use crate::error::Refusal;
use crate::processes::Ids;
use crate::providers::Provider;
use crate::results;
use crate::simulator::Simulator;
use crate::status::Status;
use crate::store::{Depiction, Image, Process};

/// For member names, media types and white space around the images of one request.
const ENVELOPE: usize = 64 * 1024;

/// One grey pixel.
const PICTURE: &[u8] = include_bytes!("../samples/media/image.png");

/// `POST /dossiers/{dossierId}/processes/{processId}/images`.
pub(crate) async fn set(
    State(simulator): State<Arc<Simulator>>,
    Path((dossier, process)): Ids,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let limit = simulator.settings.max_image_bytes;
    let (parts, body) = request.into_parts();
    let all_images = limit.div_ceil(3).saturating_mul(4).saturating_mul(Depiction::ALL.len());
    let bytes = body::read(body, all_images.saturating_add(ENVELOPE)).await?;
    check_takes_images(simulator.store().process(&dossier, &process)?)?;

    body::check_media_type(&parts.headers)?;
    // Megabytes to decode and to hash: not on a thread that serves other calls.
    let images = tokio::task::spawn_blocking(move || decode_all(&bytes, limit))
        .await
        .map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Decoding failed."))??;

    let now = simulator.clock.now();
    let mut store = simulator.store();
    let process = store.process_mut(&dossier, &process)?;
    // Again: verification may have started while the images were decoded.
    check_takes_images(process)?;
    let accepted = process.provider.depictions(process.process_type);
    if images.iter().any(|(depiction, _)| !accepted.contains(depiction)) {
        return Err(Refusal::bad_request("The provider takes no such depiction."));
    }
    process.images.extend(images);
    process.updated_at = now;
    Ok(StatusCode::CREATED)
}

/// `GET /dossiers/{dossierId}/processes/{processId}/images?depiction=`.
pub(crate) async fn get(
    State(simulator): State<Arc<Simulator>>,
    Path((dossier, process)): Ids,
    uri: Uri,
) -> Result<Response, Refusal> {
    let store = simulator.store();
    let process = store.process(&dossier, &process)?;
    let query = uri.query().unwrap_or_default();
    let wanted = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "depiction")
        .map(|(_, value)| value)
        .ok_or_else(|| Refusal::bad_request("The query needs a depiction."))?;
    let result = results::body(process);
    let is_portrait = wanted == "portrait" && process.provider.has_portrait();
    if Depiction::parse(&wanted).is_none() && !is_portrait && !lists(&result, &wanted) {
        return Err(Refusal::bad_request("The provider has no such depiction."));
    }
    if withholds(&result) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "The images are not fully redacted."));
    }
    let image = find(process, &result, &wanted).ok_or_else(|| Refusal::not_found("image"))?;
    let binary = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((binary, image).into_response())
}

/// Every image that the finished process lists and may hand out, by depiction.
pub(crate) fn all(process: &Process, result: &Map<String, Value>) -> Vec<(String, Bytes)> {
    if withholds(result) {
        return Vec::new();
    }
    let listed = result.get("depictions").and_then(Value::as_array);
    let names = listed.into_iter().flatten().filter_map(Value::as_str);
    names.filter_map(|name| Some((name.to_owned(), find(process, result, name)?))).collect()
}

/// What was uploaded, or else stands for what an SDK or a hosted page took.
fn find(process: &Process, result: &Map<String, Value>, depiction: &str) -> Option<Bytes> {
    let uploaded = Depiction::parse(depiction).and_then(|d| process.images.get(&d));
    match uploaded {
        Some(image) => Some(image.bytes.clone()),
        None => lists(result, depiction).then(|| Bytes::from_static(PICTURE)),
    }
}

fn lists(result: &Map<String, Value>, depiction: &str) -> bool {
    let listed = result.get("depictions").and_then(Value::as_array);
    listed.is_some_and(|listed| listed.iter().any(|d| d == depiction))
}

/// Whether images were to be redacted and are not, which may still come.
fn withholds(result: &Map<String, Value>) -> bool {
    let redacted = result.get("providerSpecific").and_then(|p| p.get("redactionResult"));
    result.get("redactionRequested").is_some_and(|requested| *requested == true)
        && redacted.is_none_or(|r| r["isFullRedaction"] != true)
}

fn check_takes_images(process: &Process) -> Result<(), Refusal> {
    if process.status != Status::Pending {
        return Err(Refusal::conflict("Verification has started: no more images."));
    }
    if process.provider.depictions(process.process_type).is_empty() {
        return Err(Refusal::bad_request(
            "The provider takes no images through this API for this processType.",
        ));
    }
    let needs_type = matches!(process.provider, Provider::Onfido | Provider::SignicatPaper);
    if needs_type && process.request.document_type.is_none() {
        return Err(Refusal::bad_request(
            "The process was created without documentType, which uploads need.",
        ));
    }
    Ok(())
}

/// The text of a member, borrowed from the body: at ten megabytes a copy counts.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn decode_all(body: &[u8], limit: usize) -> Result<Vec<(Depiction, Image)>, Refusal> {
    let members: BTreeMap<String, Text<'_>> = serde_json::from_slice(body)
        .map_err(|_| Refusal::bad_request("The body is not a JSON object of strings."))?;
    if members.is_empty() {
        return Err(Refusal::bad_request("There is no image in the body."));
    }
    members
        .into_iter()
        .map(|(name, Text(url))| {
            let depiction = Depiction::parse(&name)
                .ok_or_else(|| Refusal::bad_request("There is a member that is no depiction."))?;
            let bytes = data_url::decode(&url, limit).map_err(|fault| explain(depiction, fault))?;
            let digest = hex(&Sha256::digest(&bytes));
            Ok((depiction, Image { bytes: bytes.into(), digest }))
        })
        .collect()
}

fn explain(depiction: Depiction, fault: Fault) -> Refusal {
    let name = depiction.as_str();
    let text = match fault {
        Fault::TooLarge => return Refusal::too_large(format!("{name} is too large.")),
        Fault::NoDataUrl => "must be a data URL of a JPEG or PNG in base64",
        Fault::NoBase64 => "must be standard base64",
        Fault::NoImage => "is not an image of the kind it says",
    };
    Refusal::bad_request(format!("{name} {text}."))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
