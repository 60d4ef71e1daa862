//! `proofline dead`: what nobody could handle, and handing it once more to who could not.

mod letters;
mod list;
mod replay;
mod show;

use clap::Subcommand;
use proofline_journal::{Connection, Settings as NatsSettings};
use proofline_settings::{Reader, Source};

use crate::provision::wait_for;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Shows what was put aside, oldest first, and how many there are of each kind.
    List(list::Arguments),
    /// Shows everything about one dead letter: errors, attempts, headers and the original.
    Show(show::Arguments),
    /// Hands originals once more to the consumer that could not handle them, and to nobody else.
    ///
    /// Each comes with its event id and marked as a replay, and its dead letter is removed once the
    /// replay is stored. What still cannot be handled becomes a dead letter again, a new one.
    Replay(replay::Arguments),
}

/// Reads PROOFLINE_NATS_* and does what was asked.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    let mut reader = Reader::new(&Source::from_env());
    let settings = NatsSettings::read(&mut reader);
    let connection = Connection::open(&reader.finish(settings)?, "proofline-dead").await?;
    wait_for(&connection).await?;
    let jetstream = connection.jetstream()?;
    match command {
        Command::List(arguments) => list::run(jetstream, arguments).await,
        Command::Show(arguments) => show::run(jetstream, arguments).await,
        Command::Replay(arguments) => replay::run(jetstream, arguments).await,
    }
}
