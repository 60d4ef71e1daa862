//! Making things happen.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::body::Object;
use crate::callbacks::{self, Answer, Message};
use crate::error::Refusal;
use crate::faults::Fault;
use crate::lifecycle;
use crate::script::Rule;
use crate::simulator::Simulator;
use crate::status::Status;

/// What to send instead of the truth; absent members stay true.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Overrides {
    dossier_id: Option<String>,
    process_id: Option<String>,
    status: Option<Status>,
    /// Null sends no `Authorization` at all.
    #[serde(default, deserialize_with = "null_or_text")]
    authorization: Option<Option<String>>,
    url: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finish {
    status: Option<Status>,
}

/// `POST /simulator/scripts`.
pub(super) async fn add_rule(
    State(simulator): State<Arc<Simulator>>,
    body: Object,
) -> Result<StatusCode, Refusal> {
    let rule: Rule = read(body)?;
    if rule.matching.is_empty() {
        return Err(Refusal::bad_request("match says nothing; say \"all\": true to mean all."));
    }
    simulator.store().add_rule(rule);
    Ok(StatusCode::CREATED)
}

/// `DELETE /simulator/scripts`.
pub(super) async fn clear_rules(State(simulator): State<Arc<Simulator>>) -> StatusCode {
    simulator.store().clear_rules();
    StatusCode::NO_CONTENT
}

/// `POST /simulator/faults`.
pub(super) async fn add_faults(
    State(simulator): State<Arc<Simulator>>,
    body: Object,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let fault: Fault = read(body)?;
    if let Some(nonsense) = fault.nonsense() {
        return Err(Refusal::bad_request(nonsense));
    }
    let id = simulator.faults.add(fault);
    Ok((StatusCode::CREATED, Json(json!({"id": id}))))
}

/// `GET /simulator/faults`.
pub(super) async fn faults(State(simulator): State<Arc<Simulator>>) -> Json<Value> {
    Json(json!({"faults": simulator.faults.snapshot()}))
}

/// `DELETE /simulator/faults`.
pub(super) async fn clear_faults(State(simulator): State<Arc<Simulator>>) -> StatusCode {
    simulator.faults.clear();
    StatusCode::NO_CONTENT
}

/// `DELETE /simulator/tokens`: every token in circulation becomes unknown.
pub(super) async fn revoke_tokens(State(simulator): State<Arc<Simulator>>) -> StatusCode {
    simulator.tokens.revoke_all();
    StatusCode::NO_CONTENT
}

/// `DELETE /simulator/processes/{processId}`: gone without a word, whatever its state.
pub(super) async fn vanish(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let mut store = simulator.store();
    let dossier = store.find_process(&id)?.dossier_id.clone();
    store.remove_process(&dossier, &id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /simulator/processes/{processId}/finish`: now, from `pending` too.
pub(super) async fn finish(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    body: Object,
) -> Result<Json<Value>, Refusal> {
    let wanted: Finish = read(body)?;
    let scripted = simulator.store().find_process(&id)?.outcome().clone();
    let status = wanted.status.unwrap_or(scripted);
    if !status.is_final() {
        return Err(Refusal::bad_request("The status must be a final one."));
    }
    lifecycle::end(&simulator, &id, status.clone(), None, |s| !s.is_final())?;
    Ok(Json(json!({"processId": id, "status": status})))
}

/// `POST /simulator/processes/{processId}/callback`: once, now; answers what the receiver said.
pub(super) async fn send_callback(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    body: Object,
) -> Result<Json<Answer>, Refusal> {
    let overrides: Overrides = read(body)?;
    let mut message = {
        let mut store = simulator.store();
        let process = store.find_process(&id)?;
        let told = process.status.clone();
        Message::of(process, told)
            .ok_or_else(|| Refusal::conflict("The process was created without notificationUrl."))?
    };
    overrides.apply(&mut message)?;
    Ok(Json(callbacks::send(&simulator.http, &message).await))
}

impl Overrides {
    fn apply(self, message: &mut Message) -> Result<(), Refusal> {
        if let Some(Some(value)) = &self.authorization
            && HeaderValue::from_str(value).is_err()
        {
            return Err(Refusal::bad_request("authorization can't be the value of a header."));
        }
        let body = &mut message.body;
        body.dossier_id = self.dossier_id.unwrap_or(std::mem::take(&mut body.dossier_id));
        body.process_id = self.process_id.unwrap_or(std::mem::take(&mut body.process_id));
        if let Some(status) = self.status {
            body.status = status.into();
        }
        if let Some(authorization) = self.authorization {
            message.authorization = authorization;
        }
        if let Some(url) = self.url {
            message.url = url;
        }
        Ok(())
    }
}

/// Reads a body of this API, telling what is wrong with it: nothing in it is personal.
pub(super) fn read<T: serde::de::DeserializeOwned>(Object(members): Object) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(members))
        .map_err(|error| Refusal::bad_request(error.to_string()))
}

pub(super) fn null_or_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
