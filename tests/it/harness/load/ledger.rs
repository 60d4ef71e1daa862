//! What callers have asked for, and what they were answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_nats::Client;
use time::OffsetDateTime;
use tokio::time::{Instant, interval};

use super::{Answers, Report, told::Told};

/// One load's account.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    pub(super) name: String,
    /// By idempotency key, which is the reference too.
    pub(super) entries: BTreeMap<String, Entry>,
    pub(crate) answers: Answers,
}

/// One verification, as its caller knows it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// When it was first asked for.
    pub(super) asked_at: OffsetDateTime,
    /// As answered with 2xx; more than one would be a broken promise.
    pub(super) ids: BTreeSet<String>,
    /// When the caller had done all there is to do.
    pub(super) done_at: Option<OffsetDateTime>,
    /// The answer at which the caller gave up.
    pub(super) gave_up: Option<String>,
}

impl Ledger {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), entries: BTreeMap::new(), answers: Answers::default() }
    }

    pub(super) fn begun(&mut self, key: &str) {
        let (ids, asked_at) = (BTreeSet::new(), now());
        let entry = Entry { asked_at, ids, done_at: None, gave_up: None };
        self.entries.insert(key.to_owned(), entry);
    }

    pub(super) fn answered(&mut self, key: &str, id: &str) {
        self.entry(key).ids.insert(id.to_owned());
    }

    pub(super) fn done(&mut self, key: &str) {
        self.entry(key).done_at = Some(now());
    }

    pub(super) fn gave_up(&mut self, key: &str, why: String) {
        self.entry(key).gave_up = Some(why);
    }

    fn entry(&mut self, key: &str) -> &mut Entry {
        self.entries.get_mut(key).expect("it has begun")
    }

    /// How many verifications were asked for.
    pub(crate) fn asked(&self) -> usize {
        self.entries.len()
    }

    /// How many callers have done all there is to do.
    pub(crate) fn done_count(&self) -> usize {
        self.entries.values().filter(|entry| entry.done_at.is_some()).count()
    }

    /// The ids that were answered with 2xx.
    pub(crate) fn ids(&self) -> BTreeSet<&str> {
        self.entries.values().flat_map(|entry| &entry.ids).map(String::as_str).collect()
    }

    /// Waits until each verification that was answered with 2xx, or stands in the stream, has its
    /// end, and until no service has anything left to handle; at the latest until nothing has ended
    /// for so long.
    ///
    /// The client must be allowed what an operator is.
    pub(crate) async fn settle(self, nats: &Client, within: Duration) -> Report {
        let (mut deadline, mut ended) = (Instant::now() + within, 0);
        let mut pace = interval(Duration::from_millis(500));
        let mut told = Told::default();
        loop {
            pace.tick().await;
            let is_at_rest = told.read_on(nats, &format!("{}-", self.name)).await;
            let owed = self.owed(&told);
            let is_all = owed.iter().all(|id| told.ends.contains_key(*id));
            if told.ends.len() > ended {
                (deadline, ended) = (Instant::now() + within, told.ends.len());
            }
            if (is_all && is_at_rest) || Instant::now() > deadline {
                return Report::of(&self, &told);
            }
        }
    }

    /// The verifications that have to end.
    pub(super) fn owed<'a>(&'a self, told: &'a Told) -> BTreeSet<&'a str> {
        let mut owed = self.ids();
        owed.extend(told.requested.keys().map(String::as_str));
        owed
    }
}

#[expect(clippy::disallowed_methods, reason = "compared with the broker's, on this machine")]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
