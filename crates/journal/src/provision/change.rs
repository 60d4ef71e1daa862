//! What provisioning does to one stream, bucket or consumer.

use std::fmt;

/// What becomes of something, for people.
#[derive(Debug)]
pub(super) struct Change {
    /// Such as "stream TIMERS".
    what: String,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Make,
    /// None: it is as it should be.
    Update(Vec<Difference>),
}

/// One setting of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Such as "replicas 1 to 3".
    text: String,
    cost: Cost,
}

#[derive(Debug, PartialEq, Eq)]
enum Cost {
    Nothing,
    /// What would be lost by it.
    Loses(String),
    /// The server changes this of nothing that exists.
    Impossible,
}

impl Change {
    pub(super) fn make(what: String) -> Self {
        Self { what, step: Step::Make }
    }

    pub(super) fn update(what: String, differences: Vec<Difference>) -> Self {
        Self { what, step: Step::Update(differences) }
    }

    /// Whether there is nothing to do.
    pub(super) fn is_none(&self) -> bool {
        matches!(&self.step, Step::Update(differences) if differences.is_empty())
    }

    /// What would be lost.
    pub(super) fn losses(&self) -> impl Iterator<Item = String> {
        self.differences().iter().filter_map(|Difference { text, cost }| match cost {
            Cost::Loses(loss) => Some(format!("{}: {text}: {loss}", self.what)),
            Cost::Nothing | Cost::Impossible => None,
        })
    }

    /// What can't be done.
    pub(super) fn impossibilities(&self) -> impl Iterator<Item = String> {
        let impossible = self.differences().iter().filter(|one| one.cost == Cost::Impossible);
        impossible.map(|one| format!("{}: {}", self.what, one.text))
    }

    fn differences(&self) -> &[Difference] {
        match &self.step {
            Step::Make => &[],
            Step::Update(differences) => differences,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.what)?;
        match &self.step {
            Step::Make => f.write_str("made"),
            Step::Update(differences) if differences.is_empty() => f.write_str("as it should be"),
            Step::Update(differences) => {
                let texts: Vec<_> = differences.iter().map(|one| one.text.as_str()).collect();
                write!(f, "changed: {}", texts.join(", "))
            }
        }
    }
}

impl Difference {
    pub(super) fn harmless(text: impl Into<String>) -> Self {
        Self { text: text.into(), cost: Cost::Nothing }
    }

    pub(super) fn losing(text: impl Into<String>, loss: impl Into<String>) -> Self {
        Self { text: text.into(), cost: Cost::Loses(loss.into()) }
    }

    /// That a setting is another one.
    pub(super) fn of<T: PartialEq + fmt::Debug>(name: &str, is: T, wanted: T) -> Option<Self> {
        (is != wanted).then(|| Self::harmless(format!("{name} {is:?} to {wanted:?}")))
    }

    /// That a setting is another one which the server changes of nothing that exists.
    pub(super) fn impossible<T: PartialEq + fmt::Debug>(
        name: &str,
        is: T,
        wanted: T,
    ) -> Option<Self> {
        let difference = Self::of(name, is, wanted)?;
        Some(Self { cost: Cost::Impossible, ..difference })
    }

    #[cfg(test)]
    pub(super) fn loss(&self) -> Option<&str> {
        match &self.cost {
            Cost::Loses(loss) => Some(loss),
            Cost::Nothing | Cost::Impossible => None,
        }
    }
}

/// Whether every subject that the narrower one matches is matched by the wider one.
pub(super) fn covers(wider: &str, narrower: &str) -> bool {
    let mut narrower = narrower.split('.');
    for token in wider.split('.') {
        match (token, narrower.next()) {
            (">", Some(_)) => return true,
            ("*", Some(other)) if other != ">" => {}
            (token, Some(other)) if token == other => {}
            _ => return false,
        }
    }
    narrower.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_covers_what_it_matches_and_no_more() {
        for (wider, narrower) in [("a.>", "a.b.c"), ("a.*.c", "a.b.c"), (">", "a"), ("a.*", "a.*")]
        {
            assert!(covers(wider, narrower), "{wider} {narrower}");
        }
        for (wider, narrower) in [("a.*", "a.>"), ("a.*", "a"), ("a", "a.b"), ("a.b", "a.*")] {
            assert!(!covers(wider, narrower), "{wider} {narrower}");
        }
    }
}
