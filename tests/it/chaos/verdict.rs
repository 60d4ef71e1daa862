//! What came of a run.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::harness::load::{Callback, Report};

/// Which promises were kept.
pub(crate) struct Verdict {
    /// What became of what was asked for.
    pub(crate) report: Report,
    /// Callbacks that were answered with 200, repeats of one not counted.
    pub(super) acknowledged_callbacks: usize,
    /// Those of which no signal is in the stream.
    pub(super) lost_callbacks: Vec<Callback>,
    /// Verifications that have more than one dossier or process in Assure: what a repeat could not
    /// know of, and what is still to be deleted. For information.
    pub(super) doubled: Vec<String>,
    /// Messages that were put aside, while nothing was wrong with any.
    pub(super) dead_letters: u64,
    /// How often who was struck, by way.
    pub(super) strikes: BTreeMap<&'static str, u64>,
    /// What else was not as it should be.
    pub(super) complaints: Vec<String>,
    pub(super) took: Duration,
    /// From the last repair.
    pub(super) settled_after: Duration,
}

impl Verdict {
    /// Whether every promise was kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.report.is_kept()
            && self.report.unfinished.is_empty()
            && self.lost_callbacks.is_empty()
            && self.dead_letters == 0
            && self.complaints.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.report)?;
        let mut row = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:<44} {value:>8}");
        row("acknowledged callbacks", &self.acknowledged_callbacks)?;
        row("acknowledged callbacks lost", &self.lost_callbacks.len())?;
        row("with two dossiers or processes", &self.doubled.len())?;
        row("dead letters", &self.dead_letters)?;
        for (how, count) in &self.strikes {
            row(how, count)?;
        }
        row("took", &format!("{:.0} s", self.took.as_secs_f64()))?;
        row(
            "settled after the last repair",
            &format!("{:.1} s", self.settled_after.as_secs_f64()),
        )?;
        self.lost_callbacks.iter().try_for_each(|lost| writeln!(f, "callback lost: {lost:?}"))?;
        self.doubled.iter().try_for_each(|id| writeln!(f, "two of: {id}"))?;
        self.complaints.iter().try_for_each(|complaint| writeln!(f, "{complaint}"))
    }
}
