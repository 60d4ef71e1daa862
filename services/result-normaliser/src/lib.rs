//! Tells the end of each verification, once.
//!
//! * What for: every signal makes it look at Assure; a final status becomes a sealed, normalised
//!   result and the one `process-finished`.
//! * What not for: believing a signal. It is the only one that ends a verification.
//! * Where to begin: `signalled.rs`, then `normalise.rs`.

mod document;
mod normalise;
mod settings;
mod signalled;

use std::sync::Arc;

use anyhow::Context;
use futures_util::FutureExt;
use proofline_assure::{Client, LocalPace};
use proofline_events::Service;
use proofline_journal::{Connection, Journal, Vault, topology::Consumer, worker::Worker};
use proofline_service::{
    About, Shutdown,
    http::{self, Readiness},
};

pub use settings::Settings;

/// Name and purpose, for `--help`.
pub const ABOUT: About = About {
    name: "proofline-result-normaliser",
    summary: "Looks at Assure when there is a signal, and tells the one end of each verification.",
};

/// How many signals are handled at once.
const CONCURRENCY: usize = 32;

/// Runs the service until it is told to stop.
///
/// # Errors
/// When a port can't be opened or NATS settings can't be used.
pub async fn run(settings: Settings, shutdown: Shutdown) -> anyhow::Result<()> {
    let admin = http::bind(settings.admin_listen).await?;
    let connection = Connection::open(&settings.nats, ABOUT.name).await?;
    let journal = Journal::new(connection.clone(), Service::ResultNormaliser);

    let watch = journal.watch();
    let consumer = Consumer::ResultNormaliserSignals;
    let worker = Worker::new(connection.clone(), consumer, CONCURRENCY, shutdown.clone());
    let health = worker.health();
    let readiness = Readiness::new(shutdown);
    readiness.check("nats", Arc::new(move || watch.check()));
    readiness.check(consumer.name(), Arc::new(move || health.check()));

    let normaliser = Arc::new(signalled::Normaliser {
        journal,
        vault: Vault::new(&connection, Arc::new(settings.keyring)),
        assure: Client::new(settings.assure, Box::new(LocalPace::default())),
        api_url: settings.api_url,
    });
    let work = worker.run_events(move |delivery| {
        let normaliser = Arc::clone(&normaliser);
        async move { normaliser.handle(delivery).await }
    });
    let work = tokio::spawn(work).map(|ended| ended.context("the worker broke"));
    http::with_admin(admin, readiness, work).await?;
    connection.close().await;
    Ok(())
}
