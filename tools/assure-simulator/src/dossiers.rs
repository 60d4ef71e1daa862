//! Dossiers: create, read, list, delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use proofline_assure::wire;
use serde::Serialize;

use crate::body::Object;
use crate::clock::stamp;
use crate::error::Refusal;
use crate::simulator::Simulator;
use crate::status::Status;
use crate::store::Process;

/// How many the list shows.
const LISTED: usize = 100;

/// Get dossier: the dossier and a line for each of its processes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DossierResponse {
    #[serde(flatten)]
    dossier: wire::Dossier,
    processes: Vec<Line>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    process_id: String,
    provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_type: Option<&'static str>,
    status: Status,
    created_at: String,
    updated_at: String,
}

impl From<&Process> for Line {
    fn from(process: &Process) -> Self {
        Self {
            process_id: process.id.clone(),
            provider: process.provider.as_str().to_owned(),
            process_type: process.process_type,
            status: process.visible_status().clone(),
            created_at: stamp(process.created_at),
            updated_at: stamp(process.updated_at),
        }
    }
}

/// `POST /dossiers`.
pub(crate) async fn create(
    State(simulator): State<Arc<Simulator>>,
    body: Object,
) -> Result<(StatusCode, Json<wire::Dossier>), Refusal> {
    let request: wire::CreateDossier = body.into()?;
    let now = simulator.clock.now();
    let mut store = simulator.store();
    let dossier = store.add_dossier(request.external_reference, now).wire();
    Ok((StatusCode::CREATED, Json(dossier)))
}

/// `GET /dossiers`: the last hundred, newest first.
pub(crate) async fn list(State(simulator): State<Arc<Simulator>>) -> Json<Vec<wire::Dossier>> {
    let store = simulator.store();
    let newest = store.dossiers().into_iter().rev().take(LISTED);
    Json(newest.map(|d| d.wire()).collect())
}

/// `GET /dossiers/{dossierId}`.
pub(crate) async fn get(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
) -> Result<Json<DossierResponse>, Refusal> {
    let store = simulator.store();
    let dossier = store.dossier(&id)?;
    Ok(Json(DossierResponse {
        dossier: dossier.wire(),
        processes: dossier.processes.iter().map(Line::from).collect(),
    }))
}

/// `DELETE /dossiers/{dossierId}`.
pub(crate) async fn delete(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    simulator.store().remove_dossier(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /dossiers/all`: stops at the first that can't be deleted.
pub(crate) async fn delete_all(
    State(simulator): State<Arc<Simulator>>,
) -> Result<StatusCode, Refusal> {
    let mut store = simulator.store();
    let ids: Vec<_> = store.dossiers().into_iter().map(|d| d.id.clone()).collect();
    for id in ids {
        store.remove_dossier(&id)?;
    }
    Ok(StatusCode::NO_CONTENT)
}
