//! `DELETE /v1/verifications/{id}`: the caller wants the personal data gone, here and in Assure.

use axum::{Json, extract::State, http::StatusCode};
use proofline_ambient::clock;
use proofline_callers::of_execute;
use proofline_problem::Problem;
use proofline_verification::Command;

use crate::{
    app::{SharedApp, Target},
    openapi::problems,
    view::{View, view},
};

/// Erases a verification
///
/// Its personal data goes, here and in Assure; an unfinished one is canceled first. May be repeated.
#[utoipa::path(
    delete, path = "/v1/verifications/{id}", tag = "verifications",
    operation_id = "eraseVerification",
    params(("id" = String, Path, description = "The verification's id.")),
    responses((status = 202, description = "It will be erased.", body = View), problems::Read),
)]
pub(crate) async fn erase(
    State(app): State<SharedApp>,
    Target(key): Target,
) -> Result<(StatusCode, Json<View>), Problem> {
    let executed = app.journal.execute(&key, Command::Erase, clock::now()).await;
    let executed = executed.map_err(|error| of_execute(&error))?;
    if !executed.appended.is_empty() {
        tracing::info!(verification.id = %key.id, tenant = %key.tenant, "erasure requested");
    }
    Ok((StatusCode::ACCEPTED, Json(view(&app, &executed.verification).await?)))
}
