//! What else can be fetched about a process: its video, all of it as a zip, a provider's raw result.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::error::Refusal;
use crate::images;
use crate::processes::Ids;
use crate::providers::Provider;
use crate::results;
use crate::simulator::Simulator;
use crate::store::Process;
use crate::zip;

/// A container without a track: enough for whoever hands it on, nothing for whoever plays it.
const VIDEO: &[u8] = include_bytes!("../samples/media/video.mp4");

/// `GET /dossiers/{dossierId}/processes/{processId}/video`.
pub(crate) async fn video(
    State(simulator): State<Arc<Simulator>>,
    Path((dossier, process)): Ids,
) -> Result<Response, Refusal> {
    let store = simulator.store();
    let process = store.process(&dossier, &process)?;
    if !takes_video(process) {
        return Err(Refusal::bad_request("The provider takes no video for this processType."));
    }
    if !results::is_verdict(process.visible_status()) {
        return Err(Refusal::not_found("video"));
    }
    Ok(([(header::CONTENT_TYPE, "video/mp4")], VIDEO).into_response())
}

/// `GET /dossiers/{dossierId}/processes/{processId}/download?includeTimestamps=`.
pub(crate) async fn download(
    State(simulator): State<Arc<Simulator>>,
    Path((dossier, process)): Ids,
    uri: Uri,
) -> Result<Response, Refusal> {
    let query = uri.query().unwrap_or_default();
    let with_timestamps = url::form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "includeTimestamps" && value == "true");
    let entries = {
        let store = simulator.store();
        let process = store.process(&dossier, &process)?;
        if !process.visible_status().is_final() {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        entries(process, with_timestamps)?
    };
    // Megabytes to copy and to sum up: not on a thread that serves other calls.
    let archive = tokio::task::spawn_blocking(move || {
        zip::archive(entries.iter().map(|(name, content)| (name.as_str(), content.as_ref())))
    });
    let archive = archive
        .await
        .map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Packing failed."))?;
    Ok(([(header::CONTENT_TYPE, "application/zip")], archive).into_response())
}

/// `GET /dossiers/{dossierId}/processes/{processId}/raw`.
pub(crate) async fn raw(
    State(simulator): State<Arc<Simulator>>,
    Path((dossier, process)): Ids,
) -> Result<Response, Refusal> {
    let store = simulator.store();
    let process = store.process(&dossier, &process)?;
    if process.provider != Provider::Readid {
        return Err(Refusal::not_found("raw result"));
    }
    if !process.visible_status().is_final() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(Json(session(process)).into_response())
}

fn takes_video(process: &Process) -> bool {
    match process.provider {
        Provider::SignicatVideoid => true,
        Provider::Onfido => process.process_type == Some("documentVideo"),
        Provider::Readid
        | Provider::SignicatPaper
        | Provider::SignicatPictureid
        | Provider::Facetec
        | Provider::Webid
        | Provider::Connect(_) => false,
    }
}

/// What goes into the zip. Names and layout differ from provider to provider and are documented
/// for none; the base names of media are.
fn entries(process: &Process, with_timestamps: bool) -> Result<Vec<(String, Bytes)>, Refusal> {
    let body = results::body(process);
    let has_video = takes_video(process) && results::is_verdict(process.visible_status());
    let data = body.get("providerSpecific").unwrap_or(&Value::Null);
    let mut entries = vec![("data.json".to_owned(), Bytes::from(data.to_string()))];
    for (depiction, image) in images::all(process, &body) {
        let kind = if image.starts_with(&[0xFF, 0xD8]) { "jpg" } else { "png" };
        entries.push((format!("{depiction}.{kind}"), image));
    }
    if has_video {
        entries.push(("video.mp4".to_owned(), Bytes::from_static(VIDEO)));
    }
    if with_timestamps {
        if !has_video || process.provider != Provider::SignicatVideoid {
            return Err(Refusal::not_found("timestamp"));
        }
        let timestamps = json!({"started": 0, "documentShown": 4000, "ended": 9000});
        entries.push(("timestamps.json".to_owned(), Bytes::from(timestamps.to_string())));
    }
    Ok(entries)
}

/// ReadID's own session: what the chip said, with where each datum came from and dates as the MRZ
/// has them. The reference declares nothing of it.
fn session(process: &Process) -> Value {
    let body = results::body(process);
    let identity = body.get("providerSpecific").and_then(|p| p.get("consolidatedIdentityData"));
    let mut session = json!({"sessionId": process.external_id, "finished": true});
    if let Some(Value::Object(identity)) = identity {
        session["consolidatedIdentityData"] = Value::Object(with_sources(identity));
    }
    session
}

fn with_sources(identity: &Map<String, Value>) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in identity {
        let value = match value.as_str() {
            Some(date) if name.starts_with("dateOf") => json!(mrz_date(date)),
            _ => value.clone(),
        };
        if !name.starts_with("chip") {
            members.insert(format!("{name}Source"), json!("MRZ"));
        }
        members.insert(name.clone(), value);
    }
    members
}

/// `1990-01-31` as `900131`.
fn mrz_date(date: &str) -> String {
    let digits: String = date.chars().filter(char::is_ascii_digit).collect();
    digits.get(2..).unwrap_or_default().to_owned()
}
