//! What was found, as a table for people or as JSON for programs.

use std::fmt;

use serde_json::{Value, json};

use super::finding::{Check, Finding, Verdict};

/// All findings, and which were accepted. What nobody could look at may hide a problem, so that it
/// counts as one.
pub(super) struct Report(Vec<(Finding, bool)>);

impl Report {
    pub(super) fn new(findings: Vec<Finding>, accepted: &[Check]) -> Self {
        let judged = findings.into_iter().map(|finding| {
            let is_accepted = accepted.contains(&finding.check);
            (finding, is_accepted)
        });
        Self(judged.collect())
    }

    /// How many problems were not accepted.
    pub(super) fn problems(&self) -> usize {
        let is_fine = |finding: &Finding| matches!(finding.verdict, Verdict::Fine(_));
        self.0.iter().filter(|(finding, is_accepted)| !is_fine(finding) && !is_accepted).count()
    }

    pub(super) fn to_json(&self) -> String {
        let checks = self.0.iter().map(|(finding, accepted)| {
            let (found, advice) = told(&finding.verdict);
            json!({
                "check": finding.check.to_string(),
                "status": word(finding, *accepted),
                "found": found,
                "advice": advice,
            })
        });
        let checks: Vec<Value> = checks.collect();
        format!("{:#}", json!({ "problems": self.problems(), "checks": checks }))
    }
}

fn word(finding: &Finding, is_accepted: bool) -> &'static str {
    match &finding.verdict {
        Verdict::Fine(_) => "ok",
        Verdict::Problem { .. } | Verdict::Unchecked(_) if is_accepted => "accepted",
        Verdict::Problem { .. } => "problem",
        Verdict::Unchecked(_) => "unchecked",
    }
}

fn told(verdict: &Verdict) -> (&str, Option<&'static str>) {
    match verdict {
        Verdict::Fine(seen) => (seen, None),
        Verdict::Problem { found, advice } => (found, Some(advice)),
        Verdict::Unchecked(why) => (why, None),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(finding, _)| finding.check.to_string().len()).max();
        let width = width.unwrap_or(0);
        for (place, (finding, accepted)) in self.0.iter().enumerate() {
            let (found, advice) = told(&finding.verdict);
            let separator = if place == 0 { "" } else { "\n" };
            let (check, word) = (finding.check.to_string(), word(finding, *accepted));
            write!(f, "{separator}{check:width$}  {word:9}  {found}")?;
            if let Some(advice) = advice {
                write!(f, "\n{:width$}  {:9}  → {advice}", "", "")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(accepted: &[Check]) -> Report {
        let findings = vec![
            Verdict::Fine("2.15.1".to_owned()).of(Check::NatsServer),
            Verdict::problem("one replica", "Have three.").of(Check::Replicas),
            Verdict::Unchecked("nobody asked".to_owned()).of(Check::Disk),
        ];
        Report::new(findings, accepted)
    }

    #[test]
    fn a_problem_and_what_was_not_looked_at_count_until_they_are_accepted() {
        assert_eq!(report(&[]).problems(), 2);
        assert_eq!(report(&[Check::Disk]).problems(), 1);
        assert_eq!(report(&[Check::Replicas]).problems(), 1);
        assert_eq!(report(&[Check::Replicas, Check::Disk]).problems(), 0);
    }

    #[test]
    fn people_read_what_was_found_and_what_to_do() {
        let lines = [
            "nats-server  ok         2.15.1",
            "replicas     problem    one replica",
            "                        → Have three.",
            "disk         unchecked  nobody asked",
        ];
        assert_eq!(report(&[]).to_string(), lines.join("\n"));
    }

    #[test]
    fn programs_read_the_same() {
        let document: Value = serde_json::from_str(&report(&[Check::Replicas]).to_json()).unwrap();
        assert_eq!(document["problems"], 1);
        assert_eq!(document["checks"][2]["status"], "unchecked");
        assert_eq!(document["checks"][0]["advice"], Value::Null);
        let replicas = json!({
            "check": "replicas", "status": "accepted",
            "found": "one replica", "advice": "Have three.",
        });
        assert_eq!(document["checks"][1], replicas);
    }
}
