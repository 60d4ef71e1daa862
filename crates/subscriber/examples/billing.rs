//! A whole subscriber: prints one line for each verification that ended.
//!
//! `make example-rust` runs it against `make dev`. Settings, all optional: `NATS_URL`,
//! `NATS_DURABLE`, `NATS_CREDS_FILE`, `NATS_INBOX_PREFIX`, `NATS_JS_PREFIX`.

use std::{
    collections::HashSet,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use anyhow::Context;
use async_nats::{ConnectOptions, ServerAddr};
use proofline_subscriber::{CancellationToken, Delivery, Failure, Subscription, Word};
use tokio::signal::unix::{SignalKind, signal};

/// How many event ids are remembered: duplicates come soon after the original.
const REMEMBERED: usize = 10_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let stop = stop_on_signals()?;
    // The TLS of connections that have it.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let mut options = ConnectOptions::new().name("billing-example").retry_on_initial_connect();
    if let Some(file) = setting("NATS_CREDS_FILE") {
        options = options.credentials_file(file).await.context("NATS_CREDS_FILE")?;
    }
    if let Some(prefix) = setting("NATS_INBOX_PREFIX") {
        options = options.custom_inbox_prefix(prefix);
    }
    let url = setting("NATS_URL").unwrap_or_else(|| "nats://127.0.0.1:4222".to_owned());
    let servers = url.split(',').map(|server| server.trim().parse::<ServerAddr>());
    let servers = servers.collect::<Result<Vec<_>, _>>().context("NATS_URL")?;
    let client = options.connect(servers).await.context("cannot connect to NATS")?;

    let durable = setting("NATS_DURABLE").unwrap_or_else(|| "demo-subscriber".to_owned());
    let mut subscription = Subscription::open(client, durable)?;
    if let Some(prefix) = setting("NATS_JS_PREFIX") {
        subscription = subscription.js_prefix(prefix);
    }

    let seen = Arc::new(Mutex::new(HashSet::new()));
    let handler = move |ended| bill(ended, Arc::clone(&seen));
    subscription.run(stop, handler).await?;
    Ok(())
}

/// Called at least once for each end.
async fn bill(ended: Delivery, seen: Arc<Mutex<HashSet<String>>>) -> Result<(), Failure> {
    // A real subscriber stores the event id in the transaction of what it does: this memory is
    // gone with the process. A replay is what an operator wants to be done again.
    let is_known = seen.lock().expect("no panic while held").contains(&ended.event_id);
    if is_known && !ended.is_replay {
        return Ok(());
    }
    let outcome = ended.event.outcome().word();
    // An error is enough to have the event come again later.
    writeln!(io::stdout(), "{} {outcome} {}", ended.event.verification_id, ended.event_id)?;

    let mut seen = seen.lock().expect("no panic while held");
    if seen.len() >= REMEMBERED {
        seen.clear();
    }
    seen.insert(ended.event_id);
    Ok(())
}

/// Cancelled by the first SIGTERM or Ctrl-C.
fn stop_on_signals() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    Ok(stop)
}

#[expect(clippy::disallowed_methods, reason = "an example needs no crate for its settings")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
