//! What happened so far, without the bytes of images and without what was given us in confidence.
//! The addresses of pages are ours, and a test must find them.

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
use crate::store::{Depiction, Dossier, Process, Store};

use super::webhooks;

#[derive(Serialize)]
pub(super) struct Everything {
    dossiers: Vec<DossierState>,
    webhooks: Vec<webhooks::Shown>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DossierState {
    dossier_id: String,
    external_reference: Option<String>,
    created_at: String,
    has_user_data: bool,
    /// SHA-256 of each file.
    files: BTreeMap<String, String>,
    processes: Vec<ProcessState>,
    /// The capture flows that were started, opened or not.
    captures: Vec<CaptureState>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CaptureState {
    url: String,
    provider: String,
    process_type: Option<&'static str>,
    /// The present process; null while nobody has opened the page.
    process_id: Option<String>,
    /// Whether the end-user has been sent back.
    used: bool,
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
    /// The pages where an end-user decides how it ends.
    pages: Vec<String>,
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
    let dossiers = store.dossiers();
    let dossiers = dossiers.into_iter().map(|d| DossierState::of(d, &simulator, &store)).collect();
    Json(Everything { dossiers, webhooks: webhooks::all(&simulator) })
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

impl DossierState {
    fn of(dossier: &Dossier, simulator: &Simulator, store: &Store) -> Self {
        let pages = store.pages.of_dossier(&dossier.id);
        let captures = pages.iter().filter_map(|page| {
            let order = page.order.as_ref()?;
            Some(CaptureState {
                url: simulator.address(page.kind, &page.id),
                provider: order.provider.as_str().to_owned(),
                process_type: order.process_type,
                process_id: page.process_id.clone(),
                used: page.used,
            })
        });
        let addresses = |process: &Process| {
            let own = pages.iter().filter(|p| p.process_id.as_deref() == Some(&process.id));
            own.map(|page| simulator.address(page.kind, &page.id)).collect()
        };
        let (files, processes) = (dossier.files.iter(), dossier.processes.iter());
        Self {
            dossier_id: dossier.id.clone(),
            external_reference: dossier.external_reference.clone(),
            created_at: stamp(dossier.created_at),
            has_user_data: dossier.user_data.is_some(),
            files: files.map(|(name, image)| (name.clone(), image.digest.clone())).collect(),
            captures: captures.collect(),
            processes: processes.map(|p| ProcessState::of(p, addresses(p))).collect(),
        }
    }
}

impl ProcessState {
    fn of(process: &Process, pages: Vec<String>) -> Self {
        let images = process.images.iter();
        Self {
            process_id: process.id.clone(),
            provider: process.provider.as_str().to_owned(),
            process_type: process.process_type,
            status: process.status.clone(),
            visible_status: process.visible_status().clone(),
            event_tags: process.request.event_tags.clone(),
            pages,
            wants_callback: process.request.notification_url.is_some(),
            images: images.map(|(d, image)| (*d, image.digest.clone())).collect(),
            verified: process.verified.clone(),
            script: process.script.clone(),
            callbacks: process.callbacks.clone(),
        }
    }
}
