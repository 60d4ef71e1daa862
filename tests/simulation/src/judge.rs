//! Watches a run and says what must not be.

mod known;
mod log;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use proofline_events::{EventType, Recorded, VerificationKey, Word, v1::SignalSource};
use proofline_journal::bus::Which;

use crate::{jetstream::Stored, process::Process, world::World};

pub(crate) use known::Known;

/// What is known for sure, as it stands at JetStream's leader and in Assure.
#[derive(Debug, Default)]
pub(crate) struct Judge(Mutex<Known>);

/// How long it takes until every process has read what one has told all of them.
const SPREAD_WITHIN: Duration = Duration::from_millis(100);

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
        let mut known = self.known();
        if message.subject.starts_with("$KV.PACE.until.") {
            known.is_to_be_left_alone(message);
        }
        if EventType::parse_subject(&message.subject).is_none() {
            return;
        }
        let header = |name: &str| message.headers.get(name).map(|value| value.as_str());
        let read = Recorded::read(&message.subject, sequence, header, &message.payload);
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
            let discarded = known.logs[&key].all(discard).next().map(|recorded| recorded.sequence);
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
        let Some((at, submitted)) = log.submission() else {
            known.violations.push(format!("{}: started, and never submitted", key.id));
            return;
        };
        let mut wrong = Vec::new();
        for depiction in submitted.depictions() {
            let (reported, word) = (log.size_before(depiction, at), depiction.word());
            let there = images.get(word).copied();
            if reported != there {
                wrong.push(format!(
                    "{}: {word} of {there:?} bytes was verified, and {reported:?} was reported",
                    key.id
                ));
            }
        }
        known.violations.extend(wrong);
    }

    /// Assure has taken an image.
    pub(crate) fn image_accepted(&self, id: &str, depiction: &str) {
        let mut known = self.known();
        let Some(key) = known.processes.get(id).cloned() else { return };
        if known.logs[&key].submission().is_some() {
            let what = format!("{}: {depiction} got to Assure after the submission", key.id);
            known.violations.push(what);
        }
    }

    /// A callback was answered with success.
    pub(crate) fn callback_was_taken(&self, id: &str, status: &str) {
        let mut known = self.known();
        let mut signals = known.logs.values().flat_map(log::Log::signals);
        let is_stored = signals.any(|signal| {
            signal.source() == SignalSource::Callback
                && signal.claimed_process_id == id
                && signal.claimed_status == status
        });
        drop(signals);
        if !is_stored {
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
        let log = known.logs.get(key);
        if !log.is_some_and(|log| log.images().any(|(_, image)| image.size_bytes == size)) {
            known.violations.push(format!("{}: an image was acknowledged, and is lost", key.id));
        }
    }

    /// A caller was told that something is so.
    pub(crate) fn caller_was_told(&self, key: &VerificationKey, told: EventType) {
        let mut known = self.known();
        if !known.logs.get(key).is_some_and(|log| log.has(told)) {
            known.violations.push(format!("{}: a caller was told of {told}, in vain", key.id));
        }
    }
}
