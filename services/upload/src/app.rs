//! The routes, and what they use.

use std::{num::NonZeroU32, sync::Arc};

use axum::{Router, http::StatusCode, middleware, routing::put};
use proofline_assure::Accounts;
use proofline_callers::Admission;
use proofline_events::VerificationKey;
use proofline_journal::Journal;
use proofline_problem::{Code, Problem};
use proofline_service::Shares;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Settings, cors, put_image};

/// What the routes use.
pub(crate) struct App {
    pub(crate) journal: Journal,
    pub(crate) assure: Accounts,
    pub(crate) admission: Admission,
    /// How often those who have upload URLs of one verification may come: so little of what its
    /// tenant may that none of them can use that up.
    pub(crate) shares: Shares<VerificationKey>,
    pub(crate) settings: Settings,
    /// How many images may be on their way at once.
    pub(crate) places: Arc<Semaphore>,
    /// Work that outlives its request, and is waited for when this process stops.
    pub(crate) tasks: TaskTracker,
    /// Ends images that are still coming in when this process must stop.
    pub(crate) stop_streams: CancellationToken,
}

/// Requests in a second with the upload URLs of one verification; some images, and some more tries.
pub(crate) const SHARE: NonZeroU32 = NonZeroU32::new(2).expect("it is more than zero");

pub(crate) type SharedApp = Arc<App>;

pub(crate) fn router(app: App) -> Router {
    let app = Arc::new(app);
    Router::new()
        .route(
            "/v1/verifications/{id}/images/{depiction}",
            put(put_image::put_image).options(cors::preflight),
        )
        .method_not_allowed_fallback(async || {
            Problem::of_status(StatusCode::METHOD_NOT_ALLOWED, "This address takes PUT.")
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&app), cors::allow))
        .fallback(async || Problem::new(Code::NotFound, "There is nothing at this address."))
        .with_state(app)
}
