//! From a message to what a handler takes.

use proofline_events::{REPLAY_PREFIX, Recorded, header, replayed_subject};
use tracing::Span;

use super::Rejection;
use crate::{
    Due,
    bus::Delivered,
    topology::{Consumer, Source},
};

/// A message, and how often it has come.
#[derive(Debug, Clone)]
pub struct Delivery<T> {
    /// What it says.
    pub message: T,
    /// 1 the first time.
    pub deliveries: i64,
}

pub(super) fn event(
    consumer: Consumer,
    message: &Delivered,
) -> Result<Delivery<Recorded>, Rejection> {
    let header = |name: &str| message.headers.as_ref()?.get(name).map(|value| value.as_str());
    let is_replay = message.subject.starts_with(REPLAY_PREFIX);
    let subject = if is_replay {
        replayed_subject(consumer.name(), &message.subject, header(header::TYPE)).ok_or_else(
            || Rejection::unreadable("the subject is not a replay's for this consumer"),
        )?
    } else {
        message.subject.to_string()
    };
    let (sequence, deliveries) = position(message)?;
    // A replay stands elsewhere in the stream than what it repeats.
    let sequence = if is_replay { 0 } else { sequence };
    let recorded = Recorded::read(&subject, sequence, header, &message.payload)
        .map_err(|mismatch| Rejection::unreadable(mismatch.to_string()))?;
    Span::current().record("verification.id", recorded.key.id.as_str());
    Ok(Delivery { message: recorded, deliveries })
}

pub(crate) fn timer(consumer: Consumer, message: &Delivered) -> Result<Delivery<Due>, Rejection> {
    let Source::Timers(kind) = consumer.source() else {
        return Err(Rejection::unreadable("this consumer has no timers"));
    };
    let due = kind
        .read(&message.subject, message.headers.as_ref())
        .ok_or_else(|| Rejection::unreadable("not a timer of this kind"))?;
    let (_, deliveries) = position(message)?;
    Span::current().record("verification.id", due.key.id.as_str());
    Ok(Delivery { message: due, deliveries })
}

fn position(message: &Delivered) -> Result<(u64, i64), Rejection> {
    let position = message.position.as_ref();
    let position = position.ok_or_else(|| Rejection::unreadable("the message has no position"))?;
    Ok((position.sequence, position.deliveries))
}
