//! `proofline provision`.

use std::time::Duration;

use anyhow::Context;
use proofline_journal::{
    Connection, Error, ProvisionError, ProvisionSettings, Settings as NatsSettings, provision,
    prune,
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

/// What it may do besides making and changing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Leave {
    /// Delete the consumers of subscribers that are no more.
    pub(crate) prune: bool,
    /// Make changes that lose something.
    pub(crate) accept_loss: bool,
}

/// Provisions what the environment names, and says what was done.
pub(crate) async fn run(leave: Leave) -> anyhow::Result<()> {
    from(&Source::from_env(), leave).await?.iter().for_each(|done| say(done));
    Ok(())
}

/// Provisions what `source` names. Answers what was done.
pub(crate) async fn from(source: &Source, leave: Leave) -> anyhow::Result<Vec<String>> {
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
        match provision(&connection, settings, &subscribers, leave.accept_loss).await {
            Ok(made) => break made,
            // A cluster needs a moment to elect who decides, or to find all its servers again.
            Err(ProvisionError::Journal(Error::Unavailable(_))) if Instant::now() < until => {}
            Err(error @ ProvisionError::WouldLose(_)) => {
                anyhow::bail!("{error}\nWith --accept-loss it is done all the same.")
            }
            Err(error) => return Err(error.into()),
        }
    };
    if leave.prune {
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
