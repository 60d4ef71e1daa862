//! Files of a dossier: images that its processes may use.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::body;
use crate::data_url::{self, Fault};
use crate::error::Refusal;
use crate::images;
use crate::results;
use crate::simulator::Simulator;
use crate::store::{Depiction, Image, Process};

/// For member names, media types and white space around the images of one request.
const ENVELOPE: usize = 64 * 1024;

/// What can be copied from a process, but not be uploaded.
const PORTRAIT: &str = "portrait";

/// `POST /dossiers/{dossierId}/files`: images, or a process to copy them from, or both.
pub(crate) async fn set(
    State(simulator): State<Arc<Simulator>>,
    Path(dossier): Path<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let limit = simulator.settings.max_image_bytes;
    let (parts, body) = request.into_parts();
    let all_images = limit.div_ceil(3).saturating_mul(4).saturating_mul(Depiction::ALL.len());
    let bytes = body::read(body, all_images.saturating_add(ENVELOPE)).await?;
    simulator.store().dossier(&dossier)?;
    body::check_media_type(&parts.headers)?;
    // Megabytes to decode and to hash: not on a thread that serves other calls.
    let (uploaded, source) = tokio::task::spawn_blocking(move || read(&bytes, limit))
        .await
        .map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Decoding failed."))??;

    let now = simulator.clock.now();
    let mut store = simulator.store();
    let copied = match source {
        Some(process) => copies(store.process(&dossier, &process)?)?,
        None => Vec::new(),
    };
    let dossier = store.dossier_mut(&dossier)?;
    dossier.files.extend(copied);
    dossier.files.extend(uploaded.into_iter().map(|(d, image)| (d.as_str().to_owned(), image)));
    dossier.updated_at = now;
    Ok(StatusCode::CREATED)
}

/// `GET /dossiers/{dossierId}/files?depiction=`.
pub(crate) async fn get(
    State(simulator): State<Arc<Simulator>>,
    Path(dossier): Path<String>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let store = simulator.store();
    let dossier = store.dossier(&dossier)?;
    let query = uri.query().unwrap_or_default();
    let (_, wanted) = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "depiction")
        .ok_or_else(|| Refusal::bad_request("The query needs a depiction."))?;
    if Depiction::parse(&wanted).is_none() && wanted != PORTRAIT {
        return Err(Refusal::bad_request("A dossier has no such depiction."));
    }
    let file = dossier.files.get(wanted.as_ref()).ok_or_else(|| Refusal::not_found("file"))?;
    let binary = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((binary, file.bytes.clone()).into_response())
}

/// `DELETE /dossiers/{dossierId}/files`: all of them.
pub(crate) async fn delete(
    State(simulator): State<Arc<Simulator>>,
    Path(dossier): Path<String>,
) -> Result<StatusCode, Refusal> {
    let now = simulator.clock.now();
    let mut store = simulator.store();
    let dossier = store.dossier_mut(&dossier)?;
    dossier.files.clear();
    dossier.updated_at = now;
    Ok(StatusCode::NO_CONTENT)
}

/// The files that a process without images of its own takes, as far as its provider can.
pub(crate) fn fit_for(
    process: &Process,
    files: &BTreeMap<String, Image>,
) -> BTreeMap<Depiction, Image> {
    if !process.images.is_empty() || process.may_use_sdk() {
        return BTreeMap::new();
    }
    let accepted = process.provider.depictions(process.process_type).iter();
    accepted.filter_map(|d| Some((*d, files.get(d.as_str())?.clone()))).collect()
}

/// The text of a member, borrowed from the body: at ten megabytes a copy counts.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

type Uploaded = Vec<(Depiction, Image)>;

fn read(body: &[u8], limit: usize) -> Result<(Uploaded, Option<String>), Refusal> {
    let mut members: BTreeMap<String, Text<'_>> = serde_json::from_slice(body)
        .map_err(|_| Refusal::bad_request("The body is not a JSON object of strings."))?;
    let source = members.remove("processId").map(|Text(id)| Cow::into_owned(id));
    if members.is_empty() && source.is_none() {
        return Err(Refusal::bad_request("There is neither an image nor a processId."));
    }
    let decoded = members.into_iter().map(|(name, Text(url))| {
        let depiction = Depiction::parse(&name)
            .ok_or_else(|| Refusal::bad_request("There is a member that is no depiction."))?;
        match data_url::decode(&url, limit) {
            Ok(bytes) => Ok((depiction, Image::new(bytes.into()))),
            Err(Fault::TooLarge) => Err(Refusal::too_large(format!("{name} is too large."))),
            Err(Fault::NoDataUrl | Fault::NoBase64 | Fault::NoImage) => {
                let text = format!("{name} must be a JPEG or PNG in a data URL in base64.");
                Err(Refusal::bad_request(text))
            }
        }
    });
    Ok((decoded.collect::<Result<_, _>>()?, source))
}

fn copies(process: &Process) -> Result<Vec<(String, Image)>, Refusal> {
    let images = if process.visible_status().is_final() {
        images::all(process, &results::body(process))
    } else {
        let uploaded = process.images.iter();
        uploaded.map(|(d, image)| (d.as_str().to_owned(), image.bytes.clone())).collect()
    };
    if images.is_empty() {
        return Err(Refusal::bad_request("The process has no images to copy."));
    }
    Ok(images.into_iter().map(|(name, bytes)| (name, Image::new(bytes))).collect())
}
