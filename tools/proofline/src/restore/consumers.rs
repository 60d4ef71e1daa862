//! Consumers after a restore. Those of our own begin at the first event again: every handler finds
//! what has been done in the log, and timers, which no backup has, are set anew. Those of
//! subscribers go on where they were, as handing out every end again would be no help to anybody.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, ensure};
use async_nats::jetstream::{self, consumer::Info, stream::Stream};
use futures_util::TryStreamExt as _;
use proofline_journal::topology::{Consumer, VERIFICATIONS};
use tokio::time::{Instant, interval};

use crate::output::say;

/// How long a cluster may take to make the consumers that were in a backup.
const PATIENCE: Duration = Duration::from_secs(30);

/// Deletes our own, for `proofline provision` to make anew. `count` is how many the backup has.
pub(super) async fn start_anew(jetstream: &jetstream::Context, count: u64) -> anyhow::Result<()> {
    let mut stream = jetstream.get_stream(VERIFICATIONS).await?;
    let all = all_made(&stream, count).await?;
    for name in own().filter(|name| all.contains_key(*name)) {
        delete(&stream, name).await?;
    }
    // One that has been given more than there is would miss whatever comes next.
    let last = stream.info().await?.state.last_sequence;
    for (name, info) in &all {
        let is_ahead = info.delivered.stream_sequence > last;
        if is_ahead && own().all(|own| own != name) {
            delete(&stream, name).await?;
            say(&format!("{name} was ahead of the backup: it will be given every end again"));
        }
    }
    Ok(())
}

/// Those that the restored stream has, once all are there: a cluster makes them afterwards. One that
/// lasted no longer than its client may never be.
async fn all_made(stream: &Stream, count: u64) -> anyhow::Result<BTreeMap<String, Info>> {
    let until = Instant::now() + PATIENCE;
    let mut pace = interval(Duration::from_millis(100));
    loop {
        pace.tick().await;
        let all: Vec<_> =
            stream.consumers().try_collect().await.context("cannot list consumers")?;
        let all: BTreeMap<_, _> = all.into_iter().map(|info| (info.name.clone(), info)).collect();
        let is_late = Instant::now() > until;
        if all.len() as u64 >= count || (is_late && own().all(|name| all.contains_key(name))) {
            return Ok(all);
        }
        ensure!(!is_late, "only {} of {count} consumers were made in 30 s", all.len());
    }
}

fn own() -> impl Iterator<Item = &'static str> {
    Consumer::ALL.into_iter().filter(|own| own.stream() == VERIFICATIONS).map(Consumer::name)
}

async fn delete(stream: &Stream, name: &str) -> anyhow::Result<()> {
    let deleted = stream.delete_consumer(name).await;
    deleted.map(drop).with_context(|| format!("cannot delete the consumer {name}"))
}
