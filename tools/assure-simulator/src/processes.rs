//! Processes: create, read, delete, fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use proofline_assure::wire;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::body::Object;
use crate::clock::stamp;
use crate::document_types;
use crate::error::Refusal;
use crate::lifecycle;
use crate::order::Order;
use crate::pages::Kind;
use crate::results;
use crate::script::Script;
use crate::simulator::Simulator;
use crate::status::Status;
use crate::store::{Process, Store, undeletable};

/// Dossier id and process id of a path.
pub(crate) type Ids = Path<(String, String)>;

/// `POST /dossiers/{dossierId}/processes`.
pub(crate) async fn create(
    State(simulator): State<Arc<Simulator>>,
    Path(dossier_id): Path<String>,
    body: Object,
) -> Result<(StatusCode, Json<wire::ProcessCreated>), Refusal> {
    let now = simulator.clock.now();
    let mut store = simulator.store();
    store.dossier(&dossier_id)?;
    let request: wire::CreateProcess = body.into()?;
    let order = Order::new(request).map_err(Refusal::bad_request)?;
    let process = add(&mut store, dossier_id, order, now)?;
    let mut artefacts = process.provider.artefacts(process.process_type, process.pages);
    let mut created = wire::ProcessCreated {
        process_id: process.id.clone(),
        provider: process.provider.as_str().to_owned(),
        process_type: process.process_type.map(str::to_owned),
        status: process.status.to_string(),
        authorization: None,
        artefacts: Map::new(),
    };
    if let Some(kind) = Kind::of(&process.provider, process.process_type) {
        let member = process.script.page.address_member;
        let owner = process.dossier_id.clone();
        let page = store.pages.add(kind, owner, Some(created.process_id.clone()), None);
        artefacts.extend(kind.artefacts(&simulator.address(kind, &page.id), member));
    }
    created.authorization = match artefacts.remove("authorization") {
        Some(Value::String(token)) => Some(token),
        Some(_) | None => None,
    };
    artefacts.insert("createdAt".to_owned(), json!(stamp(now)));
    artefacts.insert("updatedAt".to_owned(), json!(stamp(now)));
    created.artefacts = artefacts;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Makes a process of an order.
///
/// # Errors
///
/// 404 without the dossier; 400 for a misspelt script.
pub(crate) fn add(
    store: &mut Store,
    dossier_id: String,
    order: Order,
    now: OffsetDateTime,
) -> Result<&mut Process, Refusal> {
    let pages = order.request.document_id.and_then(document_types::pages);
    store.add_process(Process {
        id: Uuid::new_v4().to_string(),
        dossier_id,
        number: 0,
        provider: order.provider,
        process_type: order.process_type,
        request: order.request,
        pages,
        external_id: Uuid::new_v4().to_string(),
        status: Status::Pending,
        fail_reason: None,
        created_at: now,
        updated_at: now,
        ended: None,
        images: BTreeMap::new(),
        verified: None,
        authority: None,
        chosen: None,
        script: Script::default(),
        callbacks: Vec::new(),
    })
}

/// `GET /dossiers/{dossierId}/processes/{processId}`.
pub(crate) async fn get(
    State(simulator): State<Arc<Simulator>>,
    Path((dossier, process)): Ids,
) -> Result<Json<Map<String, Value>>, Refusal> {
    let store = simulator.store();
    let process = store.process(&dossier, &process)?;
    Ok(Json(results::body(process)))
}

/// `DELETE /dossiers/{dossierId}/processes/{processId}`.
pub(crate) async fn delete(
    State(simulator): State<Arc<Simulator>>,
    Path((dossier, process)): Ids,
) -> Result<StatusCode, Refusal> {
    let mut store = simulator.store();
    if store.process(&dossier, &process)?.is_undeletable() {
        return Err(undeletable());
    }
    store.remove_process(&dossier, &process)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /dossiers/{dossierId}/processes/{processId}/fail`.
pub(crate) async fn fail(
    State(simulator): State<Arc<Simulator>>,
    Path((dossier, process)): Ids,
) -> Result<Json<Value>, Refusal> {
    simulator.store().process(&dossier, &process)?;
    let reason = json!({
        "category": "User.Request",
        "reason": "Process.Failed",
        "message": "The process was failed on request.",
    });
    let is_pending = |status: &Status| *status == Status::Pending;
    lifecycle::end(&simulator, &process, Status::Failed, Some(reason.clone()), is_pending)?;
    Ok(Json(json!({"processId": process, "status": Status::Failed, "reason": reason})))
}

/// `GET /dossiers/{dossierId}/processes/{processId}/external-id`.
pub(crate) async fn external_id(
    State(simulator): State<Arc<Simulator>>,
    Path((dossier, process)): Ids,
) -> Result<Json<Value>, Refusal> {
    let store = simulator.store();
    let process = store.process(&dossier, &process)?;
    Ok(Json(json!({"externalId": process.external_id})))
}
