//! Watches a run and says what must not be.

mod end;
mod known;
mod log;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use proofline_events::{EventType, Recorded, VerificationKey, Word, v1::SignalSource};
use proofline_journal::bus::Which;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{
    Rule, Violation,
    jetstream::{Store, Stored},
    process::Process,
    world::World,
};

pub(crate) use known::Known;
pub(crate) use log::Log;

/// What is known for sure, as it stands at JetStream's leader and in Assure.
#[derive(Debug, Default)]
pub(crate) struct Judge(Mutex<Known>);

/// How long it takes until every process has read what one has told all of them.
const SPREAD_WITHIN: Duration = Duration::from_millis(100);

impl Judge {
    pub(crate) fn accuse(&self, rule: Rule, what: String) {
        let (broken, mut known) = (rule.broken(what), self.known());
        // What is looked at more than once is told once.
        if !known.violations.contains(&broken) {
            known.violations.push(broken);
        }
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.known().violations.clone()
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("no panic while held")
    }

    /// JetStream has stored a message.
    pub(crate) fn stored(&self, world: &World, store: &Store, message: &Stored, sequence: u64) {
        let mut known = self.known();
        if EventType::parse_subject(&message.subject).is_none() {
            return;
        }
        let header = |name: &str| message.headers.get(name).map(|value| value.as_str());
        let read = Recorded::read(&message.subject, sequence, header, &message.payload);
        known.last = sequence;
        match read {
            Ok(recorded) => known.appended(world, store, recorded),
            Err(mismatch) => {
                let what = format!("{}: {mismatch}", message.subject);
                known.violations.push(Rule::Readable.broken(what));
            }
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

    /// Assure has told a process that it wants to be left alone.
    pub(crate) fn wants_to_be_left_alone(&self, until: OffsetDateTime) {
        self.known().wishes.push((until, Instant::now()));
    }

    /// A process calls Assure, which may want to be left alone.
    pub(crate) fn call_is_sent(&self, world: &World, sender: &Process) {
        let mut known = self.known();
        let now = world.service_time();
        known.wishes.retain(|(until, _)| *until > now);
        let mut wishes = known.wishes.iter();
        let told = wishes.find(|(_, since)| since.elapsed() > SPREAD_WITHIN);
        if let Some((until, _)) = told
            && world.profile().is_word_spread
        {
            let what = format!("{sender} called Assure, which was to be left alone until {until}");
            known.violations.push(Rule::LeftAlone.broken(what));
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
            let what = format!("{}: verification was started {what}", key.id);
            known.violations.push(Rule::NoStartAfterDiscard.broken(what));
        }
    }

    /// Assure has accepted Start verification with these images.
    pub(crate) fn started(&self, id: &str, images: &BTreeMap<String, u64>) {
        let mut known = self.known();
        let Some(key) = known.processes.get(id).cloned() else { return };
        let log = &known.logs[&key];
        let Some((at, submitted)) = log.submission() else {
            let what = format!("{}: started, and never submitted", key.id);
            known.violations.push(Rule::SubmittedBeforeStart.broken(what));
            return;
        };
        let mut wrong = Vec::new();
        for depiction in submitted.depictions() {
            let (reported, word) = (log.size_before(depiction, at), depiction.word());
            let there = images.get(word).copied();
            if reported != there {
                let what = format!(
                    "{}: {word} of {there:?} bytes was verified, and {reported:?} was reported",
                    key.id
                );
                wrong.push(Rule::WhatWasReported.broken(what));
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
            known.violations.push(Rule::NoImageAfterSubmission.broken(what));
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
            known.violations.push(Rule::CallbackIsKept.broken(what));
        }
    }

    /// Whether its caller wants everything gone.
    pub(crate) fn is_to_be_erased(&self, key: &VerificationKey) -> bool {
        let known = self.known();
        known.logs.get(key).is_some_and(|log| log.has(EventType::ErasureRequested))
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
            let what = format!("{}: an image was acknowledged, and is lost", key.id);
            known.violations.push(Rule::ToldIsTrue.broken(what));
        }
    }

    /// A caller was told that something is so.
    pub(crate) fn caller_was_told(&self, key: &VerificationKey, told: EventType) {
        let mut known = self.known();
        known.answered.insert(key.clone());
        if !known.logs.get(key).is_some_and(|log| log.has(told)) {
            let what = format!("{}: a caller was told of {told}, in vain", key.id);
            known.violations.push(Rule::ToldIsTrue.broken(what));
        }
    }
}
