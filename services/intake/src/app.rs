//! The routes, who may use them, and what they use.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequestParts, RawPathParams},
    http::{StatusCode, request::Parts},
};
use proofline_assure::Accounts;
use proofline_callers::Admission;
use proofline_events::{VerificationId, VerificationKey};
use proofline_journal::{Dossiers, Journal, Vault};
use proofline_problem::{Code, Problem};
use proofline_service::Shutdown;
use proofline_tenants::Tenant;
use tokio_util::task::TaskTracker;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Settings, cancel, create_verification,
    document_types::{self, DocumentTypes},
    erase, get_verification, media, openapi, result, submit, timeline,
};

/// No request body is larger.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What the routes use.
pub(crate) struct App {
    pub(crate) journal: Journal,
    pub(crate) vault: Vault,
    pub(crate) dossiers: Dossiers,
    pub(crate) assure: Accounts,
    pub(crate) document_types: DocumentTypes,
    pub(crate) admission: Admission,
    pub(crate) shutdown: Shutdown,
    pub(crate) settings: Settings,
    /// Work that outlives its request, and is waited for when this process stops.
    pub(crate) tasks: TaskTracker,
}

pub(crate) type SharedApp = Arc<App>;

/// Every route, with its description.
pub(crate) fn routes() -> OpenApiRouter<SharedApp> {
    OpenApiRouter::with_openapi(openapi::Description::openapi())
        .routes(routes!(create_verification::create))
        .routes(routes!(get_verification::get, erase::erase))
        .routes(routes!(timeline::get))
        .routes(routes!(submit::submit))
        .routes(routes!(cancel::cancel))
        .routes(routes!(result::get))
        .routes(routes!(media::image))
        .routes(routes!(media::video))
        .routes(routes!(media::download))
        .routes(routes!(document_types::get))
        .routes(routes!(openapi::serve::document))
        .routes(routes!(openapi::serve::docs))
}

pub(crate) fn router(app: App) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .method_not_allowed_fallback(async |_: Caller| {
            Problem::of_status(
                StatusCode::METHOD_NOT_ALLOWED,
                "This address does not take that method.",
            )
        })
        .fallback(async |_: Caller| {
            Problem::new(Code::NotFound, "There is nothing at this address.")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(app))
}

/// The tenant whose API key came with the request.
pub(crate) struct Caller(pub(crate) Tenant);

impl FromRequestParts<SharedApp> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        Ok(Self(app.admission.by_api_key(&parts.headers)?.clone()))
    }
}

/// The verification that the path names, of the tenant whose API key came with the request.
/// Another tenant's is simply not there.
pub(crate) struct Target(pub(crate) VerificationKey);

impl FromRequestParts<SharedApp> for Target {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        let tenant = app.admission.by_api_key(&parts.headers)?.name.clone();
        let path: Result<RawPathParams, _> = RawPathParams::from_request_parts(parts, app).await;
        let named = |path: &RawPathParams| {
            path.iter().find(|(name, _)| *name == "id").map(|(_, id)| VerificationId::parse(id))
        };
        let id = path.ok().as_ref().and_then(named).and_then(Result::ok);
        id.map(|id| Self(VerificationKey { tenant, id })).ok_or_else(proofline_callers::not_found)
    }
}
