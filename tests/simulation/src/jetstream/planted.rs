//! What planted bugs do to requests of a process to JetStream.

use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use proofline_events::{
    Event, EventType, Recorded,
    v1::{Outcome, ProcessFinished},
};
use proofline_journal::bus::Which;

use crate::{
    Plant,
    process::{Kind, Process},
    world::World,
};

/// Whether a publish is answered before the message is stored.
pub(super) fn is_answered_before(world: &World, from: &Process, subject: &str) -> bool {
    let is_result = subject.starts_with("$KV.SEALED.") && subject.contains(".result-");
    let is_wish = subject.starts_with("proofline.v1.cancellation-requested.");
    (world.is_planted(Plant::AnsweredBeforeStored) && from.kind == Kind::CallbackReceiver)
        || (world.is_planted(Plant::CallerAnsweredBeforeStored) && is_wish)
        || (world.is_planted(Plant::ResultStoredLater) && is_result)
}

/// Whether the server does not look at the guard of a publish.
pub(super) fn is_unguarded(world: &World, from: &Process) -> bool {
    world.is_planted(Plant::GuardIgnored)
        || world.is_planted(Plant::GuardAndRepeatIgnored)
        || (world.is_planted(Plant::GuardOfVerifierIgnored) && from.kind == Kind::Verifier)
}

/// Whether what is asked of the leader is answered as if it were not there.
pub(super) fn is_hidden(world: &World, which: &Which<'_>) -> bool {
    let is_pace = |subject: &str| subject.starts_with("$KV.PACE.until.");
    world.is_planted(Plant::PaceIgnored)
        && matches!(which, Which::LastOn(subject) if is_pace(subject))
}

/// How far behind the word is that is taken for the leader's.
pub(super) fn lag_of_leader(world: &World, which: &Which<'_>) -> Duration {
    if world.is_planted(Plant::ReplicaForLeader) {
        return world.lag();
    }
    let is_discard = |subject: &str| {
        let event = EventType::parse_subject(subject).map(|(event, _)| event);
        matches!(event, Some(EventType::CancellationRequested | EventType::ErasureRequested))
    };
    match which {
        Which::LastOn(subject)
            if world.is_planted(Plant::DiscardOfAReplica) && is_discard(subject) =>
        {
            Duration::from_secs(5)
        }
        Which::At(_) | Which::LastOn(_) | Which::NextOn(..) => Duration::ZERO,
    }
}

/// What is stored in the place of a payload.
pub(super) fn tampered(world: &World, subject: &str, headers: &HeaderMap, payload: Bytes) -> Bytes {
    if world.is_planted(Plant::SignalGarbled)
        && subject.starts_with("proofline.v1.completion-signalled.")
    {
        return Bytes::from_static(b"?");
    }
    if !world.is_planted(Plant::CanceledByNobody) {
        return payload;
    }
    let header = |name: &str| headers.get(name).map(|value| value.as_str());
    match Recorded::read(subject, 0, header, &payload).map(|recorded| recorded.event) {
        Ok(Event::ProcessFinished(end)) if end.outcome() == Outcome::Expired => {
            let outcome = Outcome::Canceled.into();
            let reason_code = "canceled-by-caller".to_owned();
            Event::from(ProcessFinished { outcome, reason_code, ..end }).encode().into()
        }
        _ => payload,
    }
}
