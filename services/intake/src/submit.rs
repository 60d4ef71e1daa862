//! `POST /v1/verifications/{id}/submit`: no more images; verify.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
};
use proofline_ambient::{chance, clock};
use proofline_callers::{of_journal, of_refusal};
use proofline_events::{VerificationKey, Word, v1::Depiction};
use proofline_journal::{DocumentKind, VaultError};
use proofline_problem::{Code, Problem};
use proofline_verification::{Command, StartParameters, Verification, decide, provider::Start};
use serde_json::{Map, Value};

use crate::{
    app::{App, SharedApp, Target},
    create_verification::parse,
    get_verification::read_latest,
    members::Members,
    openapi::{problems, requests},
    view::{View, view},
};

/// Submits a verification
///
/// No more images come: verify. May be repeated.
#[utoipa::path(
    post, path = "/v1/verifications/{id}/submit", tag = "verifications",
    operation_id = "submitVerification",
    params(("id" = String, Path, description = "The verification's id.")),
    request_body(content = Option<requests::Submission>, description = "May be left out."),
    responses((status = 202, description = "It will be verified.", body = View), problems::Submit),
)]
pub(crate) async fn submit(
    State(app): State<SharedApp>,
    Target(key): Target,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<View>), Problem> {
    let parameters = match read(body)? {
        Some(parameters) => {
            let verification = read_latest(&app, &key).await?;
            sealed(&app, &key, &verification, parameters).await?
        }
        None => None,
    };
    let command = Command::Submit { automatic: false, parameters };
    let executed = app.journal.execute(&key, command, clock::now()).await;
    let executed = executed.map_err(|error| proofline_callers::of_execute(&error))?;
    if !executed.appended.is_empty() {
        tracing::info!(verification.id = %key.id, tenant = %key.tenant, "submission requested");
    }
    Ok((StatusCode::ACCEPTED, Json(view(&app, &executed.verification).await?)))
}

/// A body is optional. Its parameters are the provider's own members of Start verification.
fn read(body: Result<Bytes, BytesRejection>) -> Result<Option<Map<String, Value>>, Problem> {
    if matches!(&body, Ok(bytes) if bytes.is_empty()) {
        return Ok(None);
    }
    let body = parse(body)?;
    let mut members = Members::of_body(&body).map_err(|faults| invalid().faults(faults))?;
    let parameters = members.optional("parameters", "an object", Value::as_object);
    let faults = members.finish();
    match faults.is_empty() {
        true => Ok(parameters.filter(|parameters| !parameters.is_empty()).cloned()),
        false => Err(invalid().faults(faults)),
    }
}

/// Checks the parameters, and seals them where they will be used. Each attempt seals its own, so
/// that what is started with is what was submitted.
async fn sealed(
    app: &App,
    key: &VerificationKey,
    verification: &Verification,
    parameters: Map<String, Value>,
) -> Result<Option<StartParameters>, Problem> {
    let enrolled_with = match verification.starts_with() {
        Start::WithEnrolment => Some(enrolment(&parameters)?),
        Start::Plain | Start::Optional => None,
    };
    let id = chance::id().simple().to_string();
    let parameters_of = StartParameters { id, enrolled_with };
    let command = Command::Submit { automatic: false, parameters: Some(parameters_of.clone()) };
    let would_be = decide(key, Some(verification), command, clock::now());
    if would_be.map_err(|refusal| of_refusal(&refusal))?.is_empty() {
        // Submitted already.
        return Ok(None);
    }
    let document = Value::Object(parameters).to_string();
    let kind = DocumentKind::StartParameters(&parameters_of.id);
    match app.vault.put(key, kind, document.as_bytes()).await {
        Ok(()) => Ok(Some(parameters_of)),
        Err(VaultError::Journal(error)) => Err(of_journal(&error)),
        Err(error @ (VaultError::KeyGone | VaultError::TooLarge | VaultError::Unreadable(_))) => {
            tracing::error!(verification.id = %key.id, %error, "parameters could not be sealed");
            Err(Problem::new(Code::StorageUnavailable, "The parameters could not be stored."))
        }
    }
}

/// What the enrolment is compared with.
fn enrolment(parameters: &Map<String, Value>) -> Result<Depiction, Problem> {
    let word = parameters.get("imageDepiction").and_then(Value::as_str);
    let depiction =
        word.and_then(Depiction::from_word).filter(|depiction| *depiction != Depiction::Back);
    let has_scan = parameters.get("facetecEnrollment").is_some_and(Value::is_object);
    let mut problem = invalid();
    if !has_scan {
        problem = problem.fault("/parameters/facetecEnrollment", "must be an object");
    }
    match depiction {
        Some(depiction) if has_scan => Ok(depiction),
        Some(_) => Err(problem),
        None => Err(problem.fault("/parameters/imageDepiction", "must be front or selfie")),
    }
}

fn invalid() -> Problem {
    Problem::new(Code::InvalidRequest, "The request is not valid.")
}
