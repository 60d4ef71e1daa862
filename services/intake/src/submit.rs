//! `POST /v1/verifications/{id}/submit`: no more images; verify.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
};
use proofline_problem::{Code, Problem};
use proofline_service::clock;
use proofline_verification::Command;
use serde_json::{Map, Value};

use crate::{
    app::{SharedApp, Target},
    create_verification::parse,
    members::Members,
    view::{View, view},
};

pub(crate) async fn submit(
    State(app): State<SharedApp>,
    Target(key): Target,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<View>), Problem> {
    check(body)?;
    let command = Command::Submit { automatic: false };
    let executed = app.journal.execute(&key, command, clock::now()).await;
    let executed = executed.map_err(|error| proofline_callers::of_execute(&error))?;
    if !executed.appended.is_empty() {
        tracing::info!(verification.id = %key.id, tenant = %key.tenant, "submission requested");
    }
    Ok((StatusCode::ACCEPTED, Json(view(&executed.verification, &app.settings, clock::now()))))
}

/// A body is optional. Its parameters are a provider's own members of Start verification, which
/// none of the providers available now has.
fn check(body: Result<Bytes, BytesRejection>) -> Result<(), Problem> {
    if matches!(&body, Ok(bytes) if bytes.is_empty()) {
        return Ok(());
    }
    let body = parse(body)?;
    let faults = match Members::of_body(&body) {
        Ok(mut members) => {
            let empty = |value: &Value| value.as_object().is_some_and(Map::is_empty).then_some(());
            members.optional("parameters", "empty: this provider takes none", empty);
            members.finish()
        }
        Err(faults) => faults,
    };
    match faults.is_empty() {
        true => Ok(()),
        false => {
            Err(Problem::new(Code::InvalidRequest, "The request is not valid.").faults(faults))
        }
    }
}
