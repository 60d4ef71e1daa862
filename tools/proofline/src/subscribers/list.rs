//! `proofline subscribers list`.

use anyhow::Context;
use async_nats::jetstream;
use futures_util::TryStreamExt;
use proofline_journal::topology::VERIFICATIONS;

use super::tenant_of;
use crate::output::say;

/// Prints a line for each subscriber, by name.
pub(super) async fn run(jetstream: &jetstream::Context) -> anyhow::Result<()> {
    let stream = jetstream.get_stream_no_info(VERIFICATIONS).await?;
    let all: Vec<_> = stream.consumers().try_collect().await.context("cannot list consumers")?;
    let mut lines: Vec<_> = all
        .iter()
        .filter_map(|info| {
            let tenant = tenant_of(info)?;
            Some(format!(
                "{:<40} {:<20} {:>8} {:>8} {:>11}",
                info.name,
                tenant.as_str(),
                info.num_pending,
                info.num_ack_pending,
                info.num_redelivered
            ))
        })
        .collect();
    if lines.is_empty() {
        say(
            "There are no subscribers. The tenants file names them, proofline provision makes them.",
        );
        return Ok(());
    }
    lines.sort();
    let (waiting, given) = ("WAITING", "UNACKED");
    say(&format!("{:<40} {:<20} {waiting:>8} {given:>8} REDELIVERED", "CONSUMER", "TENANT"));
    lines.iter().for_each(|line| say(line));
    Ok(())
}
