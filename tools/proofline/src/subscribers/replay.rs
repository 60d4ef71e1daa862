//! `proofline subscribers replay`.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use async_nats::{
    HeaderMap, header,
    jetstream::{
        self, Message,
        consumer::{DeliverPolicy, Info, PullConsumer, pull::OrderedConfig},
        context::PublishError,
        stream::{LastRawMessageErrorKind, Stream},
    },
};
use futures_util::StreamExt;
use proofline_events::{EventType, REPLAY_HEADER, TenantName, header as ce, replay_subject};
use proofline_journal::topology::VERIFICATIONS;
use proofline_settings::parse_duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::tenant_of;
use crate::output::say;

/// How long NATS may take to hand out the next stored message.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often one replay is published at most, and how long it waits in between. As its id stays, the
/// stream drops what it has stored already and only could not confirm.
const ATTEMPTS: u32 = 5;
const TRY_AGAIN: Duration = Duration::from_secs(1);

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
    /// How many are replayed in a second at most.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
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
    let mut pace = pace(arguments.rate);
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
            replay(jetstream, &stream, &arguments.consumer, &end).await?;
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
async fn replay(
    jetstream: &jetstream::Context,
    stream: &Stream<()>,
    consumer: &str,
    end: &Message,
) -> anyhow::Result<()> {
    let (_, key) =
        EventType::parse_subject(&end.subject).context("the stream holds an unknown subject")?;
    let subject = replay_subject(consumer, &key);
    let number = last_number(stream, &subject).await? + 1;
    let mut headers = HeaderMap::new();
    for (name, values) in end.headers.iter().flat_map(HeaderMap::iter) {
        let text: &str = name.as_ref();
        let is_kept = text.starts_with("ce-") || matches!(text, "traceparent" | "tracestate");
        if let Some(value) = values.last().filter(|_| is_kept) {
            headers.insert(name.clone(), value.clone());
        }
    }
    let id = headers.get(ce::ID).map_or_else(|| key.id.to_string(), |id| id.as_str().to_owned());
    headers.insert(header::NATS_MESSAGE_ID, format!("{id}.replay.{consumer}.{number}"));
    headers.insert(REPLAY_HEADER, number.to_string());
    publish_patiently(async || {
        let (subject, headers) = (subject.clone(), headers.clone());
        let sent = jetstream.publish_with_headers(subject, headers, end.payload.clone()).await;
        sent?.await
    })
    .await
    .context("cannot publish (what was stored all the same is replayed once more)")
}

async fn publish_patiently<T>(
    publish: impl AsyncFn() -> Result<T, PublishError>,
) -> anyhow::Result<()> {
    let mut pace = interval(TRY_AGAIN);
    let mut attempt = 1;
    loop {
        pace.tick().await;
        match publish().await {
            Ok(_) => return Ok(()),
            Err(error) if attempt == ATTEMPTS => return Err(error.into()),
            Err(_) => attempt += 1,
        }
    }
}

/// How often this was replayed to the consumer before.
async fn last_number(stream: &Stream<()>, subject: &str) -> anyhow::Result<u64> {
    match stream.get_last_raw_message_by_subject(subject).await {
        Ok(last) => {
            let number = last.headers.get(REPLAY_HEADER);
            Ok(number.and_then(|number| number.as_str().parse().ok()).unwrap_or(0))
        }
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(0),
        Err(error) => Err(error).context("cannot look for earlier replays"),
    }
}

fn pace(rate: u32) -> Interval {
    let mut pace = interval(Duration::from_secs(1) / rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

fn point_in_time(text: &str) -> Result<OffsetDateTime, String> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(time);
    }
    let ago = parse_duration(text)
        .map_err(|_| "neither a time in RFC 3339 nor a duration such as 24h".to_owned())?;
    now().checked_sub(ago.try_into().map_err(|_| "too long ago")?).ok_or("too long ago".to_owned())
}

#[expect(clippy::disallowed_methods, reason = "an operator asks now")]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_is_told_by_the_clock_or_by_how_long_ago() {
        let time = point_in_time("2026-11-23T20:49:40Z").unwrap();
        assert_eq!(time.unix_timestamp(), 1_795_466_980);
        let ago = now() - point_in_time("24h").unwrap();
        assert!((time::Duration::hours(23)..time::Duration::hours(25)).contains(&ago), "{ago}");
        for bad in ["", "yesterday", "24", "2026-11-23"] {
            assert!(point_in_time(bad).is_err(), "{bad}");
        }
    }
}
