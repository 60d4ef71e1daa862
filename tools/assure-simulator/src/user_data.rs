//! User data of a dossier: created once, then merged into.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::body::Object;
use crate::clock::stamp;
use crate::error::Refusal;
use crate::simulator::Simulator;
use crate::store::UserData;

const MEMBERS: &[&str] = &[
    "firstName",
    "lastName",
    "gender",
    "nationality",
    "dateOfBirth",
    "personalIdentificationNumber",
    "placeOfBirth",
    "mobile",
    "email",
];
const ADDRESS_MEMBERS: &[&str] =
    &["formatted", "streetAddress", "houseNumber", "locality", "region", "postalCode", "country"];

/// Get user data.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserDataResponse {
    dossier_id: String,
    user_data: Map<String, Value>,
    created_at: String,
    updated_at: String,
}

/// `POST /dossiers/{dossierId}/userdata`.
pub(crate) async fn create(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    body: Object,
) -> Result<StatusCode, Refusal> {
    let now = simulator.clock.now();
    let mut store = simulator.store();
    let dossier = store.dossier_mut(&id)?;
    let members = user_data(body)?;
    if dossier.user_data.is_some() {
        return Err(Refusal::conflict("The dossier has user data already."));
    }
    dossier.user_data = Some(UserData { members, created_at: now, updated_at: now });
    Ok(StatusCode::CREATED)
}

/// `PUT /dossiers/{dossierId}/userdata`: members given are set, empty strings delete theirs.
pub(crate) async fn update(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    body: Object,
) -> Result<StatusCode, Refusal> {
    let now = simulator.clock.now();
    let mut store = simulator.store();
    let dossier = store.dossier_mut(&id)?;
    let changes = user_data(body)?;
    let data = dossier.user_data.as_mut().ok_or_else(none)?;
    merge(&mut data.members, changes);
    data.updated_at = now;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /dossiers/{dossierId}/userdata`.
pub(crate) async fn get(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
) -> Result<Json<UserDataResponse>, Refusal> {
    let store = simulator.store();
    let data = store.dossier(&id)?.user_data.as_ref().ok_or_else(none)?;
    Ok(Json(UserDataResponse {
        dossier_id: id,
        user_data: data.members.clone(),
        created_at: stamp(data.created_at),
        updated_at: stamp(data.updated_at),
    }))
}

/// `DELETE /dossiers/{dossierId}/userdata`.
pub(crate) async fn delete(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let mut store = simulator.store();
    store.dossier_mut(&id)?.user_data.take().ok_or_else(none)?;
    Ok(StatusCode::NO_CONTENT)
}

fn none() -> Refusal {
    Refusal::not_found("user data")
}

fn user_data(Object(mut body): Object) -> Result<Map<String, Value>, Refusal> {
    let Some(Value::Object(members)) = body.remove("userData") else {
        return Err(Refusal::bad_request("userData must be an object."));
    };
    for (name, value) in &members {
        let fits = match (name.as_str(), value) {
            ("address", Value::Object(address)) => {
                address.iter().all(|(n, v)| ADDRESS_MEMBERS.contains(&n.as_str()) && v.is_string())
            }
            (name, Value::String(text)) => MEMBERS.contains(&name) && is_legal(name, text),
            _ => false,
        };
        if !fits {
            return Err(Refusal::bad_request(format!("userData.{name} is not legal.")));
        }
    }
    Ok(members)
}

/// Whether the text has the form that the reference states; empty means deletion.
fn is_legal(name: &str, text: &str) -> bool {
    match name {
        _ if text.is_empty() => true,
        "firstName" | "lastName" => text.chars().count() <= 64,
        "gender" => matches!(text, "M" | "F"),
        "nationality" => text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()),
        "dateOfBirth" => {
            let digits =
                |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
            let parts: Vec<_> = text.split('-').collect();
            matches!(parts[..], [y, m, d] if digits(y, 4) && digits(m, 2) && digits(d, 2))
        }
        _ => true,
    }
}

fn merge(members: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, change) in changes {
        match (members.get_mut(&name), change) {
            (Some(Value::Object(inner)), Value::Object(changes)) => merge(inner, changes),
            (_, Value::String(text)) if text.is_empty() => {
                members.remove(&name);
            }
            (_, change) => {
                members.insert(name, change);
            }
        }
    }
}
