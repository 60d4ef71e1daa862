//! From a message to what a handler takes.

use async_nats::jetstream::Message;
use proofline_events::{EventType, Recorded, VerificationKey, header};
use tracing::Span;

use super::Rejection;
use crate::{
    Due,
    topology::{Consumer, REPLAY_PREFIX, Source},
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
    message: &Message,
) -> Result<Delivery<Recorded>, Rejection> {
    let header = |name: &str| message.headers.as_ref()?.get(name).map(|value| value.as_str());
    let subject = match message.subject.strip_prefix(REPLAY_PREFIX) {
        Some(rest) => original_subject(consumer, rest, header(header::TYPE)).ok_or_else(|| {
            Rejection::unreadable("the subject is not a replay's for this consumer")
        })?,
        None => message.subject.to_string(),
    };
    let (sequence, deliveries) = position(message)?;
    // A replay stands elsewhere in the stream than what it repeats.
    let is_replay = message.subject.starts_with(REPLAY_PREFIX);
    let sequence = if is_replay { 0 } else { sequence };
    let recorded = Recorded::read(&subject, sequence, header, &message.payload)
        .map_err(|mismatch| Rejection::unreadable(mismatch.to_string()))?;
    Span::current().record("verification.id", recorded.key.id.as_str());
    Ok(Delivery { message: recorded, deliveries })
}

pub(crate) fn timer(consumer: Consumer, message: &Message) -> Result<Delivery<Due>, Rejection> {
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

/// A replay stands on a subject of its own; its `ce-type` tells which event it repeats.
fn original_subject(consumer: Consumer, rest: &str, ce_type: Option<&str>) -> Option<String> {
    let (tenant, id) = rest.strip_prefix(consumer.name())?.strip_prefix('.')?.split_once('.')?;
    let event = EventType::parse(ce_type?.strip_prefix("proofline.v1.")?)?;
    Some(event.subject(&VerificationKey::parse(tenant, id).ok()?))
}

fn position(message: &Message) -> Result<(u64, i64), Rejection> {
    let info = message.info().map_err(|_| Rejection::unreadable("the message has no position"))?;
    Ok((info.stream_sequence, info.delivered))
}
