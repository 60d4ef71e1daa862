//! Carries images from a caller or an end-user's browser to Assure, without holding them.
//!
//! * What for: `PUT /v1/verifications/{id}/images/{depiction}`. A depiction is claimed before its
//!   image is sent and reported on after, so that what is submitted is what was answered 204.
//! * What not for: keeping images; they are nowhere here but in flight.
//! * Where to begin: `put_image.rs`.

mod access;
mod app;
mod cors;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod image;
mod metrics;
mod problems;
mod put_image;
mod settings;

use std::{sync::Arc, time::Duration};

use axum::Router;
use proofline_ambient::clock;
use proofline_assure::{Accounts, Transport, http as assure_http};
use proofline_callers::Admission;
use proofline_events::Service;
use proofline_journal::{AccountPace, Connection, Journal};
use proofline_service::{
    About, Shares, Shutdown,
    http::{self, Readiness},
    telemetry::keys_in_use,
};

use tokio::{sync::Semaphore, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use settings::Settings;

/// Name and purpose, for `--help`.
pub const ABOUT: About =
    About { name: "proofline-upload", summary: "Carries images to Assure, without holding them." };

/// So many images may be on their way at once, each holding a few buffers and a connection.
const MAX_UPLOADS: usize = 1024;

/// How long uploads may go on once a stop is asked; a process is gone within 10 s.
const GRACE_FOR_UPLOADS: Duration = Duration::from_secs(5);

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

    let watch = Journal::new(connection.clone(), Service::Upload).watch();
    let readiness = Readiness::new(shutdown.clone());
    readiness.check("nats", Arc::new(move || watch.check()));

    keys_in_use("tokens", settings.token_keys.ids());
    let limits = settings.limits;
    let tasks = TaskTracker::new();
    let router = router(settings, &connection, &assure_http, tasks.clone(), &shutdown);
    let work = async {
        http::serve_strangers(listener, router, limits, shutdown).await?;
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
    shutdown: &Shutdown,
) -> Router {
    app::router(app::App {
        journal: Journal::new(connection.clone(), Service::Upload),
        assure: Accounts::new(
            settings.assure.clone(),
            settings.tenants.assure_accounts(),
            AccountPace::for_all(connection, clock::now),
            transport,
        ),
        admission: Admission::new(settings.tenants.clone(), settings.rates),
        shares: Shares::per_second(app::SHARE),
        settings,
        places: Arc::new(Semaphore::new(MAX_UPLOADS)),
        tasks,
        stop_streams: stop_streams(shutdown.clone()),
    })
}

/// Uploads in flight may go on for a while after a stop was asked; then they must end in time for
/// their reports.
fn stop_streams(shutdown: Shutdown) -> CancellationToken {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        shutdown.cancelled().await;
        pause(GRACE_FOR_UPLOADS).await;
        stopped.cancel();
    });
    stop
}

#[expect(
    clippy::disallowed_methods,
    reason = "time itself is meant: what a drain leaves to uploads"
)]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
