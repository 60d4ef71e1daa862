//! The figures of one section.

use std::{fmt, time::Duration};

use serde_json::{Value, json};

use super::{Goal, row::Row};
use crate::usage::Spent;

/// Figures, in the order in which they were first noted.
#[derive(Debug)]
pub(crate) struct Sheet {
    section: String,
    /// How long it took to measure.
    pub(crate) took: Duration,
    rows: Vec<Row>,
    /// Of each installation, what its processes used.
    installations: Vec<Vec<Spent>>,
}

impl Sheet {
    pub(crate) fn new(section: impl fmt::Display) -> Self {
        Self {
            section: section.to_string(),
            took: Duration::ZERO,
            rows: Vec::new(),
            installations: Vec::new(),
        }
    }

    /// Notes a round's figure.
    pub(crate) fn note(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        goal: Goal,
        own: f64,
    ) {
        self.row(what.into(), unit, goal, None).own.push(own);
    }

    /// Notes a round's figure beside that of its anchor.
    pub(crate) fn compare(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        goal: Goal,
        own: f64,
        (anchor, beside): (&str, f64),
    ) {
        let row = self.row(what.into(), unit, goal, Some(anchor.to_owned()));
        row.own.push(own);
        row.anchors.push(beside);
    }

    /// Notes what the processes of one more installation used.
    pub(crate) fn installation(&mut self, spent: impl IntoIterator<Item = Spent>) {
        self.installations.push(spent.into_iter().collect());
    }

    fn row(
        &mut self,
        what: String,
        unit: &'static str,
        goal: Goal,
        anchor: Option<String>,
    ) -> &mut Row {
        let is_it = |row: &Row| row.what == what && row.anchor == anchor;
        let index = self.rows.iter().position(is_it).unwrap_or_else(|| {
            let (own, anchors) = (Vec::new(), Vec::new());
            self.rows.push(Row { what, unit, goal, anchor, own, anchors });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }

    pub(super) fn to_json(&self) -> Value {
        let figures: Vec<_> = self.rows.iter().map(Row::to_json).collect();
        let seconds = self.took.as_secs_f64();
        let installations: Vec<Vec<Value>> =
            self.installations.iter().map(|all| all.iter().map(told).collect()).collect();
        json!({
            "section": self.section, "seconds": seconds,
            "figures": figures, "installations": installations,
        })
    }

    pub(super) fn write_goals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut with_goals = self.rows.iter().filter(|row| row.has_goal());
        with_goals.try_for_each(|row| writeln!(f, "  {:<4} {row}", self.section))
    }
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { section, took, rows, installations } = self;
        rows.iter().try_for_each(|row| writeln!(f, "  {section:<4} {row}"))?;
        for spent in installations {
            let each = spent.iter().map(|Spent { name, cpu, peak_bytes }| {
                format!("{name} {:.1} s {:.0} MiB", cpu.as_secs_f64(), mib(*peak_bytes))
            });
            let all = each.collect::<Vec<_>>().join(", ");
            writeln!(f, "  {section:<4} (CPU and peak memory: {all})")?;
        }
        writeln!(f, "  {section:<4} (measured in {:.0} s)", took.as_secs_f64())
    }
}

fn told(spent: &Spent) -> Value {
    let Spent { name, cpu, peak_bytes } = spent;
    json!({ "process": name, "cpu_seconds": cpu.as_secs_f64(), "peak_mib": mib(*peak_bytes) })
}

/// In milliseconds.
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// In microseconds for each of so many.
pub(crate) fn us_each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

/// In MiB.
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
