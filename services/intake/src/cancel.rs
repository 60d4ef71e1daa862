//! `POST /v1/verifications/{id}/cancel`: the caller discards the verification.

use axum::{Json, extract::State, http::StatusCode};
use proofline_ambient::clock;
use proofline_problem::Problem;
use proofline_verification::Command;

use crate::{
    app::{SharedApp, Target},
    openapi::problems,
    view::{View, view},
};

/// Cancels a verification
///
/// It ends `canceled`, unless Assure was final already. May be repeated.
#[utoipa::path(
    post, path = "/v1/verifications/{id}/cancel", tag = "verifications",
    operation_id = "cancelVerification",
    params(("id" = String, Path, description = "The verification's id.")),
    responses((status = 202, description = "It will be canceled.", body = View), problems::Cancel),
)]
pub(crate) async fn cancel(
    State(app): State<SharedApp>,
    Target(key): Target,
) -> Result<(StatusCode, Json<View>), Problem> {
    let executed = app.journal.execute(&key, Command::Cancel, clock::now()).await;
    let executed = executed.map_err(|error| proofline_callers::of_execute(&error))?;
    if !executed.appended.is_empty() {
        tracing::info!(verification.id = %key.id, tenant = %key.tenant, "cancellation requested");
    }
    Ok((StatusCode::ACCEPTED, Json(view(&app, &executed.verification).await?)))
}
