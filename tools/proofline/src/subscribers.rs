//! `proofline subscribers`: who is subscribed, and letting one see again what ended.

mod list;
mod replay;

use async_nats::jetstream::consumer::Info;
use clap::Subcommand;
use proofline_events::{EventType, REPLAY_PREFIX, TenantName};
use proofline_journal::{Connection, Settings as NatsSettings};
use proofline_settings::{Reader, Source};

use crate::provision::wait_for;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Shows every subscriber: what waits for it, and what it was given and has not acknowledged.
    List,
    /// Lets one subscriber see again every verification that ended since a time.
    ///
    /// Each end comes to that subscriber alone, with its event id and marked as a replay. What the
    /// subscriber has not been given yet comes to it anyway and is not replayed.
    ///
    /// Replays stay in the stream like every event: a consumer that is deleted and made anew gets
    /// them all, besides the ends themselves.
    Replay(replay::Arguments),
}

/// Reads PROOFLINE_NATS_* and does what was asked.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    let mut reader = Reader::new(&Source::from_env());
    let settings = NatsSettings::read(&mut reader);
    let connection = Connection::open(&reader.finish(settings)?, "proofline-subscribers").await?;
    wait_for(&connection).await?;
    match command {
        Command::List => list::run(connection.jetstream()?).await,
        Command::Replay(arguments) => replay::run(connection.jetstream()?, arguments).await,
    }
}

/// The tenant whose ends a consumer is given, if it is a subscriber's. `<tenant>-<name>` alone
/// does not tell: both may have hyphens.
fn tenant_of(consumer: &Info) -> Option<TenantName> {
    let filters = &consumer.config.filter_subjects;
    let ends = format!("{}.", EventType::ProcessFinished.ce_type());
    let is_replayed_to = filters.iter().any(|filter| filter.starts_with(REPLAY_PREFIX));
    let tenant = filters.iter().find_map(|f| f.strip_prefix(&ends)?.strip_suffix(".*"))?;
    is_replayed_to.then(|| TenantName::parse(tenant).ok()).flatten()
}
