//! One figure, round by round.

use std::fmt;

use serde_json::{Value, json};

/// What a figure should be: the ratio where there is an anchor, else the figure itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// It is told, and may be what it is.
    Open,
}

/// A figure, and its anchor's.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) what: String,
    pub(super) unit: &'static str,
    pub(super) goal: Goal,
    /// What it is compared with.
    pub(super) anchor: Option<String>,
    pub(super) own: Vec<f64>,
    /// Of the same rounds; empty without an anchor.
    pub(super) anchors: Vec<f64>,
}

impl Goal {
    fn is_met(self, value: f64) -> Option<bool> {
        match self {
            Self::AtLeast(least) => Some(value >= least),
            Self::AtMost(most) => Some(value <= most),
            Self::Open => None,
        }
    }
}

impl Row {
    /// What the goal is about, of each round.
    fn judged(&self) -> Vec<f64> {
        if self.anchor.is_none() {
            return self.own.clone();
        }
        self.own.iter().zip(&self.anchors).map(|(own, anchor)| own / anchor).collect()
    }

    pub(super) fn has_goal(&self) -> bool {
        self.goal != Goal::Open
    }

    pub(super) fn to_json(&self) -> Value {
        let judged = self.judged();
        let (least, most) = spread(&judged);
        let goal = match self.goal {
            Goal::AtLeast(least) => json!({ "at_least": least }),
            Goal::AtMost(most) => json!({ "at_most": most }),
            Goal::Open => Value::Null,
        };
        json!({
            "what": self.what, "unit": self.unit, "anchor": self.anchor,
            "own": self.own, "anchors": self.anchors,
            "median": median(&judged), "min": least, "max": most,
            "goal": goal, "is_met": self.goal.is_met(median(&judged)),
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, .. } = self;
        let judged = self.judged();
        let ((least, most), median_judged) = (spread(&judged), median(&judged));
        write!(f, "{what:<64} {:>10} {unit:<4}", short(median(&self.own)))?;
        match &self.anchor {
            Some(anchor) => {
                let beside = format!("{} of {anchor}", short(median(&self.anchors)));
                write!(f, " {beside:<34} x {median_judged:<6.2}")?;
                write!(f, " ({least:.2} to {most:.2})")?;
            }
            None => write!(f, " ({} to {})", short(least), short(most))?,
        }
        let met = |is_met| if is_met { "met" } else { "MISSED" };
        let verdict = self.goal.is_met(median_judged).map_or("", met);
        match self.goal {
            Goal::AtLeast(least) => write!(f, "  goal at least {least}: {verdict}"),
            Goal::AtMost(most) => write!(f, "  goal at most {most}: {verdict}"),
            Goal::Open => Ok(()),
        }
    }
}

/// Three digits that matter.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

fn spread(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goal_is_judged_by_the_median_of_the_ratios_of_rounds() {
        let row = Row {
            what: "calls".to_owned(),
            unit: "/s",
            goal: Goal::AtLeast(2.0),
            anchor: Some("naive".to_owned()),
            own: vec![10.0, 40.0, 30.0],
            anchors: vec![10.0, 10.0, 15.0],
        };
        let json = row.to_json();
        assert_eq!(json["median"], 2.0);
        assert_eq!((json["min"].as_f64(), json["max"].as_f64()), (Some(1.0), Some(4.0)));
        assert_eq!(json["is_met"], true);
    }

    #[test]
    fn of_an_even_number_the_median_lies_between() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
    }
}
