//! `proofline`: the command line, for whoever develops with Proofline or operates it.

mod backup;
mod consumer;
mod dead;
mod demo;
mod describe;
mod dev;
mod doctor;
mod health;
mod installation;
mod keys;
mod moment;
mod output;
mod patience;
mod provision;
mod replays;
mod restore;
mod sample;
mod sandbox;
mod subscribers;
mod timeline;
mod verify;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use output::{complain, say};

/// Exit code for wrong settings, as of every service.
const WRONG_SETTINGS: u8 = 2;

/// Identity verifications through Signicat's Assure API, with one event for each end.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs everything in one process, on a real nats-server and the simulator, until Ctrl-C.
    ///
    /// A set PROOFLINE_NATS_URL or ASSURE_BASE_URL is used instead of the embedded one. Settings
    /// of the services are taken from the environment, but for their addresses.
    Dev {
        /// Where data is kept from one run to the next.
        #[arg(long, value_name = "DIRECTORY", default_value = ".proofline-dev")]
        data: PathBuf,
        /// Takes free ports instead of the usual ones.
        #[arg(long)]
        free_ports: bool,
    },
    /// Runs an accepted and a rejected verification, and one whose callback is lost, and prints
    /// what happened.
    Demo,
    /// Runs one verification against any installation, from image files.
    ///
    /// The API key is taken from PROOFLINE_API_KEY, or from the file that PROOFLINE_API_KEY_FILE
    /// names. Exit code 0 once the verification has its end, whatever that is.
    Verify(Box<verify::Arguments>),
    /// Creates or updates streams, buckets and consumers in NATS.
    ///
    /// Reads PROOFLINE_NATS_*, PROOFLINE_TENANTS_FILE, PROOFLINE_EVENT_RETENTION and
    /// PROOFLINE_RESULT_RETENTION; `--settings` describes them.
    Provision {
        /// Describes the settings and does nothing else.
        #[arg(long)]
        settings: bool,
        /// Also deletes the consumers of subscribers that the tenants file no longer names, and with
        /// each what it has not handled yet.
        #[arg(long)]
        prune: bool,
        /// Also makes changes that lose something, such as events older than a shorter retention.
        /// Without this, nothing at all is changed then.
        #[arg(long)]
        accept_loss: bool,
    },
    /// Shows subscribers, and lets one see again what ended.
    ///
    /// Reads PROOFLINE_NATS_*, as provision does.
    #[command(subcommand)]
    Subscribers(subscribers::Command),
    /// Shows what no consumer could handle, and hands it to the consumer once more.
    ///
    /// Reads PROOFLINE_NATS_*, as provision does.
    #[command(subcommand)]
    Dead(dead::Command),
    /// Makes keys, and wraps data keys anew so that old ones may go.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Copies streams and buckets into files, in the form of `nats stream backup`.
    ///
    /// Services go on meanwhile. Without --with-keys nothing of it is personal. Reads
    /// PROOFLINE_NATS_*.
    Backup(backup::Arguments),
    /// Puts a backup back, into a server that has no such streams.
    ///
    /// Every verification it knows is taken up again and ends; what was erased since is erased
    /// again. Reads PROOFLINE_NATS_*; `--settings` describes them.
    Restore(restore::Arguments),
    /// Checks an installation, and says what is wrong and what to do.
    ///
    /// Reads the settings of intake and of provision, and PROOFLINE_NATS_MONITORING; `--settings`
    /// describes them. Changes nothing but a stream of its own, PROOFLINE_PROBE, which it makes and
    /// deletes. Exit code 0 if there is no problem but accepted ones, 1 if there is, 2 for wrong
    /// settings or arguments.
    Doctor(doctor::Arguments),
    /// Asks a service whether it is ready, for health checks of containers, which have no shell.
    ///
    /// Exit code 0 if the answer is 2xx; if not, 1 and what the service says against it.
    Health {
        /// Such as http://127.0.0.1:9080/readyz.
        url: reqwest::Url,
    },
    /// Prints what an interface looks like, for programs to read.
    Describe {
        /// Which one.
        interface: describe::Interface,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    proofline_service::install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    // On the heap: every service is in this future.
    let result = runtime.block_on(Box::pin(async {
        match arguments.command {
            Command::Dev { data, free_ports } => dev::run(data, free_ports).await,
            Command::Demo => Box::pin(demo::run()).await,
            Command::Verify(arguments) => verify::run(*arguments).await,
            Command::Provision { settings: true, .. } => {
                say(&provision::describe());
                Ok(())
            }
            Command::Provision { settings: false, prune, accept_loss } => {
                provision::run(provision::Leave { prune, accept_loss }).await
            }
            Command::Subscribers(command) => subscribers::run(command).await,
            Command::Dead(command) => dead::run(command).await,
            Command::Keys(command) => keys::run(command).await,
            Command::Backup(arguments) => backup::run(arguments).await,
            Command::Restore(arguments) if arguments.settings => {
                say(&restore::describe());
                Ok(())
            }
            Command::Restore(arguments) => restore::run(arguments).await,
            Command::Doctor(arguments) => doctor::run(arguments).await,
            Command::Health { url } => health::run(url).await,
            Command::Describe { interface } => {
                say(&describe::document(interface));
                Ok(())
            }
        }
    }));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            let is_settings = error.is::<proofline_settings::Faults>();
            if is_settings { ExitCode::from(WRONG_SETTINGS) } else { ExitCode::FAILURE }
        }
    }
}
