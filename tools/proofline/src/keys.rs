//! `proofline keys`: new ones, and getting rid of old ones.

mod new;
pub(crate) mod rewrap;

use clap::Subcommand;

use crate::output::say;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Prints a fresh random key as an entry for PROOFLINE_KEYS or PROOFLINE_TOKEN_KEYS.
    ///
    /// The key is written nowhere else: send it straight to where secrets are kept.
    New(new::Arguments),
    /// Wraps every data key anew under the first key of PROOFLINE_KEYS, and destroys its old wrapping.
    ///
    /// Run it when all services have the new key first. It may be broken off and run again, and does
    /// no harm while services work. It ends by saying which keys no data key needs any more.
    ///
    /// Reads PROOFLINE_NATS_* and PROOFLINE_KEYS; `--settings` describes them.
    Rewrap(rewrap::Arguments),
}

/// Does what was asked.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::New(arguments) => {
            new::run(&arguments)?;
            Ok(())
        }
        Command::Rewrap(arguments) if arguments.settings => {
            say(&rewrap::describe());
            Ok(())
        }
        Command::Rewrap(arguments) => rewrap::run(&arguments).await,
    }
}
