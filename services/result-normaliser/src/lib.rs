//! Tells the end of each verification, once.
//!
//! * What for: every signal makes it look at Assure; a final status becomes a sealed, normalised
//!   result and the one `process-finished`. It also removes what must not stay after an end.
//! * What not for: believing a signal. It is the only one that ends a verification.
//! * Where to begin: `signalled.rs`, then `normalise.rs`; `removals.rs` for erasure.

mod delete_in_assure;
mod document;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod look;
mod normalise;
mod removals;
mod result_expired;
mod settings;
mod signalled;

use std::sync::Arc;

use anyhow::Context;
use proofline_ambient::clock;
use proofline_assure::{Accounts, Transport, http as assure_http};
use proofline_events::Service;
use proofline_journal::{
    AccountPace, Connection, Dossiers, Journal, Vault, topology::Consumer, worker::Workers,
};
use proofline_service::{
    About, Shutdown,
    http::{self, Readiness},
    telemetry::keys_in_use,
};

pub use settings::Settings;

use delete_in_assure::Deletions;
use removals::Removals;
use signalled::Normaliser;

/// Name and purpose, for `--help`.
pub const ABOUT: About = About {
    name: "proofline-result-normaliser",
    summary: "Looks at Assure when there is a signal, and tells the one end of each verification.",
};

/// Runs the service until it is told to stop.
///
/// # Errors
/// When a port can't be opened or NATS settings can't be used.
pub async fn run(settings: Settings, shutdown: Shutdown) -> anyhow::Result<()> {
    let admin = http::bind(settings.admin_listen).await?;
    let connection = Connection::open(&settings.nats, ABOUT.name).await?;

    let watch = Journal::new(connection.clone(), Service::ResultNormaliser).watch();
    let readiness = Readiness::new(shutdown.clone());
    readiness.check("nats", Arc::new(move || watch.check()));

    keys_in_use("sealing", settings.keyring.ids());
    let workers = workers(settings, &connection, &assure_http, shutdown);
    for health in workers.healths() {
        readiness.check(health.name(), Arc::new(move || health.check()));
    }
    let work = async { workers.finished().await.context("a worker broke") };
    http::with_admin(admin, readiness, work).await?;
    connection.close().await;
    Ok(())
}

/// Begins all that the service does, over this connection and this transport to Assure.
pub fn workers(
    settings: Settings,
    connection: &Connection,
    transport: &dyn Fn() -> Arc<dyn Transport>,
    shutdown: Shutdown,
) -> Workers {
    let journal = Journal::new(connection.clone(), Service::ResultNormaliser);
    let vault = Vault::new(connection, Arc::new(settings.keyring));
    let assure = Accounts::new(
        settings.assure,
        settings.tenants.assure_accounts(),
        AccountPace::for_all(connection, clock::now),
        transport,
    );
    let normaliser = Arc::new(Normaliser {
        journal: journal.clone(),
        vault: vault.clone(),
        assure: assure.clone(),
        api_url: settings.api_url,
        callback_grace: settings.callback_grace,
    });
    let removals = Arc::new(Removals {
        journal: journal.clone(),
        vault: vault.clone(),
        result_retention: settings.result_retention,
        delete_after: settings.delete_after,
    });
    let mut workers = Workers::new(connection.clone(), shutdown);
    workers.events(Consumer::ResultNormaliserSignals, move |delivery| {
        let normaliser = Arc::clone(&normaliser);
        async move { normaliser.handle(delivery).await }
    });
    workers.events(Consumer::ResultNormaliserRemovals, move |delivery| {
        let removals = Arc::clone(&removals);
        async move { removals.handle(delivery).await }
    });
    let deletions = Arc::new(Deletions {
        journal,
        assure,
        dossiers: Dossiers::new(connection),
        delete_after: settings.delete_after,
    });
    workers.timers(Consumer::ResultNormaliserDeleteInAssure, move |delivery| {
        let deletions = Arc::clone(&deletions);
        async move { deletions.handle(delivery).await }
    });
    workers.timers(Consumer::ResultNormaliserExpireResult, move |delivery| {
        result_expired::handle(vault.clone(), delivery)
    });
    workers
}
