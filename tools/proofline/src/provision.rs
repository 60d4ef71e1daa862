//! `proofline provision`.

use std::time::Duration;

use anyhow::Context;
use proofline_journal::{
    Connection, ProvisionSettings, Settings as NatsSettings, provision, prune,
};
use proofline_settings::{Reader, Source};
use proofline_tenants::Tenants;
use tokio::time::{Instant, interval};

use crate::output::say;

/// How long NATS may be away before it is an error: a job may start before its broker.
const PATIENCE: Duration = Duration::from_secs(30);

/// What provisioning reads.
pub(crate) struct Settings {
    nats: NatsSettings,
    provision: ProvisionSettings,
    tenants: Tenants,
}

impl Settings {
    /// Reads and documents them.
    pub(crate) fn read(r: &mut Reader) -> Option<Self> {
        let nats = NatsSettings::read(r);
        let provision = ProvisionSettings::read(r);
        let tenants = Tenants::read_without_accounts(r);
        Some(Self { nats: nats?, provision: provision?, tenants: tenants? })
    }
}

/// Every setting, with default and unit.
pub(crate) fn describe() -> String {
    let mut reader = Reader::describing();
    Settings::read(&mut reader);
    reader.help()
}

/// Provisions what the environment names, and says what is there now. If it `prunes`, it deletes
/// the consumers of subscribers that are no more, and says which.
pub(crate) async fn run(prunes: bool) -> anyhow::Result<()> {
    from(&Source::from_env(), prunes).await?.iter().for_each(|done| say(done));
    Ok(())
}

/// Provisions what `source` names. Answers what was done.
pub(crate) async fn from(source: &Source, prunes: bool) -> anyhow::Result<Vec<String>> {
    let mut reader = Reader::new(source);
    let settings = Settings::read(&mut reader);
    let Settings { nats, provision: settings, tenants } = reader.finish(settings)?;
    let connection = Connection::open(&nats, "proofline-provision").await?;
    wait_for(&connection).await?;
    let subscribers: Vec<_> = tenants
        .iter()
        .flat_map(|tenant| {
            tenant.subscribers.iter().map(|name| (tenant.name.to_string(), name.clone()))
        })
        .collect();
    let until = Instant::now() + PATIENCE;
    let mut tick = interval(Duration::from_millis(250));
    let mut done = loop {
        tick.tick().await;
        match provision(&connection, settings, &subscribers).await {
            Ok(made) => break made,
            // A cluster needs a moment to elect who decides.
            Err(proofline_journal::Error::Unavailable(_)) if Instant::now() < until => {}
            Err(error) => return Err(error.into()),
        }
    };
    if prunes {
        done.extend(prune(&connection, &subscribers).await.context("cannot prune")?);
    }
    Ok(done)
}

/// Waits for the connection, as long as a broker that starts at the same time may take.
pub(crate) async fn wait_for(connection: &Connection) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    let mut tick = interval(Duration::from_millis(50));
    loop {
        tick.tick().await;
        match connection.is_connected() {
            Ok(()) => return Ok(()),
            Err(_) if Instant::now() < until => {}
            Err(reason) => return Err(anyhow::anyhow!(reason)).context("waited 30 s"),
        }
    }
}
