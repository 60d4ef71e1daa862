//! All logs, and what each new event in them must not be.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proofline_events::{Event, EventType, Recorded, VerificationKey};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::{end, log::Log};
use crate::{Rule, Violation, jetstream::Store, world::World};

#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) logs: BTreeMap<VerificationKey, Log>,
    /// Whose a process of Assure is.
    pub(super) processes: HashMap<String, VerificationKey>,
    /// The last sequence when a process last asked the leader for an event of a verification.
    pub(super) asked: HashMap<(String, String), u64>,
    pub(super) last: u64,
    /// Until when Assure wants to be left alone, and since when it is known.
    pub(super) wishes: Vec<(OffsetDateTime, Instant)>,
    /// What callers have been told of.
    pub(crate) answered: BTreeSet<VerificationKey>,
    pub(super) images: u64,
    pub(super) violations: Vec<Violation>,
}

/// What may still be said of a verification after its end.
const AFTER_THE_END: [EventType; 6] = [
    EventType::ProcessFinished,
    EventType::CompletionSignalled,
    EventType::ErasureRequested,
    EventType::DataErased,
    EventType::ImageUploaded,
    EventType::UploadFailed,
];

impl Known {
    pub(super) fn appended(&mut self, world: &World, store: &Store, recorded: Recorded) {
        let (key, event) = (recorded.key.clone(), recorded.event.event_type());
        let log = self.logs.entry(key.clone()).or_default();
        if event.is_once() && log.has(event) {
            let what = format!("{}: a second {event}", key.id);
            self.violations.push(Rule::Once.broken(what));
        }
        if log.has(EventType::ProcessFinished) && !AFTER_THE_END.contains(&event) {
            let what = format!("{}: {event} after the end", key.id);
            self.violations.push(Rule::NothingAfterTheEnd.broken(what));
        }
        if let Event::ProcessFinished(end) = &recorded.event {
            self.violations.extend(end::wrong(world, log, end));
            self.violations.extend(end::unsealed(store, &key, end));
        }
        if let Event::ProcessCreated(created) = &recorded.event
            && !created.process_id.is_empty()
        {
            self.processes.insert(created.process_id.clone(), key);
        }
        log.events.push(recorded);
    }
}
