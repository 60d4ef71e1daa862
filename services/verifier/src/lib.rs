//! Starts what is submitted, watches deadlines, and looks up what is overdue.
//!
//! * What for: `submission-requested` becomes Start verification at Assure; each verification has
//!   a deadline, at which there is a signal to look once more; and one that should have heard of
//!   its end is looked up, all of them together.
//! * What not for: telling the end (`result-normaliser`).
//! * Where to begin: `submission_requested.rs`.

mod census;
mod deadline_due;
mod overdue;
mod reconcile;
mod settings;
mod submission_requested;
mod verification_requested;

use std::sync::Arc;

use anyhow::Context;
use proofline_ambient::clock;
use proofline_assure::{Accounts, Transport, http as assure_http};
use proofline_events::Service;
use proofline_journal::{
    AccountPace, Census, Connection, DueTimers, Journal, SignalSink, Vault, topology::Consumer,
    worker::Workers,
};
use proofline_service::{
    About, Shutdown,
    http::{self, Readiness},
    telemetry::keys_in_use,
};
use tokio_util::task::AbortOnDropHandle;

pub use settings::Settings;

use overdue::OverdueCount;
use reconcile::Reconciler;
use submission_requested::Starter;

/// Name and purpose, for `--help`.
pub const ABOUT: About = About {
    name: "proofline-verifier",
    summary: "Starts verifications at Assure, watches deadlines, and looks up what is overdue.",
};

/// Runs the service until it is told to stop.
///
/// # Errors
/// When a port can't be opened or NATS settings can't be used.
pub async fn run(settings: Settings, shutdown: Shutdown) -> anyhow::Result<()> {
    let admin = http::bind(settings.admin_listen).await?;
    let connection = Connection::open(&settings.nats, ABOUT.name).await?;

    let watch = Journal::new(connection.clone(), Service::Verifier).watch();
    let readiness = Readiness::new(shutdown.clone());
    readiness.check("nats", Arc::new(move || watch.check()));

    keys_in_use("sealing", settings.keyring.ids());
    let workers = workers(settings, &connection, &assure_http, &shutdown);
    let counting = census::run(Census::new(connection.clone()), shutdown);
    let _counting = AbortOnDropHandle::new(tokio::spawn(counting));
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
    shutdown: &Shutdown,
) -> Workers {
    let journal = Journal::new(connection.clone(), Service::Verifier);
    let signals = SignalSink::new(connection, Service::Verifier);
    let pace = AccountPace::new(connection, settings.assure.id(), clock::now);
    let assure = Accounts::new(
        settings.assure,
        settings.tenants.assure_accounts(),
        AccountPace::for_all(connection, clock::now),
        transport,
    );
    let grace = settings.callback_grace;
    let mut workers = Workers::new(connection.clone(), shutdown.clone());
    workers.events(Consumer::VerifierRequests, {
        let journal = journal.clone();
        move |delivery| verification_requested::handle(journal.clone(), grace, delivery)
    });
    let starter = Arc::new(Starter {
        journal: journal.clone(),
        vault: Vault::new(connection, Arc::new(settings.keyring)),
        assure: assure.clone(),
        grace,
    });
    workers.events(Consumer::VerifierSubmissions, move |delivery| {
        let starter = Arc::clone(&starter);
        async move { starter.handle(delivery).await }
    });
    workers.timers(Consumer::VerifierDeadline, {
        let (journal, signals) = (journal.clone(), signals.clone());
        move |delivery| deadline_due::handle(journal.clone(), signals.clone(), delivery)
    });
    let checks = DueTimers::new(connection.clone(), Consumer::VerifierCheck);
    let reconciler = Reconciler {
        journal,
        signals,
        checks: checks.clone(),
        assure,
        pace,
        interval: settings.reconcile_interval,
        overdue: OverdueCount::new(settings.reconcile_interval, clock::now),
    };
    workers.other(checks.health(), reconciler.run(shutdown.clone()));
    workers
}
