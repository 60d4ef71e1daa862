//! Hears from Assure, and makes of what it hears a durable signal to look.
//!
//! * What for: `POST /callbacks/{token}`, `POST /events/{tenant}` and the end-user's way back,
//!   `GET /return/{token}`. It authenticates, appends
//!   `completion-signalled`, and answers 200 once that is durable. Nothing it is told is believed.
//! * What not for: looking at Assure; it has no credentials there, and may do nothing on NATS
//!   but append signals.
//! * Where to begin: `callback.rs`, then `webhook.rs`.

mod app;
mod body;
mod callback;
mod end_user_return;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod settings;
mod webhook;
mod webhook_settings;

use std::sync::Arc;

use axum::Router;
use proofline_events::Service;
use proofline_journal::{Connection, SignalSink};
use proofline_service::{
    About, Rate, Shutdown,
    http::{self, Readiness},
    telemetry::keys_in_use,
};

pub use settings::Settings;

/// Name and purpose, for `--help`.
pub const ABOUT: About = About {
    name: "proofline-callback-receiver",
    summary: "Receives Assure's callbacks and makes of each one durable signal.",
};

/// Runs the service until it is told to stop.
///
/// # Errors
/// When a port can't be opened or NATS settings can't be used.
pub async fn run(settings: Settings, shutdown: Shutdown) -> anyhow::Result<()> {
    let admin = http::bind(settings.admin_listen).await?;
    let listener = http::bind(settings.listen).await?;
    let connection = Connection::open(&settings.nats, ABOUT.name).await?;

    let watch = sink(&connection).watch();
    let readiness = Readiness::new(shutdown.clone());
    readiness.check("nats", Arc::new(move || watch.check()));

    keys_in_use("tokens", settings.token_keys.ids());
    let limits = settings.limits;
    let work = http::serve_strangers(listener, router(settings, &connection), limits, shutdown);
    http::with_admin(admin, readiness, work).await?;
    connection.close().await;
    Ok(())
}

/// The routes, over this connection.
pub fn router(settings: Settings, connection: &Connection) -> Router {
    let Settings { token_keys, webhooks, refusals_per_second, .. } = settings;
    let refusals = Rate::per_second(refusals_per_second);
    app::router(app::App { signals: sink(connection), token_keys, webhooks, refusals })
}

fn sink(connection: &Connection) -> SignalSink {
    SignalSink::new(connection, Service::CallbackReceiver)
}
