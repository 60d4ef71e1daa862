//! `proofline backup`: what the streams hold, in files.

mod ledger;
mod manifest;
mod snapshot;

use std::{
    fs::{DirBuilder, read_dir},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use proofline_journal::{Connection, Erasures, Settings as NatsSettings};
use proofline_settings::{Reader, Source};
use time::format_description::well_known::Rfc3339;

pub(crate) use ledger::{LEDGER, keep as keep_ledger, read as read_ledger};
pub(crate) use manifest::{FORMAT, File, Manifest, Stream};

use crate::{moment::now, output::say, provision::wait_for};

/// What every backup has. The log first: whatever an event of it promises is in what is copied later.
pub(crate) const STREAMS: [&str; 3] = ["VERIFICATIONS", "DEAD_LETTERS", "KV_DOSSIERS"];
/// What is sealed, and the keys to it. Keys last: of an erasure in between nothing is left.
const SEALED: [&str; 3] = ["KV_SEALED", "KV_PARAMETERS", "KV_DATA_KEYS"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A directory that is not there yet, or empty.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Also copies what is sealed (results, what end-users need) and the data keys to it: who has
    /// this backup and PROOFLINE_KEYS can read results, also of verifications erased since.
    #[arg(long)]
    with_keys: bool,
}

/// Copies each stream, then writes down what there is, so that a backup that broke off is none.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { to, with_keys } = arguments;
    let mut reader = Reader::new(&Source::from_env());
    let settings = NatsSettings::read(&mut reader);
    let connection = Connection::open(&reader.finish(settings)?, "proofline-backup").await?;
    wait_for(&connection).await?;
    make_empty(&to)?;
    let client = connection.jetstream()?.client();
    let made_at = now().format(&Rfc3339)?;
    let mut streams = Vec::new();
    for name in STREAMS.iter().chain(SEALED.iter().filter(|_| with_keys)) {
        let taken = snapshot::take(&client, name, &to).await;
        let stream = taken.with_context(|| format!("cannot copy {name}"))?;
        say(&format!("{name}: {} messages, {} bytes", stream.messages, stream.data.bytes));
        streams.push(stream);
    }
    let erasures = Erasures::new(&connection).all().await.context("cannot read the erasures")?;
    let manifest = Manifest {
        format: FORMAT,
        made_at,
        proofline: env!("CARGO_PKG_VERSION").to_owned(),
        nats_server: client.server_info().version,
        with_keys,
        streams,
        erasures: ledger::write(&to, &erasures)?,
    };
    manifest.write(&to)?;
    say(&format!(
        "The backup in {} is complete; {} erasures are listed.",
        to.display(),
        erasures.len()
    ));
    Ok(())
}

fn make_empty(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot make {shown}"))?;
    let is_empty =
        read_dir(folder).with_context(|| format!("cannot read {shown}"))?.next().is_none();
    ensure!(is_empty, "{shown} is not empty");
    Ok(())
}
