//! `proofline restore`: a backup back into a server, and what was erased since erased again.

mod check;
mod consumers;
mod memory;
mod upload;

use std::path::PathBuf;

use anyhow::Context as _;
use async_nats::jetstream;
use proofline_journal::{
    Connection, Erasure, Erasures, ProvisionSettings, Settings as NatsSettings, topology,
};
use proofline_settings::{Reader, Source};

use check::Checked;
use memory::Memory;

use crate::{output::say, patience::patiently, provision::wait_for};

const DATA_KEYS: &str = "KV_DATA_KEYS";

/// Data keys first, so that what was erased since is gone before anything can be read with them;
/// the log last, as services wait for it.
const ORDER: [&str; 6] = [
    DATA_KEYS,
    "KV_SEALED",
    "KV_PARAMETERS",
    "KV_DOSSIERS",
    "DEAD_LETTERS",
    topology::VERIFICATIONS,
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A directory that `proofline backup` has written.
    #[arg(long, value_name = "DIR", required_unless_present = "settings")]
    from: Option<PathBuf>,
    /// What was erased since: the `erasures.jsonl` of the newest backup there is, several if need
    /// be. Demanded with a backup that has keys, as its results could be read otherwise.
    #[arg(long, value_name = "FILE")]
    erasures: Vec<PathBuf>,
    /// Deletes streams that are there and puts the backup's in their place. Stop every service
    /// first.
    #[arg(long)]
    overwrite: bool,
    /// Overwrites also while services run: what they accept meanwhile may be lost.
    #[arg(long)]
    accept_loss: bool,
    /// Where all known erasures are written before anything is deleted, and read from again: this
    /// run may break off. Without it `erasures-remembered.jsonl` beside the backup.
    #[arg(long, value_name = "FILE")]
    remember: Option<PathBuf>,
    /// Only says what is wrong, if anything is.
    #[arg(long)]
    check: bool,
    /// Describes the settings and does nothing else.
    #[arg(long)]
    pub(crate) settings: bool,
}

/// What it reads.
pub(crate) struct Settings {
    nats: NatsSettings,
    provision: ProvisionSettings,
}

impl Settings {
    /// Reads and documents them.
    pub(crate) fn read(r: &mut Reader) -> Option<Self> {
        let nats = NatsSettings::read(r);
        let provision = ProvisionSettings::read(r);
        Some(Self { nats: nats?, provision: provision? })
    }
}

/// Every setting, with default and unit.
pub(crate) fn describe() -> String {
    let mut reader = Reader::describing();
    Settings::read(&mut reader);
    reader.help()
}

/// Checks everything, then puts one stream after the other back.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut reader = Reader::new(&Source::from_env());
    let settings = Settings::read(&mut reader);
    let Settings { nats, provision } = reader.finish(settings)?;
    let connection = Connection::open(&nats, "proofline-restore").await?;
    wait_for(&connection).await?;
    let jetstream = connection.jetstream()?;
    let Arguments { from, erasures: ledgers, overwrite, .. } = &arguments;
    let from = from.as_deref().context("--from is missing")?;
    let memory = Memory::beside(from, arguments.remember.clone())?;
    let remembered = memory.find();
    let checked = check::everything(jetstream, from, ledgers, remembered, *overwrite).await?;
    if arguments.check {
        say(&format!("Nothing is wrong with this backup of {}.", checked.manifest.made_at));
        return Ok(());
    }
    if checked.there.contains(topology::VERIFICATIONS) && !arguments.accept_loss {
        consumers::are_left_alone(jetstream).await?;
    }
    let erasures = Erasures::new(&connection);
    let known = all_known(&checked, &erasures).await?;
    if !checked.there.is_empty() {
        memory.keep(&known)?;
    }
    // With a backup without keys those of the server stay, and with one they are about to go.
    destroy_keys(jetstream, &erasures, &known).await?;
    for name in ORDER {
        let Some(stream) = checked.manifest.streams.iter().find(|stream| stream.name == name)
        else {
            continue;
        };
        if checked.there.contains(name) {
            delete(jetstream, name).await?;
        }
        let done = upload::restore(&jetstream.client(), from, stream, provision.replicas).await;
        done.with_context(|| {
            format!("{name} is not restored; mend it and run this again with --overwrite")
        })?;
        say(&format!("{name}: {} messages", stream.messages));
        if name == DATA_KEYS {
            destroy_keys(jetstream, &erasures, &known).await?;
        }
    }
    let log = checked.manifest.streams.iter().find(|stream| stream.name == topology::VERIFICATIONS);
    consumers::start_anew(jetstream, log.map_or(0, |log| log.consumers)).await?;
    let mut again = 0;
    for erasure in &known {
        let asked = patiently(async || erasures.ask_again(erasure).await).await;
        again += u64::from(asked.context("cannot erase again")?);
    }
    say(&format!("{again} verifications are erased, or will be."));
    say(
        "Now run `proofline provision`: it makes the rest, and every verification is taken up again.",
    );
    Ok(())
}

/// Every erasure that anybody knows of, also the log that is about to go.
async fn all_known(checked: &Checked, erasures: &Erasures) -> anyhow::Result<Vec<Erasure>> {
    let mut known = checked.erasures.clone();
    if checked.there.contains(topology::VERIFICATIONS) {
        known.extend(erasures.all().await.context("cannot read the erasures")?);
    }
    known.sort_by(|one, other| one.key.cmp(&other.key));
    known.dedup_by(|one, other| one.key == other.key);
    Ok(known)
}

/// Fine where there are none.
async fn destroy_keys(
    jetstream: &jetstream::Context,
    erasures: &Erasures,
    known: &[Erasure],
) -> anyhow::Result<()> {
    if !check::is_there(jetstream, DATA_KEYS).await? {
        return Ok(());
    }
    for Erasure { key, .. } in known {
        let destroyed = patiently(async || erasures.destroy_key(key).await).await;
        destroyed.context("cannot destroy a data key")?;
    }
    Ok(())
}

async fn delete(jetstream: &jetstream::Context, name: &str) -> anyhow::Result<()> {
    let deleted = jetstream.delete_stream(name).await;
    deleted.map(drop).with_context(|| format!("cannot delete {name}"))
}
