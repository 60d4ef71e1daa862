//! What has become of a load, as a table.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
};

use time::Duration;

use super::{Answers, Callback, Ledger, told::Told};

/// How many ids a list of the table names.
const NAMED: usize = 10;

/// What was promised, and what was kept.
#[derive(Debug)]
pub(crate) struct Report {
    /// Verifications that were asked for, answered or not.
    pub(crate) asked: usize,
    /// Those that were answered with 2xx.
    pub(crate) answered: usize,
    /// Those that stand in the stream.
    pub(crate) recorded: usize,
    /// How many of both have an end, by outcome.
    pub(crate) outcomes: BTreeMap<String, usize>,
    /// Answered with 2xx or recorded, and without an end.
    pub(crate) lost: Vec<String>,
    /// The callbacks that the stream holds.
    pub(crate) callbacks: BTreeSet<Callback>,
    /// With more than one end.
    pub(crate) second_ends: Vec<String>,
    /// Keys that were answered with more than one id.
    pub(crate) split: Vec<String>,
    /// Callers who could not do all there is to do, and why.
    pub(crate) unfinished: Vec<String>,
    /// From the first asking to the end, and whose; the quickest first.
    times: Vec<(Duration, String)>,
    pub(crate) answers: Answers,
}

impl Report {
    pub(super) fn of(ledger: &Ledger, told: &Told) -> Self {
        let owed = ledger.owed(told);
        let ends = |id: &str| told.ends.get(id).map_or(&[][..], Vec::as_slice);
        let all = |is_it: &dyn Fn(usize) -> bool| {
            let such = owed.iter().filter(|id| is_it(ends(id).len()));
            such.map(|id| (*id).to_owned()).collect::<Vec<_>>()
        };
        let mut outcomes = BTreeMap::new();
        for end in owed.iter().filter_map(|id| ends(id).first()) {
            *outcomes.entry(end.outcome.clone()).or_default() += 1;
        }
        let entries = ledger.entries.iter();
        Self {
            asked: ledger.asked(),
            answered: ledger.ids().len(),
            recorded: told.requested.len(),
            outcomes,
            lost: all(&|ends| ends == 0),
            callbacks: told.callbacks.clone(),
            second_ends: all(&|ends| ends > 1),
            split: entries
                .clone()
                .filter(|(_, e)| e.ids.len() > 1)
                .map(|(k, _)| k.clone())
                .collect(),
            unfinished: entries
                .filter(|(_, entry)| entry.done_at.is_none())
                .map(|(key, entry)| {
                    format!("{key}: {}", entry.gave_up.as_deref().unwrap_or("still trying"))
                })
                .collect(),
            times: times(ledger, told),
            answers: ledger.answers.clone(),
        }
    }

    /// How many have an end.
    pub(crate) fn ended(&self) -> usize {
        self.outcomes.values().sum()
    }

    /// Whether nothing is lost and nothing ended twice.
    pub(crate) fn is_kept(&self) -> bool {
        self.lost.is_empty() && self.second_ends.is_empty() && self.split.is_empty()
    }

    /// The longest time from the first asking to the end.
    pub(crate) fn slowest(&self) -> Duration {
        self.time_at(100)
    }

    /// Nothing may be lost, nothing may have ended twice.
    #[track_caller]
    pub(crate) fn assert_kept(&self) {
        assert!(self.is_kept(), "\n{self}");
    }

    /// Nothing may be lost, and no caller may have had another answer than that which was asked
    /// for, or a 503 with `Retry-After`. The table is kept under this name.
    #[track_caller]
    pub(crate) fn assert_answered(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-artefacts/load");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name).with_extension("txt"), self.to_string()).unwrap();
        self.assert_kept();
        assert_eq!(self.unfinished, [""; 0], "\n{self}");
        assert_eq!(self.answers.others(), [], "\n{self}");
    }

    /// The same, and no connection may have broken.
    #[track_caller]
    pub(crate) fn assert_unnoticed(&self, name: &str) {
        self.assert_answered(name);
        assert_eq!(self.answers.missing(), 0, "\n{self}");
    }

    /// The time within which so many of a hundred ended.
    fn time_at(&self, percent: usize) -> Duration {
        let at = (self.times.len() * percent).div_ceil(100).saturating_sub(1);
        self.times.get(at).map_or(Duration::ZERO, |(time, _)| *time)
    }
}

/// From the first asking to the end.
fn times(ledger: &Ledger, told: &Told) -> Vec<(Duration, String)> {
    let answered = ledger.entries.iter().flat_map(|(key, e)| e.ids.iter().map(move |id| (id, key)));
    let keys: BTreeMap<_, _> = told.requested.iter().chain(answered).collect();
    let timed = keys.into_iter().filter_map(|(id, key)| {
        let end = told.ends.get(id)?.first()?;
        Some((end.at - ledger.entries.get(key)?.asked_at, id.clone()))
    });
    let mut times: Vec<_> = timed.collect();
    times.sort_unstable();
    times
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:<36} {value:>8}");
        row("requested", &self.asked)?;
        row("answered with 2xx", &self.answered)?;
        row("recorded", &self.recorded)?;
        row("ended", &self.ended())?;
        for (outcome, count) in &self.outcomes {
            row(&format!("  {outcome}"), count)?;
        }
        row("lost", &self.lost.len())?;
        row("second ends", &self.second_ends.len())?;
        row("two ids for one key", &self.split.len())?;
        row("callers who could not do all", &self.unfinished.len())?;
        for (name, percent) in [("half", 50), ("99 of 100", 99), ("slowest", 100)] {
            let time = self.time_at(percent).as_seconds_f64();
            row(&format!("to the end: {name}"), &format!("{time:.2} s"))?;
        }
        writeln!(f, "answers\n{}", self.answers)?;
        let lists = [("lost", &self.lost), ("second ends", &self.second_ends)];
        let more = [("two ids for one key", &self.split), ("could not", &self.unfinished)];
        for (name, list) in lists.into_iter().chain(more) {
            for named in list.iter().take(NAMED) {
                writeln!(f, "{name}: {named}")?;
            }
        }
        if let Some((time, id)) = self.times.last() {
            writeln!(f, "slowest: {id}, {time}")?;
        }
        Ok(())
    }
}
