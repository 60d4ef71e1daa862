//! Start verification: the bare POST on the process itself, which freezes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use proofline_assure::wire;
use serde_json::{Map, Value};

use crate::body::Object;
use crate::error::Refusal;
use crate::files;
use crate::lifecycle;
use crate::processes::Ids;
use crate::providers::Provider;
use crate::simulator::Simulator;
use crate::status::Status;
use crate::store::{Depiction, Image, Process};

/// `POST /dossiers/{dossierId}/processes/{processId}`.
pub(crate) async fn start(
    State(simulator): State<Arc<Simulator>>,
    Path((dossier, process_id)): Ids,
    Object(body): Object,
) -> Result<Response, Refusal> {
    let answers_body = {
        let now = simulator.clock.now();
        let mut store = simulator.store();
        let files = store.dossier(&dossier)?.files.clone();
        let process = store.process_mut(&dossier, &process_id)?;
        if process.status != Status::Pending {
            return Err(Refusal::conflict("Verification was started before."));
        }
        let borrowed = files::fit_for(process, &files);
        check(process, &borrowed, &body).map_err(Refusal::bad_request)?;
        process.images.extend(borrowed);
        process.authority = body.get("rAuthorityId").and_then(Value::as_str).map(str::to_owned);
        process.freeze(now);
        !process.provider.starts_without_body()
    };
    lifecycle::started(&simulator, &process_id);
    if answers_body {
        let body = wire::ProcessStatus { process_id, status: Status::Processing.to_string() };
        Ok(Json(body).into_response())
    } else {
        Ok(StatusCode::NO_CONTENT.into_response())
    }
}

/// Whether the provider has what it needs, the images borrowed from the dossier included.
fn check(
    process: &Process,
    borrowed: &BTreeMap<Depiction, Image>,
    body: &Map<String, Value>,
) -> Result<(), String> {
    if process.script.start_refused {
        return Err("The simulator was told to refuse the start.".to_owned());
    }
    let required: &[Depiction] = match &process.provider {
        Provider::Onfido => {
            if !has_consent(process) {
                return Err("The end-user has not consented.".to_owned());
            }
            match process.process_type {
                // With an SDK the images go to the provider directly.
                _ if process.may_use_sdk() => &[],
                Some("documentSelfie") => &[Depiction::Front, Depiction::Selfie],
                Some("document") => &[Depiction::Front],
                _ => &[],
            }
        }
        Provider::SignicatPaper => &[Depiction::Front],
        Provider::SignicatPictureid => match (process.process_type, process.pages) {
            (Some("documentSelfie"), Some(2)) => &Depiction::ALL,
            (Some("documentSelfie"), _) => &[Depiction::Front, Depiction::Selfie],
            (_, Some(2)) => &[Depiction::Front, Depiction::Back],
            _ => &[Depiction::Front],
        },
        Provider::Facetec => facetec(body)?,
        Provider::Connect(_) => return Err("The eID flow has no such call.".to_owned()),
        Provider::SignicatVideoid | Provider::Readid | Provider::Webid => &[],
    };
    let is_there = |d: &Depiction| process.images.contains_key(d) || borrowed.contains_key(d);
    let missing: Vec<_> = required.iter().filter(|d| !is_there(d)).map(|d| d.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("Images are missing: {}.", missing.join(", ")))
}

/// Onfido's rule: consent to photos and videos of faces is needed from people in the USA, and a
/// `false` is never good enough.
fn has_consent(process: &Process) -> bool {
    if process.process_type == Some("document") {
        return true;
    }
    let consent = process.parameter("consents").and_then(|c| c.get("privacy"));
    let country = process.parameter("location").and_then(|l| l.get("countryOfResidence"));
    match consent.and_then(Value::as_bool) {
        Some(consent) => consent,
        None => country.and_then(Value::as_str) != Some("USA"),
    }
}

fn facetec(body: &Map<String, Value>) -> Result<&'static [Depiction], String> {
    let scan = body.get("facetecEnrollment").and_then(|e| e.get("faceScan"));
    if scan.is_none_or(|s| !s.is_string()) {
        return Err("facetecEnrollment with a faceScan is missing.".to_owned());
    }
    match body.get("imageDepiction").and_then(Value::as_str) {
        Some("front") => Ok(&[Depiction::Front]),
        Some("selfie") => Ok(&[Depiction::Selfie]),
        _ => Err("imageDepiction must be front or selfie.".to_owned()),
    }
}
