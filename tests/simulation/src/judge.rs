//! Watches a run and says what must not be.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use proofline_events::{
    Event, EventType, Recorded, VerificationKey, Word, from_timestamp,
    v1::{Outcome, SignalSource},
};
use proofline_journal::bus::Which;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{jetstream::Stored, process::Process, world::World};

/// What is known for sure, as it stands at JetStream's leader and in Assure.
#[derive(Debug, Default)]
pub(crate) struct Judge(Mutex<Known>);

#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) logs: BTreeMap<VerificationKey, Log>,
    /// Whose a process of Assure is.
    processes: HashMap<String, VerificationKey>,
    /// The last sequence when a process last asked the leader for an event of a verification.
    asked: HashMap<(String, String), u64>,
    last: u64,
    /// Until when all have been told to leave Assure alone, and since when they know.
    left_alone: Option<(OffsetDateTime, Instant)>,
    images: u64,
    violations: Vec<String>,
}

/// The log of a verification.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) events: Vec<Recorded>,
    pub(crate) expires_at: Option<OffsetDateTime>,
}

impl Log {
    pub(crate) fn all(&self, event: EventType) -> impl Iterator<Item = &Recorded> {
        self.events.iter().filter(move |recorded| recorded.event.event_type() == event)
    }

    /// Whether it is in this dossier.
    pub(crate) fn uses(&self, dossier: &str) -> bool {
        self.events.iter().any(|recorded| match &recorded.event {
            Event::DossierCreated(created) => created.dossier_id == dossier,
            _ => false,
        })
    }

    /// The process that was created for it, where one is known.
    pub(crate) fn process(&self) -> Option<&str> {
        self.events.iter().find_map(|recorded| match &recorded.event {
            Event::ProcessCreated(created) => Some(created.process_id.as_str()),
            _ => None,
        })
    }

    pub(crate) fn has(&self, event: EventType) -> bool {
        self.all(event).next().is_some()
    }
}

/// Assure loses nothing and refuses nothing here: who ends like this has lost something by our doing.
const OUR_DOING: [&str; 3] = ["process-gone", "start-refused", "setup-refused"];

/// How long it takes until every process has read what one has told all of them.
const SPREAD_WITHIN: Duration = Duration::from_millis(100);

/// What may still be said of a verification after its end.
const AFTER_THE_END: [EventType; 5] = [
    EventType::CompletionSignalled,
    EventType::ErasureRequested,
    EventType::DataErased,
    EventType::ImageUploaded,
    EventType::UploadFailed,
];

impl Judge {
    pub(crate) fn accuse(&self, what: String) {
        self.known().violations.push(what);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.known().violations.clone()
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("no panic while held")
    }

    /// JetStream has stored a message.
    pub(crate) fn stored(&self, world: &World, message: &Stored, sequence: u64) {
        if message.subject.starts_with("$KV.PACE.until.") {
            self.known().left_alone = until(&message.payload).map(|until| (until, message.at));
        }
        if EventType::parse_subject(&message.subject).is_none() {
            return;
        }
        let header = |name: &str| message.headers.get(name).map(|value| value.as_str());
        let read = Recorded::read(&message.subject, sequence, header, &message.payload);
        let mut known = self.known();
        known.last = sequence;
        match read {
            Ok(recorded) => known.appended(world, recorded),
            Err(mismatch) => known.violations.push(format!("{}: {mismatch}", message.subject)),
        }
    }

    /// A process has the leader's word on something.
    pub(crate) fn leader_was_read(&self, process: &Process, which: &Which<'_>) {
        if let Which::LastOn(subject) = which {
            let mut known = self.known();
            let last = known.last;
            known.asked.insert((process.to_string(), (*subject).to_owned()), last);
        }
    }

    /// A process calls Assure, which may want to be left alone.
    pub(crate) fn call_is_sent(&self, world: &World, sender: &Process) {
        let mut known = self.known();
        let Some((until, since)) = known.left_alone else { return };
        let is_told = world.profile().is_word_spread() && since.elapsed() > SPREAD_WITHIN;
        if is_told && world.service_time() < until {
            let what = format!("{sender} called Assure, which was to be left alone until {until}");
            known.violations.push(what);
        }
    }

    /// A process sends Start verification. It must have asked the leader for a discard before, and
    /// been told that there is none.
    pub(crate) fn start_is_sent(&self, sender: &Process, id: &str) {
        let mut known = self.known();
        let Some(key) = known.processes.get(id).cloned() else { return };
        for discard in [EventType::CancellationRequested, EventType::ErasureRequested] {
            let asked = known.asked.get(&(sender.to_string(), discard.subject(&key))).copied();
            let log = &known.logs[&key];
            let discarded = log.all(discard).next().map(|recorded| recorded.sequence);
            let what = match (asked, discarded) {
                (None, _) => "without asking the leader for a discard",
                (Some(asked), Some(discarded)) if discarded <= asked => {
                    "although a discard stood in the log when the leader was asked"
                }
                (Some(_), _) => continue,
            };
            known.violations.push(format!("{}: verification was started {what}", key.id));
        }
    }

