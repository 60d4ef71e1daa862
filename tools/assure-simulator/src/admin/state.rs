//! What happened so far, without the bytes of images and without capabilities.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::callbacks::Delivery;
use crate::calls::Call;
use crate::clock::stamp;
use crate::script::Script;
use crate::simulator::Simulator;
use crate::status::Status;
use crate::store::{Depiction, Dossier, Process};

#[derive(Serialize)]
pub(super) struct Everything {
    dossiers: Vec<DossierState>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DossierState {
    dossier_id: String,
    external_reference: Option<String>,
    created_at: String,
    has_user_data: bool,
    processes: Vec<ProcessState>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProcessState {
    process_id: String,
    provider: String,
    process_type: Option<&'static str>,
    /// The true one.
    status: Status,
    /// The one that reading calls show.
    visible_status: Status,
    event_tags: Vec<String>,
    wants_callback: bool,
    /// SHA-256 of each image, as it is now.
    images: BTreeMap<Depiction, String>,
    /// The same, as it was when verification started; null before.
    verified: Option<BTreeMap<Depiction, String>>,
    script: Script,
    callbacks: Vec<Delivery>,
}

#[derive(Serialize)]
pub(super) struct CallList {
    calls: Vec<Call>,
    counts: BTreeMap<&'static str, u64>,
}

/// `GET /simulator/state`.
pub(super) async fn everything(State(simulator): State<Arc<Simulator>>) -> Json<Everything> {
    let store = simulator.store();
    let dossiers = store.dossiers().into_iter().map(DossierState::from).collect();
    Json(Everything { dossiers })
}

/// `GET /simulator/calls`.
pub(super) async fn calls(State(simulator): State<Arc<Simulator>>) -> Json<CallList> {
    let (calls, counts) = simulator.calls.snapshot();
    Json(CallList { calls, counts })
}

/// `DELETE /simulator/calls`.
pub(super) async fn forget_calls(State(simulator): State<Arc<Simulator>>) -> StatusCode {
    simulator.calls.clear();
    StatusCode::NO_CONTENT
}

impl From<&Dossier> for DossierState {
    fn from(dossier: &Dossier) -> Self {
        Self {
            dossier_id: dossier.id.clone(),
            external_reference: dossier.external_reference.clone(),
            created_at: stamp(dossier.created_at),
            has_user_data: dossier.user_data.is_some(),
            processes: dossier.processes.iter().map(ProcessState::from).collect(),
        }
    }
}

impl From<&Process> for ProcessState {
    fn from(process: &Process) -> Self {
        let images = process.images.iter();
        Self {
            process_id: process.id.clone(),
            provider: process.provider.as_str().to_owned(),
            process_type: process.process_type,
            status: process.status.clone(),
            visible_status: process.visible_status().clone(),
            event_tags: process.request.event_tags.clone(),
            wants_callback: process.request.notification_url.is_some(),
            images: images.map(|(d, image)| (*d, image.digest.clone())).collect(),
            verified: process.verified.clone(),
            script: process.script.clone(),
            callbacks: process.callbacks.clone(),
        }
    }
}
