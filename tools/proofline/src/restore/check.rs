//! Whether a backup can be restored, every fault at once, before anything is changed.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use async_nats::jetstream::{self, ErrorCode, context::GetStreamErrorKind};
use proofline_journal::Erasure;

use crate::backup::{LEDGER, Manifest, STREAMS, read_ledger};

/// A backup without a fault.
pub(super) struct Checked {
    pub(super) manifest: Manifest,
    /// Streams of it that the server has.
    pub(super) there: BTreeSet<String>,
    /// What ledgers list, also the one of a run that broke off.
    pub(super) erasures: Vec<Erasure>,
}

/// Checks files, ledgers and the server. What an earlier run has remembered is no ledger that a
/// backup with keys demands: it may be older than the newest.
pub(super) async fn everything(
    jetstream: &jetstream::Context,
    folder: &Path,
    ledgers: &[PathBuf],
    remembered: Option<&Path>,
    may_overwrite: bool,
) -> anyhow::Result<Checked> {
    let manifest = Manifest::read(folder)?;
    let mut faults = files(&manifest, folder);
    let (mut there, mut erasures) = (BTreeSet::new(), Vec::new());
    if manifest.with_keys && ledgers.is_empty() {
        let made_at = &manifest.made_at;
        faults.push(format!(
            "this backup of {made_at} has keys: give --erasures, the {LEDGER} of the newest backup there is (its own, if there is none), or what was erased since can be read again"
        ));
    }
    for ledger in ledgers.iter().map(PathBuf::as_path).chain(remembered) {
        match read_ledger(ledger) {
            Ok(read) => erasures.extend(read),
            Err(wrong) => faults.extend(wrong),
        }
    }
    for stream in &manifest.streams {
        if !is_there(jetstream, &stream.name).await? {
            continue;
        }
        if !may_overwrite {
            let name = &stream.name;
            faults.push(format!(
                "{name} is there already; --overwrite puts the backup's in its place"
            ));
        }
        there.insert(stream.name.clone());
    }
    ensure!(faults.is_empty(), "nothing was restored:\n  {}", faults.join("\n  "));
    Ok(Checked { manifest, there, erasures })
}

fn files(manifest: &Manifest, folder: &Path) -> Vec<String> {
    let streams = &manifest.streams;
    let missing = STREAMS.iter().filter(|name| !streams.iter().any(|stream| stream.name == **name));
    let mut faults: Vec<_> = missing.map(|name| format!("{name} is not in this backup")).collect();
    let files = streams.iter().flat_map(|stream| [&stream.config, &stream.data]);
    faults.extend(files.chain([&manifest.erasures]).filter_map(|file| file.fault(folder)));
    faults
}

pub(super) async fn is_there(jetstream: &jetstream::Context, name: &str) -> anyhow::Result<bool> {
    let found = jetstream.get_stream(name).await;
    let Err(error) = found else { return Ok(true) };
    match error.kind() {
        GetStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NOT_FOUND => {
            Ok(false)
        }
        GetStreamErrorKind::JetStream(_)
        | GetStreamErrorKind::EmptyName
        | GetStreamErrorKind::Request
        | GetStreamErrorKind::InvalidStreamName => {
            Err(error).with_context(|| format!("cannot look for {name}"))
        }
    }
}
