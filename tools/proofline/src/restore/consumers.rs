//! Consumers after a restore. Those of our own begin at the first event again: every handler finds
//! what has been done in the log, and timers, which no backup has, are set anew. Those of
//! subscribers go on where they were, as handing out every end again would be no help to anybody.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use async_nats::jetstream::{self, consumer::Info, stream::Stream};
use futures_util::TryStreamExt as _;
use proofline_journal::topology::{Consumer, VERIFICATIONS};

use crate::{consumer::is_missing, output::say, patience::patiently};

/// Deletes our own, for `proofline provision` to make anew. `count` is how many the backup has.
pub(super) async fn start_anew(jetstream: &jetstream::Context, count: u64) -> anyhow::Result<()> {
    let stream = patiently(async || jetstream.get_stream(VERIFICATIONS).await).await?;
    let all = patiently(async || all_made(&stream, count).await).await?;
    for name in own().filter(|name| all.contains_key(*name)) {
        delete(&stream, name).await?;
    }
    // One that has been given more than there is would miss whatever comes next.
    let last = stream.cached_info().state.last_sequence;
    for (name, info) in &all {
        let is_ahead = info.delivered.stream_sequence > last;
        if is_ahead && own().all(|own| own != name) {
            delete(&stream, name).await?;
            say(&format!("{name} was ahead of the backup: it will be given every end again"));
        }
    }
    Ok(())
}

/// The consumers that the restored stream has, once all are there: a cluster makes them afterwards.
async fn all_made(stream: &Stream, count: u64) -> anyhow::Result<BTreeMap<String, Info>> {
    let all: Vec<_> = stream.consumers().try_collect().await.context("cannot list consumers")?;
    let all: BTreeMap<_, _> = all.into_iter().map(|info| (info.name.clone(), info)).collect();
    let found = all.len();
    // What lasted no longer than its client may be gone.
    let is_all = found as u64 >= count || own().all(|name| all.contains_key(name));
    ensure!(is_all, "only {found} of {count} consumers were made in 30 s");
    Ok(all)
}

/// Fails while services run: what they acknowledge until the log is deleted would be lost. A service
/// that handles events always waits for more.
pub(super) async fn are_left_alone(jetstream: &jetstream::Context) -> anyhow::Result<()> {
    let stream = jetstream.get_stream(VERIFICATIONS).await?;
    let all: Vec<_> = stream.consumers().try_collect().await.context("cannot list consumers")?;
    let is_own = |info: &Info| own().any(|own| own == info.name);
    let busy: Vec<_> = all.iter().filter(|info| is_own(info) && info.num_waiting > 0).collect();
    let names: Vec<_> = busy.iter().map(|info| info.name.as_str()).collect();
    ensure!(
        names.is_empty(),
        "nothing was restored: services run ({} wait for events), and what they accept meanwhile would be lost: stop the services first, all of them (--accept-loss goes on all the same)",
        names.join(", ")
    );
    Ok(())
}

fn own() -> impl Iterator<Item = &'static str> {
    Consumer::ALL.into_iter().filter(|own| own.stream() == VERIFICATIONS).map(Consumer::name)
}

async fn delete(stream: &Stream, name: &str) -> anyhow::Result<()> {
    let deleted = patiently(async || match stream.delete_consumer(name).await {
        // Of an attempt that was not answered.
        Err(error) if is_missing(&error) => Ok(()),
        deleted => deleted.map(drop),
    });
    deleted.await.with_context(|| format!("cannot delete the consumer {name}"))
}
