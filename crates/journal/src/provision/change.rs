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
    /// What would be lost by it.
    loss: Option<String>,
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
        let differences = match &self.step {
            Step::Make => &[][..],
            Step::Update(differences) => differences,
        };
        differences.iter().filter_map(|Difference { text, loss }| {
            loss.as_ref().map(|loss| format!("{}: {text}: {loss}", self.what))
        })
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
        Self { text: text.into(), loss: None }
    }

    pub(super) fn losing(text: impl Into<String>, loss: impl Into<String>) -> Self {
        Self { text: text.into(), loss: Some(loss.into()) }
    }

    /// That a setting is another one.
    pub(super) fn of<T: PartialEq + fmt::Debug>(name: &str, is: T, wanted: T) -> Option<Self> {
        (is != wanted).then(|| Self::harmless(format!("{name} {is:?} to {wanted:?}")))
    }

    #[cfg(test)]
    pub(super) fn loss(&self) -> Option<&str> {
        self.loss.as_deref()
    }
}
