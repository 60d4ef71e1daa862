//! From a message to what a handler takes.

use std::time::SystemTime;

use async_nats::jetstream::Message;
use proofline_events::{
    Event, REPLAY_PREFIX, Recorded, header, replayed_subject, v1::ProcessFinished,
};

use crate::{Failure, trace::TRACEPARENT};

/// The end of a verification, as it was delivered.
///
/// A handler's own tests make one and set what matters to them:
///
/// ```
/// use proofline_subscriber::{Delivery, Outcome, ProcessFinished};
///
/// let mut event = ProcessFinished { reference: "order-778".to_owned(), ..Default::default() };
/// event.set_outcome(Outcome::Accepted);
/// let mut ended = Delivery::new(event, "vrf_1.process-finished");
/// ended.is_replay = true;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delivery {
    /// What it says.
    pub event: ProcessFinished,
    /// The event's id (`ce-id`): the same for every delivery and every replay of this end. Whoever
    /// must not act twice remembers it, best in the transaction of what it does.
    pub event_id: String,
    /// When the verification ended (`ce-time`).
    pub time: SystemTime,
    /// 1 for the first delivery, 2 for the second, …. A replay begins at 1 again.
    pub attempt: u64,
    /// An operator asked for it to come once more. Whoever remembers event ids has this one, and
    /// decides whether to act again.
    pub is_replay: bool,
    /// The W3C trace context it was published in, for whoever hands it on without `tracing`.
    pub traceparent: Option<String>,
}

impl Delivery {
    /// The first delivery of this event, at the time when it says that the verification ended (else
    /// 1970), and no replay.
    pub fn new(event: ProcessFinished, event_id: impl Into<String>) -> Self {
        let finished_at = event.finished_at.map(SystemTime::try_from);
        Self {
            time: finished_at.and_then(Result::ok).unwrap_or(SystemTime::UNIX_EPOCH),
            event,
            event_id: event_id.into(),
            attempt: 1,
            is_replay: false,
            traceparent: None,
        }
    }
}

/// Reads a message and checks that its parts agree: inside an account anybody who may publish can
/// have the server store something on an event's subject.
pub(crate) fn read(durable: &str, message: &Message) -> Result<Delivery, Failure> {
    let unreadable = |detail: String| Failure::reject("unreadable", detail);
    let header = |name: &str| message.headers.as_ref()?.get(name).map(|value| value.as_str());
    let is_replay = message.subject.starts_with(REPLAY_PREFIX);
    let subject = match is_replay {
        false => Some(message.subject.to_string()),
        true => replayed_subject(durable, &message.subject, header(header::TYPE)),
    };
    let subject = subject.ok_or_else(|| unreadable("no replay for this consumer".to_owned()))?;
    let info = message.info().map_err(|_| unreadable("the message has no position".to_owned()))?;
    let recorded = Recorded::read(&subject, info.stream_sequence, header, &message.payload);
    let recorded = recorded.map_err(|mismatch| unreadable(mismatch.to_string()))?;
    let Event::ProcessFinished(event) = recorded.event else {
        return Err(unreadable("the event is not a process-finished".to_owned()));
    };
    Ok(Delivery {
        event,
        event_id: recorded.envelope.id,
        time: recorded.envelope.time.into(),
        attempt: u64::try_from(info.delivered).unwrap_or(1),
        is_replay,
        traceparent: header(TRACEPARENT).map(ToOwned::to_owned),
    })
}
