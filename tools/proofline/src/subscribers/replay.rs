//! `proofline subscribers replay`.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use async_nats::{
    HeaderMap, header,
    jetstream::{
        self, Message,
        consumer::{DeliverPolicy, Info, PullConsumer, pull::OrderedConfig},
        stream::Stream,
    },
};
use futures_util::StreamExt;
use proofline_events::{EventType, REPLAY_HEADER, TenantName, header as ce, replay_subject};
use proofline_journal::topology::VERIFICATIONS;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::timeout;

use super::tenant_of;
use crate::{
    moment::{now, point_in_time},
    output::say,
    replays::{Rate, Replays, kept},
};

/// How long NATS may take to hand out the next stored message.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The subscriber's consumer, `<tenant>-<name>`.
    consumer: String,
    /// From when on: a time in RFC 3339, or how long ago, such as 24h.
    #[arg(long, value_name = "TIME", value_parser = point_in_time)]
    since: OffsetDateTime,
    /// Until when; until now unless given.
    #[arg(long, value_name = "TIME", value_parser = point_in_time)]
    until: Option<OffsetDateTime>,
    /// Refuses when the subscriber is not this tenant's.
    #[arg(long)]
    tenant: Option<String>,
    #[command(flatten)]
    rate: Rate,
    /// Only counts what would be replayed.
    #[arg(long)]
    dry_run: bool,
}

/// Publishes each end of the time once more, to this subscriber alone.
pub(super) async fn run(
    jetstream: &jetstream::Context,
    arguments: Arguments,
) -> anyhow::Result<()> {
    let now = now();
    let until = arguments.until.unwrap_or(now);
    ensure!(arguments.since < until, "--since must be before --until, and in the past");
    let consumer = arguments.consumer.as_str();
    let subscriber = find(jetstream, consumer, arguments.tenant.as_deref()).await?;
    let mut progress = Progress { count: 0, since: arguments.since };
    let replayed = replay_all(jetstream, &arguments, until, &subscriber, &mut progress).await;
    let Progress { count, since } = progress;
    replayed.with_context(|| {
        let since = since.format(&Rfc3339).unwrap_or_default();
        format!("{count} were replayed; go on with --since {since}")
    })?;
    let what = if arguments.dry_run { "would be replayed" } else { "replayed" };
    say(&format!("{count} {what} to {consumer}."));
    Ok(())
}

/// How far it has come, and from when on the rest is.
struct Progress {
    count: u64,
    since: OffsetDateTime,
}

async fn replay_all(
    jetstream: &jetstream::Context,
    arguments: &Arguments,
    until: OffsetDateTime,
    subscriber: &Subscriber,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let stream = jetstream.get_stream_no_info(VERIFICATIONS).await?;
    let (mut ends, waiting) = ends_of(&stream, &subscriber.tenant, arguments.since).await?;
    let replays = Replays::by(jetstream);
    let mut pace = arguments.rate.pace();
    for _ in 0..waiting {
        let next = timeout(PATIENCE, ends.next()).await;
        let end = next.context("NATS does not answer")?.context("the stream ended")?;
        let end = end.context("cannot read the stream")?;
        let info = end.info().map_err(anyhow::Error::from_boxed)?;
        if info.published > until || info.stream_sequence > subscriber.given {
            break;
        }
        progress.since = info.published;
        if !arguments.dry_run {
            pace.tick().await;
            replay(&replays, &arguments.consumer, &end).await?;
        }
        progress.count += 1;
        progress.since = info.published + time::Duration::NANOSECOND;
    }
    Ok(())
}

/// A subscriber, as far as a replay is concerned.
struct Subscriber {
    tenant: TenantName,
    /// Sequence of what it was given last: everything behind it comes anyway.
    given: u64,
}

/// The subscriber with this consumer.
async fn find(
    jetstream: &jetstream::Context,
    consumer: &str,
    tenant: Option<&str>,
) -> anyhow::Result<Subscriber> {
    ensure!(
        !consumer.is_empty() && !consumer.contains(['.', '*', '>', ' ', '/']),
        "{consumer:?} cannot be the name of a consumer"
    );
    let found = jetstream.get_consumer_from_stream(consumer, VERIFICATIONS).await;
    let found: PullConsumer = found.with_context(|| {
        format!("no consumer {consumer} (`proofline subscribers list` shows those there are)")
    })?;
    let info: &Info = found.cached_info();
    let Some(of) = tenant_of(info) else {
        bail!(
            "{consumer} is not a subscriber of a tenant (`proofline subscribers list` shows them)"
        )
    };
    if let Some(wanted) = tenant {
        ensure!(of.as_str() == wanted, "{consumer} is a subscriber of {of}, not of {wanted}");
    }
    Ok(Subscriber { tenant: of, given: info.delivered.stream_sequence })
}

/// What is stored of a tenant's ends since then, oldest first, and how many there are now.
/// Replays stand on other subjects, so that they are never replayed themselves.
async fn ends_of(
    stream: &Stream<()>,
    tenant: &TenantName,
    since: OffsetDateTime,
) -> anyhow::Result<(jetstream::consumer::pull::Ordered, u64)> {
    let config = OrderedConfig {
        // Unnamed ones need a permission for every consumer of the stream.
        name: Some(format!("replay-{}-{}", tenant, now().unix_timestamp_nanos())),
        filter_subject: format!("{}.{tenant}.*", EventType::ProcessFinished.ce_type()),
        deliver_policy: DeliverPolicy::ByStartTime { start_time: since },
        ..Default::default()
    };
    let reader = stream.create_consumer(config).await.context("cannot read the stream")?;
    let waiting = reader.cached_info().num_pending;
    Ok((reader.messages().await.context("cannot read the stream")?, waiting))
}

/// Stores an end once more, where only this subscriber finds it.
async fn replay(replays: &Replays<'_>, consumer: &str, end: &Message) -> anyhow::Result<()> {
    let (_, key) =
        EventType::parse_subject(&end.subject).context("the stream holds an unknown subject")?;
    let subject = replay_subject(consumer, &key);
    let number = replays.next_number(VERIFICATIONS, &subject).await?;
    let mut headers = kept(end.headers.iter().flat_map(HeaderMap::iter));
    let id = headers.get(ce::ID).map_or_else(|| key.id.to_string(), |id| id.as_str().to_owned());
    headers.insert(header::NATS_MESSAGE_ID, format!("{id}.replay.{consumer}.{number}"));
    headers.insert(REPLAY_HEADER, number.to_string());
    replays.publish(subject, headers, end.payload.clone()).await
}
