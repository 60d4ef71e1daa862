//! Accepts verification requests over HTTP, sets them up in Assure, and answers for them
//! afterwards.
//!
//! * What for: everything under `/v1` but images, for a caller's own server.
//! * What not for: images (`upload`), starting verifications (`verifier`), telling the end
//!   (`result-normaliser`).
//! * Where to begin: `app.rs` for the routes, then `create_verification.rs` and `set_up.rs`.

mod app;
mod cancel;
mod create_verification;
mod creation;
mod document_types;
mod erase;
mod get_verification;
mod idempotency;
mod media;
mod members;
mod next_action;
mod openapi;
mod result;
mod set_up;
mod settings;
mod shared_dossier;
mod submit;
mod timeline;
mod view;

use std::{sync::Arc, time::Duration};

use axum::Router;
use proofline_ambient::clock;
use proofline_assure::{Accounts, Transport, http as assure_http};
use proofline_callers::Admission;
use proofline_events::Service;
use proofline_journal::{AccountPace, Connection, Dossiers, Journal, Vault};
use proofline_service::{
    About, Shutdown,
    http::{self, Readiness},
    telemetry::keys_in_use,
};

use tokio::time::timeout;
use tokio_util::task::TaskTracker;

pub use openapi::openapi;
pub use settings::Settings;

/// Name and purpose, for `--help`.
pub const ABOUT: About = About {
    name: "proofline-intake",
    summary: "Accepts verification requests, sets them up in Assure, and answers for them.",
};

/// How long work that outlives its request may go on after the last answer.
const DRAIN: Duration = Duration::from_millis(500);

/// Runs the service until it is told to stop.
///
/// # Errors
/// When a port can't be opened or NATS settings can't be used.
pub async fn run(settings: Settings, shutdown: Shutdown) -> anyhow::Result<()> {
    let admin = http::bind(settings.admin_listen).await?;
    let listener = http::bind(settings.listen).await?;
    let connection = Connection::open(&settings.nats, ABOUT.name).await?;

    let watch = Journal::new(connection.clone(), Service::Intake).watch();
    let readiness = Readiness::new(shutdown.clone());
    readiness.check("nats", Arc::new(move || watch.check()));

    keys_in_use("sealing", settings.keys.sealing.ids());
    keys_in_use("tokens", settings.keys.tokens.ids());
    let limits = settings.limits;
    let tasks = TaskTracker::new();
    let router = router(settings, &connection, &assure_http, tasks.clone(), shutdown.clone());
    let work = async {
        http::serve(listener, router, limits, shutdown).await?;
        tasks.close();
        if timeout(DRAIN, tasks.wait()).await.is_err() {
            tracing::warn!("work that outlived its request was cut off");
        }
        Ok(())
    };
    http::with_admin(admin, readiness, work).await?;
    connection.close().await;
    Ok(())
}

/// The routes, over this connection and this transport to Assure. `tasks` gets the work that
/// outlives its request.
pub fn router(
    settings: Settings,
    connection: &Connection,
    transport: &dyn Fn() -> Arc<dyn Transport>,
    tasks: TaskTracker,
    shutdown: Shutdown,
) -> Router {
    app::router(app::App {
        dossiers: Dossiers::new(connection),
        vault: Vault::new(connection, Arc::new(settings.keys.sealing.clone())),
        journal: Journal::new(connection.clone(), Service::Intake),
        assure: Accounts::new(
            settings.assure.clone(),
            settings.tenants.assure_accounts(),
            AccountPace::for_all(connection, clock::now),
            transport,
        ),
        document_types: document_types::DocumentTypes::default(),
        admission: Admission::new(settings.tenants.clone(), settings.rates),
        shutdown,
        settings,
        tasks,
    })
}
