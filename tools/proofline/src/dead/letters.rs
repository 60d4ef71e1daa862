//! Finding dead letters.

use anyhow::{Context as _, ensure};
use async_nats::jetstream::{
    self,
    message::StreamMessage,
    stream::{RawMessageErrorKind, Stream},
};
use proofline_events::{DEAD_LETTER_PREFIX, StoredDeadLetter};
use proofline_journal::topology::DEAD_LETTERS;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::moment::point_in_time;

/// Which letters are meant; all that is given must hold.
#[derive(clap::Args)]
pub(super) struct Selection {
    /// Only those of this consumer.
    #[arg(long)]
    consumer: Option<String>,
    /// Only those of this verification.
    #[arg(long, value_name = "ID")]
    verification: Option<String>,
    /// Only those with this reason code.
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// Only those put aside since a time in RFC 3339, or since so long ago, such as 24h.
    #[arg(long, value_name = "TIME", value_parser = point_in_time)]
    since: Option<OffsetDateTime>,
    /// Only those put aside until then.
    #[arg(long, value_name = "TIME", value_parser = point_in_time)]
    until: Option<OffsetDateTime>,
}

/// A dead letter.
pub(super) struct Letter {
    pub(super) message: StreamMessage,
    pub(super) told: StoredDeadLetter,
}

impl Selection {
    /// Whether nothing is given, so that all are meant.
    pub(super) fn is_all(&self) -> bool {
        let Self { consumer, verification, reason, since, until } = self;
        let is_by_time = since.is_some() || until.is_some();
        consumer.is_none() && verification.is_none() && reason.is_none() && !is_by_time
    }

    fn has(&self, letter: &Letter) -> bool {
        let (told, at) = (&letter.told, letter.message.time);
        let id = told.key.as_ref().map(|key| key.id.as_str());
        self.consumer.as_ref().is_none_or(|consumer| *consumer == told.consumer)
            && self.verification.as_deref().is_none_or(|wanted| id == Some(wanted))
            && self.reason.as_ref().is_none_or(|reason| *reason == told.reason)
            && self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at <= until)
    }

    /// Where to look.
    fn filter(&self) -> anyhow::Result<String> {
        let Some(consumer) = &self.consumer else { return Ok(format!("{DEAD_LETTER_PREFIX}>")) };
        ensure!(
            !consumer.is_empty() && !consumer.contains(['.', '*', '>', ' ', '/']),
            "{consumer:?} cannot be the name of a consumer"
        );
        Ok(format!("{DEAD_LETTER_PREFIX}{consumer}.>"))
    }
}

impl Letter {
    fn of(message: StreamMessage) -> Option<Self> {
        let header = |name: &str| message.headers.get(name).map(|value| value.as_str());
        let told = StoredDeadLetter::read(&message.subject, header)?;
        Some(Self { message, told })
    }

    /// As it is told to scripts.
    pub(super) fn json(&self) -> Value {
        let told = &self.told;
        json!({
            "sequence": self.message.sequence,
            "put_aside_at": when(self.message.time),
            "consumer": told.consumer,
            "tenant": told.key.as_ref().map(|key| key.tenant.as_str()),
            "verification_id": told.key.as_ref().map(|key| key.id.as_str()),
            "reason": told.reason,
            "first_error": told.first_error,
            "last_error": told.last_error,
            "attempts": told.attempts,
            "original": {
                "subject": told.subject,
                "sequence": told.sequence,
                "stored_at": told.stored_at.map(when),
            },
        })
    }
}

/// Those meant, oldest first. What is put aside from now on is not among them.
pub(super) async fn select(
    jetstream: &jetstream::Context,
    selection: &Selection,
) -> anyhow::Result<Vec<Letter>> {
    let filter = selection.filter()?;
    let stream = stream(jetstream).await?;
    let (mut all, mut from) = (Vec::new(), 1);
    loop {
        match stream.get_first_raw_message_by_subject(&filter, from).await {
            Ok(message) => {
                from = message.sequence + 1;
                all.extend(Letter::of(message).filter(|letter| selection.has(letter)));
            }
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => return Ok(all),
            Err(error) => return Err(error).context("cannot read the dead letters"),
        }
    }
}

/// The one with this sequence.
pub(super) async fn find(jetstream: &jetstream::Context, sequence: u64) -> anyhow::Result<Letter> {
    let message = match stream(jetstream).await?.get_raw_message(sequence).await {
        Ok(message) => Letter::of(message),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => None,
        Err(error) => return Err(error).context("cannot read the dead letters"),
    };
    message.with_context(|| {
        format!("there is no dead letter {sequence} (`proofline dead list` shows those there are)")
    })
}

/// Their stream.
pub(super) async fn stream(jetstream: &jetstream::Context) -> anyhow::Result<Stream<()>> {
    Ok(jetstream.get_stream_no_info(DEAD_LETTERS).await?)
}

/// A time, to the second.
pub(super) fn when(time: OffsetDateTime) -> String {
    let time = time.replace_nanosecond(0).unwrap_or(time);
    time.format(&Rfc3339).unwrap_or_default()
}
