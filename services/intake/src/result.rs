//! `GET /v1/verifications/{id}/result`.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use proofline_callers::of_journal;
use proofline_events::Word;
use proofline_journal::{DocumentKind, VaultError};
use proofline_problem::{Code, Problem};
use proofline_verification::{End, Verification};
use serde_json::{Value, json};

use crate::{
    app::{SharedApp, Target},
    get_verification::read_latest,
    openapi::{elsewhere, problems},
};

/// Reads the result
///
/// Of every finished verification. Where Assure gave nothing its members are null.
#[utoipa::path(
    get, path = "/v1/verifications/{id}/result", tag = "results", operation_id = "getResult",
    params(("id" = String, Path, description = "The verification's id.")),
    responses((status = 200, description = "The result.", body = elsewhere::ResultDocument), problems::Result),
)]
pub(crate) async fn get(
    State(app): State<SharedApp>,
    Target(key): Target,
) -> Result<Response, Problem> {
    // Whoever has seen the end must find the result, whatever replica answers.
    let verification = read_latest(&app, &key).await?;
    if verification.is_erasure_requested {
        return Err(Problem::new(Code::Erased, "The verification was erased."));
    }
    let Some(end) = &verification.end else {
        return Err(Problem::new(Code::NotFinished, "The verification is not finished."));
    };
    if end.assure_status.is_empty() {
        return Ok(answer(of_the_log(&verification, end).to_string().into_bytes()));
    }
    let sealed = app.vault.get(&key, DocumentKind::Result(end.outcome)).await;
    match sealed.map_err(|error| of_vault(&error))? {
        Some(document) => Ok(answer(document)),
        None => Err(Problem::new(Code::ResultExpired, "The result is no longer kept.")),
    }
}

/// Where Assure gave nothing there is nothing sealed.
fn of_the_log(verification: &Verification, end: &End) -> Value {
    let request = &verification.request;
    json!({
        "verification_id": verification.key.id.as_str(),
        "outcome": end.outcome.word(),
        "provider": request.provider,
        "process_type": Some(&request.process_type).filter(|name| !name.is_empty()),
        "final_result": null,
        "provider_result": null,
        "user_info": null,
        "process": null,
        "depictions": [],
        "fetched_at": null,
        "omitted": [],
    })
}

fn answer(json: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, json).into_response()
}

fn of_vault(error: &VaultError) -> Problem {
    match error {
        VaultError::Journal(error) => of_journal(error),
        VaultError::KeyGone => Problem::new(Code::ResultExpired, "The result is no longer kept."),
        VaultError::TooLarge | VaultError::Unreadable(_) => {
            tracing::error!(%error, "a sealed document can't be used");
            Problem::new(Code::ResultExpired, "The result can no longer be read.")
        }
    }
}
