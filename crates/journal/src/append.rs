//! Appending one event under a guard, and finding out what became of it.

use std::error::Error as _;

use async_nats::{
    HeaderMap, header,
    jetstream::{
        self, ErrorCode,
        context::{PublishError, PublishErrorKind},
        message::StreamMessage,
    },
};
use proofline_ambient::chance;
use proofline_events::{Envelope, Event, VerificationKey, header as ce};
use tracing::Instrument;

use crate::{Connection, Error, bus::Which, telemetry, topology::VERIFICATIONS, trace};

/// The client has no constant for this one (2.12 and later).
pub(crate) const EXPECTED_SUBJECT: &str = "Nats-Expected-Last-Subject-Sequence-Subject";

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It stands at this sequence now.
    Stored(u64),
    /// This fact stood at this sequence already: an earlier attempt, or another replica's.
    AlreadyStored(u64),
    /// Something came in between: read, decide and append again.
    Conflict,
}

/// What the server's refusal asks of us.
enum Failure {
    Conflict,
    Retry,
    Permanent,
}

impl Connection {
    /// Appends an event. `guard` is the sequence of the family's last message as read; `None` is
    /// for signals only, whose absence no decision relies on.
    pub(crate) async fn append(
        &self,
        key: &VerificationKey,
        event: &Event,
        envelope: &Envelope,
        guard: Option<u64>,
    ) -> Result<Appended, Error> {
        let span = trace::publishing(event.event_type(), key, &envelope.id);
        // On the heap: every step of every service has this future in its own.
        let appending = Box::pin(self.append_surely(key, event, envelope, guard));
        let result = appending.instrument(span.clone()).await;
        match &result {
            Ok(Appended::Stored(_)) => telemetry::appended(event),
            // A conflict is how appending goes; whoever decides anew has a span of its own.
            Ok(Appended::AlreadyStored(_) | Appended::Conflict) => {}
            Err(error) => trace::failed(&span, error.class()),
        }
        result
    }

    async fn append_surely(
        &self,
        key: &VerificationKey,
        event: &Event,
        envelope: &Envelope,
        guard: Option<u64>,
    ) -> Result<Appended, Error> {
        match self.append_as(key, event, envelope, guard, &envelope.id).await? {
            Some(appended) => Ok(appended),
            // The server took our message id for that of another message. With a fresh one it
            // judges by the guard alone.
            None => {
                let fresh = format!("{}.{}", envelope.id, chance::id().simple());
                let again = self.append_as(key, event, envelope, guard, &fresh).await?;
                again.ok_or_else(|| Error::unavailable("a fresh message id was called a duplicate"))
            }
        }
    }

    /// `None` when the server calls the message a duplicate of one that is not this fact.
    async fn append_as(
        &self,
        key: &VerificationKey,
        event: &Event,
        envelope: &Envelope,
        guard: Option<u64>,
        message_id: &str,
    ) -> Result<Option<Appended>, Error> {
        let event_type = event.event_type();
        let subject = event_type.subject(key);
        let mut headers = HeaderMap::new();
        for (name, value) in envelope.headers(event_type, key) {
            headers.insert(name, value);
        }
        trace::inject(&mut headers);
        headers.insert(header::NATS_MESSAGE_ID, message_id);
        headers.insert(header::NATS_EXPECTED_STREAM, VERIFICATIONS);
        if let Some(guard) = guard {
            // The server does not check that the family covers the subject: both come from `key`.
            headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, guard.to_string());
            headers.insert(EXPECTED_SUBJECT, key.family());
        }
        let payload = event.encode().into();
        match self.bus.publish(subject.clone(), headers, payload).await {
            Ok(ack) if !ack.duplicate => Ok(Some(Appended::Stored(ack.sequence))),
            // A signal's sender may have no right to read; its id alone tells its repeat.
            Ok(ack) if guard.is_none() => Ok(Some(Appended::AlreadyStored(ack.sequence))),
            Ok(ack) => {
                let found = self.leader_get(VERIFICATIONS, Which::At(ack.sequence)).await?;
                let is_ours = found.is_some_and(|m| is_this(&m, &subject, &envelope.id));
                Ok(is_ours.then_some(Appended::AlreadyStored(ack.sequence)))
            }
            Err(error) => match classify(&error) {
                Failure::Retry => Err(Error::Unavailable(describe(&error))),
                Failure::Permanent => Err(Error::Refused(describe(&error))),
                Failure::Conflict => {
                    let after = guard.unwrap_or(0) + 1;
                    let own = self.find(&subject, &envelope.id, after).await?;
                    Ok(Some(own.map_or(Appended::Conflict, Appended::AlreadyStored)))
                }
            },
        }
    }

    /// Whether the conflict is with our own earlier attempt, whose acknowledgement was lost. It
    /// stands behind its guard if anywhere.
    async fn find(&self, subject: &str, id: &str, mut from: u64) -> Result<Option<u64>, Error> {
        loop {
            let next = Which::NextOn(subject, from);
            let Some(message) = self.leader_get(VERIFICATIONS, next).await? else {
                return Ok(None);
            };
            if is_this(&message, subject, id) {
                return Ok(Some(message.sequence));
            }
            from = message.sequence + 1;
        }
    }
}

fn is_this(message: &StreamMessage, subject: &str, id: &str) -> bool {
    message.subject.as_str() == subject
        && message.headers.get(ce::ID).is_some_and(|value| value.as_str() == id)
}

pub(crate) fn js_error(error: &PublishError) -> Option<&jetstream::Error> {
    error.source()?.downcast_ref()
}

pub(crate) fn describe(error: &PublishError) -> String {
    js_error(error).map_or_else(|| error.to_string(), ToString::to_string)
}

fn classify(error: &PublishError) -> Failure {
    match error.kind() {
        PublishErrorKind::WrongLastSequence => return Failure::Conflict,
        // "Stream not found" is also what a cluster says while it has no leader.
        PublishErrorKind::StreamNotFound
        | PublishErrorKind::TimedOut
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::MaxAckPending => return Failure::Retry,
        PublishErrorKind::MaxPayloadExceeded | PublishErrorKind::WrongLastMessageId => {
            return Failure::Permanent;
        }
        PublishErrorKind::Other => {}
    }
    let Some(js) = js_error(error) else { return Failure::Retry };
    match js.error_code() {
        ErrorCode::STREAM_WRONG_LAST_SEQUENCE | ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT => {
            Failure::Conflict
        }
        ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT
        | ErrorCode::STREAM_EXPECTED_LAST_SEQ_PER_SUBJECT_NOT_READY
        | ErrorCode::CLUSTER_NOT_LEADER
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::STREAM_OFFLINE
        | ErrorCode::STREAM_OFFLINE_REASON => Failure::Retry,
        _ if js.code() == 503 => Failure::Retry,
        _ => Failure::Permanent,
    }
}

/// Whether the server refused because the expected sequence was not the last.
pub(crate) fn is_conflict(error: &PublishError) -> bool {
    matches!(classify(error), Failure::Conflict)
}

#[cfg(test)]
mod tests;
