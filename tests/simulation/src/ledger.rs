//! The ledger, which must be right at any moment: what was requested is finished, or open, and then
//! something is on its way that ends it at its deadline if nothing else does.

use proofline_events::{EventType, VerificationKey};
use proofline_journal::topology::{Consumer, TIMERS, VERIFICATIONS};

use crate::{
    Rule,
    jetstream::Store,
    judge::{Known, Log},
    world::World,
};

pub(crate) fn check(world: &World) {
    let wrong = world.at_jetstream(|store| {
        let known = world.judge.known();
        let requested = requested(&known);
        let is_finished = |key: &&VerificationKey| {
            known.logs.get(key).is_some_and(|log| log.has(EventType::ProcessFinished))
        };
        let (finished, unfinished): (Vec<_>, Vec<_>) = requested.into_iter().partition(is_finished);
        let (open, lost): (Vec<_>, Vec<_>) = unfinished
            .into_iter()
            .partition(|key| known.logs.get(key).is_some_and(|log| will_be_ended(store, key, log)));
        let all = finished.len() + open.len() + lost.len();
        let [finished, open] = [finished.len(), open.len()];
        (all != finished + open).then(|| {
            let lost: Vec<_> = lost.iter().map(|key| key.id.as_str()).collect();
            format!("{all} requested, {finished} finished, {open} open; nothing will end {lost:?}")
        })
    });
    if let Some(what) = wrong {
        world.judge.accuse(Rule::Ledger, what);
    }
}

/// Those that have a log, and those that a caller was told of: each once.
fn requested(known: &Known) -> Vec<&VerificationKey> {
    let untold = known.logs.keys().filter(|key| !known.answered.contains(key));
    known.answered.iter().chain(untold).collect()
}

/// From its request on somebody has it to do: to set its deadline, to wait for that, to signal it, to
/// look at Assure.
fn will_be_ended(store: &Store, key: &VerificationKey, log: &Log) -> bool {
    let is_to_do = |consumer: Consumer, event| {
        let stream = store.stream(VERIFICATIONS);
        log.all(event).any(|recorded| stream.is_to_do(consumer.name(), recorded.sequence))
    };
    let is_set = |state| {
        let deadline = format!("proofline.timer.v1.{state}.deadline.{key}");
        store.stream(TIMERS).last_on(&deadline).is_some()
    };
    is_to_do(Consumer::VerifierRequests, EventType::VerificationRequested)
        || is_set("at")
        || is_set("due")
        || is_to_do(Consumer::ResultNormaliserSignals, EventType::CompletionSignalled)
}
