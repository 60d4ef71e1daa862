//! Processes: create, read, delete, fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use proofline_assure::wire;
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use crate::body::Object;
use crate::clock::stamp;
use crate::document_types;
use crate::error::Refusal;
use crate::lifecycle;
use crate::providers::Provider;
use crate::results;
use crate::script::Script;
use crate::simulator::Simulator;
use crate::status::Status;
use crate::store::{Process, undeletable};

/// Dossier id and process id of a path.
pub(crate) type Ids = Path<(String, String)>;

const REDACTABLE: &[&str] = &[
    "firstName",
    "lastName",
    "fullName",
    "gender",
    "address",
    "personalIdentificationNumber",
    "documentNumber",
    "date",
    "dateOfBirth",
    "dateOfIssue",
    "dateOfExpiry",
    "photo",
    "signature",
    "accessNumber",
    "drivingPermits",
    "issuingAuthority",
    "mrz",
    "barcode",
];

/// What webid must be told, as JSON Pointers into `processParameters`.
const WEBID_MEMBERS: &[&str] = &[
    "/webid/user/firstName",
    "/webid/user/lastName",
    "/webid/user/dateOfBirth",
    "/webid/user/contact/email",
    "/webid/idDocument/nationality",
    "/webid/userActionParameters/redirectUrl",
    "/webid/userActionParameters/redirectDeclineUrl",
    "/webid/userActionParameters/redirectMismatchUrl",
    "/webid/userActionParameters/redirectCancelUrl",
    "/webid/userActionParameters/clientName",
    "/webid/userActionParameters/productType",
];

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
    let (provider, process_type) = check(&request).map_err(Refusal::bad_request)?;
    let pages = request.document_id.and_then(document_types::pages);
    let process = store.add_process(Process {
        id: Uuid::new_v4().to_string(),
        dossier_id,
        number: 0,
        provider,
        process_type,
        request,
        pages,
        external_id: Uuid::new_v4().to_string(),
        status: Status::Pending,
        fail_reason: None,
        created_at: now,
        updated_at: now,
        ended: None,
        images: BTreeMap::new(),
        verified: None,
        script: Script::default(),
        callbacks: Vec::new(),
    })?;

    let mut artefacts = process.provider.artefacts(process_type, pages);
    let authorization = match artefacts.remove("authorization") {
        Some(Value::String(token)) => Some(token),
        Some(_) | None => None,
    };
    artefacts.insert("createdAt".to_owned(), json!(stamp(now)));
    artefacts.insert("updatedAt".to_owned(), json!(stamp(now)));
    let created = wire::ProcessCreated {
        process_id: process.id.clone(),
        provider: process.provider.as_str().to_owned(),
        process_type: process_type.map(str::to_owned),
        status: process.status.to_string(),
        authorization,
        artefacts,
    };
    Ok((StatusCode::CREATED, Json(created)))
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

/// What the reference demands of Create process, and no more.
fn check(request: &wire::CreateProcess) -> Result<(Provider, Option<&'static str>), &'static str> {
    let provider = Provider::parse(&request.provider).ok_or("There is no such provider.")?;
    let process_type = provider.process_type(request.process_type.as_deref())?;
    if let Some(word) = &request.document_type
        && !document_types::is_known(word)
    {
        return Err("There is no such documentType.");
    }
    if let Some(url) = &request.notification_url {
        let fits = Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "http" | "https"));
        if !fits {
            return Err("notificationUrl must be a web address.");
        }
    }
    if let Some(value) = &request.authorization_header
        && HeaderValue::from_str(value).is_err()
    {
        return Err("authorizationHeader can't be the value of a header.");
    }
    match provider {
        Provider::SignicatPaper => check_paper(request)?,
        Provider::SignicatPictureid => {
            let id = request.document_id.ok_or("signicatpictureid needs a documentId.")?;
            document_types::pages(id).ok_or("There is no such documentId.")?;
        }
        Provider::Webid => {
            let parameters = request.process_parameters.clone().unwrap_or_default();
            let parameters = Value::Object(parameters);
            let missing = WEBID_MEMBERS.iter().any(|p| parameters.pointer(p).is_none());
            if missing {
                return Err("A member of processParameters.webid is missing.");
            }
        }
        Provider::Connect(_) => {
            if request.options.get("redirectUrl").is_none_or(|u| !u.is_string()) {
                return Err("The eID flow needs a redirectUrl.");
            }
        }
        Provider::Onfido | Provider::SignicatVideoid | Provider::Readid | Provider::Facetec => {}
    }
    Ok((provider, process_type))
}

fn check_paper(request: &wire::CreateProcess) -> Result<(), &'static str> {
    let country = request.document_country.as_deref();
    let country = country.ok_or("signicatpaper needs a documentCountry.")?;
    let is_code = matches!(country.len(), 2 | 3) && country.bytes().all(|b| b.is_ascii_uppercase());
    let is_any = country == "UNIV" && request.document_type.as_deref() == Some("passport");
    if !is_code && !is_any {
        return Err("documentCountry must be a country code, or UNIV for a passport.");
    }
    let redactable = |item: &Value| item.as_str().is_some_and(|word| REDACTABLE.contains(&word));
    match request.options.get("redact") {
        None => {}
        Some(Value::Array(items)) if items.iter().all(redactable) => {}
        Some(_) => return Err("redact must be a list of members that can be redacted."),
    }
    match request.options.get("redactionLevel").map(Value::as_str) {
        None | Some(Some("standard" | "medium" | "high" | "veryHigh")) => Ok(()),
        Some(_) => Err("There is no such redactionLevel."),
    }
}
