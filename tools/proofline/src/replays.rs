//! Storing a message once more, for one consumer alone.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::{
    HeaderMap, HeaderName, HeaderValue,
    jetstream::{self, context::PublishError, stream::LastRawMessageErrorKind},
};
use bytes::Bytes;
use proofline_events::REPLAY_HEADER;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often one replay is published at most, and how long it waits in between. As its id stays, the
/// stream drops what it has stored already and only could not confirm.
const ATTEMPTS: u32 = 5;
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Publishes replays.
pub(crate) struct Replays<'a> {
    jetstream: &'a jetstream::Context,
}

impl<'a> Replays<'a> {
    pub(crate) fn by(jetstream: &'a jetstream::Context) -> Self {
        Self { jetstream }
    }

    /// The number of the next replay on this subject.
    pub(crate) async fn next_number(&self, stream: &str, subject: &str) -> anyhow::Result<u64> {
        let stream = self.jetstream.get_stream_no_info(stream).await?;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(last) => {
                let number = last.headers.get(REPLAY_HEADER);
                let number = number.and_then(|number| number.as_str().parse::<u64>().ok());
                Ok(number.unwrap_or(0) + 1)
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(1),
            Err(error) => Err(error).context("cannot look for earlier replays"),
        }
    }

    /// Publishes one; returns once it is durable.
    pub(crate) async fn publish(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> anyhow::Result<()> {
        let mut pace = interval(TRY_AGAIN);
        let mut attempt = 1;
        loop {
            pace.tick().await;
            let (subject, headers, payload) = (subject.clone(), headers.clone(), payload.clone());
            match self.publish_once(subject, headers, payload).await {
                Ok(()) => return Ok(()),
                Err(error) if attempt == ATTEMPTS => {
                    return Err(error).context(
                        "cannot publish (what was stored all the same is replayed once more)",
                    );
                }
                Err(_) => attempt += 1,
            }
        }
    }

    async fn publish_once(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<(), PublishError> {
        self.jetstream.publish_with_headers(subject, headers, payload).await?.await.map(drop)
    }
}

/// The headers of an event that its replay has too.
pub(crate) fn kept<'h>(
    headers: impl Iterator<Item = (&'h HeaderName, &'h Vec<HeaderValue>)>,
) -> HeaderMap {
    let mut all = HeaderMap::new();
    for (name, values) in headers {
        let text: &str = name.as_ref();
        let is_kept = text.starts_with("ce-") || matches!(text, "traceparent" | "tracestate");
        if let Some(value) = values.last().filter(|_| is_kept) {
            all.insert(name.clone(), value.clone());
        }
    }
    all
}

/// How fast.
#[derive(clap::Args)]
pub(crate) struct Rate {
    /// How many are replayed in a second at most.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
}

impl Rate {
    /// Ticks for each.
    pub(crate) fn pace(&self) -> Interval {
        let mut pace = interval(Duration::from_secs(1) / self.rate);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pace
    }
}
