//! One stream as its leader has it: messages, guards, repeats, ages, schedules.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use async_nats::{HeaderMap, header, jetstream::context::PublishError};
use bytes::Bytes;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::Instant;

use super::{consumer::Consumer, refusal};

/// The client has no constant for this one (2.12 and later).
const EXPECTED_SUBJECT: &str = "Nats-Expected-Last-Subject-Sequence-Subject";

/// How a stream is set up: what provisioning says, as far as it matters here.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) max_age: Duration,
    pub(crate) max_per_subject: usize,
    pub(crate) is_work_queue: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) subject: String,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
    pub(crate) time: OffsetDateTime,
    pub(crate) at: Instant,
}

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) setup: Setup,
    pub(crate) messages: BTreeMap<u64, Stored>,
    by_subject: BTreeMap<String, BTreeSet<u64>>,
    pub(crate) last: u64,
    /// Counts whatever may bring a consumer something.
    pub(crate) version: u64,
    seen: HashMap<String, (u64, Instant)>,
    pub(crate) consumers: BTreeMap<String, Consumer>,
    /// When what is scheduled on a subject comes due.
    schedules: BTreeMap<String, (OffsetDateTime, u64)>,
}

/// How the server goes about a publish.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) is_cluster: bool,
    pub(crate) ignores_guards: bool,
    pub(crate) ignores_repeats: bool,
}

/// NATS' default.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);

impl Stream {
    pub(crate) fn new(setup: Setup) -> Self {
        Self {
            setup,
            messages: BTreeMap::new(),
            by_subject: BTreeMap::new(),
            last: 0,
            version: 0,
            seen: HashMap::new(),
            consumers: BTreeMap::new(),
            schedules: BTreeMap::new(),
        }
    }

    /// Stores a message or says that it is a repeat: its sequence, and whether it is one.
    pub(crate) fn publish(
        &mut self,
        subject: &str,
        headers: HeaderMap,
        payload: Bytes,
        time: OffsetDateTime,
        manner: Manner,
    ) -> Result<(u64, bool), PublishError> {
        self.forget_old();
        let id = headers.get(header::NATS_MESSAGE_ID).map(|id| id.as_str().to_owned());
        let judged = id.as_ref().filter(|_| !manner.ignores_repeats);
        let repeat = judged.and_then(|id| self.repeat_of(id));
        if manner.is_cluster
            && let Some(sequence) = repeat
        {
            return Ok((sequence, true));
        }
        if let Some(expected) = headers.get(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE) {
            let guarded = headers.get(EXPECTED_SUBJECT).map_or(subject, |subject| subject.as_str());
            let last = self.last_on(guarded).unwrap_or(0);
            if !manner.ignores_guards && expected.as_str() != last.to_string() {
                return Err(refusal::wrong_last_sequence(last));
            }
        }
        if let Some(sequence) = repeat {
            return Ok((sequence, true));
        }
        let schedule = headers.get(header::NATS_SCHEDULE).map(|at| at.as_str().to_owned());
        let sequence = self.store(subject, headers, payload, time);
        if let Some(id) = id {
            self.seen.insert(id, (sequence, Instant::now()));
        }
        if let Some(at) = schedule.as_deref().and_then(|at| at.strip_prefix("@at ")) {
            let at = OffsetDateTime::parse(at, &Rfc3339).map_err(|_| refusal::bad_schedule())?;
            if let Some((_, replaced)) = self.schedules.insert(subject.to_owned(), (at, sequence)) {
                self.remove(replaced);
            }
        }
        Ok((sequence, false))
    }

    /// Whether the server would call this message id a repeat.
    pub(crate) fn has_seen(&self, id: &str) -> bool {
        self.repeat_of(id).is_some()
    }

    fn repeat_of(&self, id: &str) -> Option<u64> {
        let seen = self.seen.get(id);
        seen.filter(|(_, at)| at.elapsed() < DUPLICATE_WINDOW).map(|(sequence, _)| *sequence)
    }

    fn store(
        &mut self,
        subject: &str,
        headers: HeaderMap,
        payload: Bytes,
        time: OffsetDateTime,
    ) -> u64 {
        self.last += 1;
        self.version += 1;
        let message =
            Stored { subject: subject.to_owned(), headers, payload, time, at: Instant::now() };
        self.messages.insert(self.last, message);
        let there = self.by_subject.entry(subject.to_owned()).or_default();
        there.insert(self.last);
        let excess = there.len().saturating_sub(self.setup.max_per_subject);
        for sequence in there.iter().take(excess).copied().collect::<Vec<_>>() {
            self.remove(sequence);
        }
        self.last
    }

    pub(crate) fn remove(&mut self, sequence: u64) {
        let Some(message) = self.messages.remove(&sequence) else { return };
        if let Some(there) = self.by_subject.get_mut(&message.subject) {
            there.remove(&sequence);
            if there.is_empty() {
                self.by_subject.remove(&message.subject);
            }
        }
        self.schedules.retain(|_, (_, scheduled)| *scheduled != sequence);
    }

    /// Publishes what has come due; answers when the next one does.
    pub(crate) fn fire(&mut self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        loop {
            let next = self.schedules.values().min().copied();
            let (at, sequence) = next?;
            if at > now {
                return Some(at);
            }
            let due = self.messages[&sequence].clone();
            self.remove(sequence);
            let target = due.headers.get(header::NATS_SCHEDULE_TARGET);
            let target = target.map(|target| target.as_str().to_owned()).unwrap_or_default();
            let mut headers = HeaderMap::new();
            for (name, values) in due.headers.iter() {
                let name: &str = name.as_ref();
                if !name.starts_with("Nats-")
                    && let Some(value) = values.last()
                {
                    headers.insert(name, value.clone());
                }
            }
            self.store(&target, headers, due.payload, now);
        }
    }

    /// The sequence of the last message on subjects like this.
    pub(crate) fn last_on(&self, filter: &str) -> Option<u64> {
        self.on(filter).filter_map(|(_, there)| there.last()).max().copied()
    }

    /// The first from a sequence on.
    pub(crate) fn next_on(&self, filter: &str, from: u64) -> Option<u64> {
        self.on(filter).filter_map(|(_, there)| there.range(from..).next()).min().copied()
    }

    /// The subjects like this, and what stands on each.
    pub(crate) fn on<'a>(
        &'a self,
        filter: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a BTreeSet<u64>)> {
        let exact = (!filter.contains(['*', '>'])).then(|| self.by_subject.get_key_value(filter));
        let is_exact = exact.is_some();
        let like = self.by_subject.iter().filter(move |(subject, _)| matches(filter, subject));
        exact.flatten().into_iter().chain(like.take(if is_exact { 0 } else { usize::MAX }))
    }

    pub(crate) fn forget_old(&mut self) {
        let max_age = self.setup.max_age;
        if max_age.is_zero() {
            return;
        }
        while let Some((sequence, oldest)) = self.messages.iter().next()
            && oldest.at.elapsed() >= max_age
        {
            let sequence = *sequence;
            self.remove(sequence);
        }
    }
}

/// Whether a subject is one that a filter with wildcards means.
pub(crate) fn matches(filter: &str, subject: &str) -> bool {
    let (mut wanted, mut tokens) = (filter.split('.'), subject.split('.'));
    loop {
        match (wanted.next(), tokens.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(wanted), Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_mean_one_token_or_all_that_follow() {
        assert!(matches("a.*.c", "a.b.c"));
        assert!(!matches("a.*", "a.b.c"));
        assert!(matches("a.>", "a.b.c"));
        assert!(!matches("a.>", "a"));
        assert!(matches("a.b", "a.b"));
    }
}