    /// Assure has accepted Start verification with these images.
    pub(crate) fn started(&self, id: &str, images: &BTreeMap<String, u64>) {
        let mut known = self.known();
        let Some(key) = known.processes.get(id).cloned() else { return };
        let log = &known.logs[&key];
        let submitted = log.events.iter().find_map(|recorded| match &recorded.event {
            Event::SubmissionRequested(submitted) => Some((recorded.sequence, submitted.clone())),
            _ => None,
        });
        let Some((at, submitted)) = submitted else {
            known.violations.push(format!("{}: started, and never submitted", key.id));
            return;
        };
        let mut wrong = Vec::new();
        for depiction in submitted.depictions() {
            let of_it = log.events.iter().filter(|recorded| recorded.sequence < at);
            let reported = of_it.rev().find_map(|recorded| match &recorded.event {
                Event::ImageUploaded(image) if image.depiction() == depiction => {
                    Some(image.size_bytes)
                }
                _ => None,
            });
            let there = images.get(depiction.word()).copied();
            if reported != there {
                wrong.push(format!(
                    "{}: {} of {there:?} bytes was verified, and {reported:?} was reported",
                    key.id,
                    depiction.word()
                ));
            }
        }
        known.violations.extend(wrong);
    }

    /// Assure has taken an image.
    pub(crate) fn image_accepted(&self, id: &str, depiction: &str) {
        let mut known = self.known();
        let Some(key) = known.processes.get(id).cloned() else { return };
        if known.logs[&key].has(EventType::SubmissionRequested) {
            let what = format!("{}: {depiction} got to Assure after the submission", key.id);
            known.violations.push(what);
        }
    }

    /// A callback was answered with success.
    pub(crate) fn callback_was_taken(&self, id: &str, status: &str) {
        let mut known = self.known();
        let is_signal = |recorded: &Recorded| match &recorded.event {
            Event::CompletionSignalled(signal) => {
                signal.source() == SignalSource::Callback
                    && signal.claimed_process_id == id
                    && signal.claimed_status == status
            }
            _ => false,
        };
        if !known.logs.values().any(|log| log.events.iter().any(is_signal)) {
            let what = format!("a callback for {id} was acknowledged, and is in no log");
            known.violations.push(what);
        }
    }

    /// A size that no other image has.
    pub(crate) fn next_size(&self) -> u64 {
        let mut known = self.known();
        known.images += 1;
        known.images + 16
    }

    /// An upload was answered with success.
    pub(crate) fn image_was_taken(&self, key: &VerificationKey, size: u64) {
        let mut known = self.known();
        let is_it = |recorded: &Recorded| match &recorded.event {
            Event::ImageUploaded(image) => image.size_bytes == size,
            _ => false,
        };
        if !known.logs.get(key).is_some_and(|log| log.events.iter().any(is_it)) {
            known.violations.push(format!("{}: an image was acknowledged, and is lost", key.id));
        }
    }

    /// A caller was told that something is so.
    pub(crate) fn caller_was_told(&self, key: &VerificationKey, any_of: &[EventType]) {
        let mut known = self.known();
        let is_so = known.logs.get(key).is_some_and(|log| any_of.iter().any(|e| log.has(*e)));
        if !is_so {
            known.violations.push(format!("{}: a caller was told of {any_of:?}", key.id));
        }
    }
}

/// Milliseconds since 1970, as text.
fn until(value: &[u8]) -> Option<OffsetDateTime> {
    let milliseconds: i128 = std::str::from_utf8(value).ok()?.parse().ok()?;
    OffsetDateTime::from_unix_timestamp_nanos(milliseconds * 1_000_000).ok()
}

impl Known {
    fn appended(&mut self, world: &World, recorded: Recorded) {
        let (key, event) = (recorded.key.clone(), recorded.event.event_type());
        let log = self.logs.entry(key.clone()).or_default();
        if event.is_once() && log.has(event) {
            self.violations.push(format!("{}: a second {event}", key.id));
        }
        let is_over = log.has(EventType::ProcessFinished);
        if is_over && event != EventType::ProcessFinished && !AFTER_THE_END.contains(&event) {
            self.violations.push(format!("{}: {event} after the end", key.id));
        }
        match &recorded.event {
            Event::VerificationRequested(requested) => {
                log.expires_at = requested.expires_at.as_ref().and_then(from_timestamp);
            }
            Event::ProcessCreated(created) if !created.process_id.is_empty() => {
                self.processes.insert(created.process_id.clone(), key.clone());
            }
            Event::ProcessFinished(end) => {
                let said = end.assure_status.as_str();
                // Who comes to another's dossier may find it gone.
                let shares = log.events.iter().any(|recorded| match &recorded.event {
                    Event::VerificationRequested(asked) => !asked.same_dossier_as.is_empty(),
                    _ => false,
                });
                let reason = end.reason_code.as_str();
                if OUR_DOING.contains(&reason) && !(shares && reason == "setup-refused") {
                    self.violations.push(format!("{}: ended {}", key.id, end.reason_code));
                }
                let is_assures = matches!(
                    end.outcome(),
                    Outcome::Accepted | Outcome::Rejected | Outcome::Inconclusive
                ) || end.reason_code == "provider-failed";
                let mut state = world.assure.state();
                let there = state.process(&end.dossier_id, &end.process_id);
                // One that was deleted in the meantime can't be asked any more.
                if is_assures && there.is_some_and(|process| process.status() != said) {
                    self.violations.push(format!("{}: ended {said:?}, says nobody", key.id));
                }
            }
            _ => {}
        }
        log.events.push(recorded);
    }
}
