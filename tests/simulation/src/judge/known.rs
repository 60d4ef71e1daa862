//! All logs, and what each new event in them must not be.

use std::collections::{BTreeMap, HashMap};

use proofline_events::{
    Event, EventType, Recorded, VerificationKey,
    v1::{Outcome, ProcessFinished},
};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::log::Log;
use crate::{jetstream::Stored, world::World};

#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) logs: BTreeMap<VerificationKey, Log>,
    /// Whose a process of Assure is.
    pub(super) processes: HashMap<String, VerificationKey>,
    /// The last sequence when a process last asked the leader for an event of a verification.
    pub(super) asked: HashMap<(String, String), u64>,
    pub(super) last: u64,
    /// Until when all have been told to leave Assure alone, and since when they know.
    pub(super) left_alone: Option<(OffsetDateTime, Instant)>,
    pub(super) images: u64,
    pub(super) violations: Vec<String>,
}

/// Assure loses nothing and refuses nothing here: who ends like this has lost something by our doing.
const OUR_DOING: [&str; 3] = ["process-gone", "start-refused", "setup-refused"];

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
    /// Milliseconds since 1970, as text.
    pub(super) fn is_to_be_left_alone(&mut self, message: &Stored) {
        let text = String::from_utf8_lossy(&message.payload);
        let milliseconds = text.parse().unwrap_or(0_i128);
        let until = OffsetDateTime::from_unix_timestamp_nanos(milliseconds * 1_000_000).ok();
        self.left_alone = until.map(|until| (until, message.at));
    }

    pub(super) fn appended(&mut self, world: &World, recorded: Recorded) {
        let (key, event) = (recorded.key.clone(), recorded.event.event_type());
        let log = self.logs.entry(key.clone()).or_default();
        if event.is_once() && log.has(event) {
            self.violations.push(format!("{}: a second {event}", key.id));
        }
        if log.has(EventType::ProcessFinished) && !AFTER_THE_END.contains(&event) {
            self.violations.push(format!("{}: {event} after the end", key.id));
        }
        if let Event::ProcessFinished(end) = &recorded.event {
            self.violations.extend(wrong_end(world, log, end));
        }
        if let Event::ProcessCreated(created) = &recorded.event
            && !created.process_id.is_empty()
        {
            self.processes.insert(created.process_id.clone(), key);
        }
        log.events.push(recorded);
    }
}

/// What is wrong with an end: it must be Assure's word, or one of those that are ours.
fn wrong_end(world: &World, log: &Log, end: &ProcessFinished) -> Vec<String> {
    let mut wrong = Vec::new();
    let (id, reason) = (&end.verification_id, end.reason_code.as_str());
    // Who comes to another's dossier may find it gone.
    let shares = log.request().is_some_and(|request| !request.same_dossier_as.is_empty());
    if OUR_DOING.contains(&reason) && !(shares && reason == "setup-refused") {
        wrong.push(format!("{id}: ended {reason}"));
    }
    let is_assures =
        matches!(end.outcome(), Outcome::Accepted | Outcome::Rejected | Outcome::Inconclusive)
            || reason == "provider-failed";
    let mut state = world.assure.state();
    let there = state.process(&end.dossier_id, &end.process_id);
    // One that was deleted in the meantime can't be asked any more.
    if is_assures && there.is_some_and(|process| process.status() != end.assure_status) {
        wrong.push(format!("{id}: ended {:?}, says nobody", end.assure_status));
    }
    wrong
}
