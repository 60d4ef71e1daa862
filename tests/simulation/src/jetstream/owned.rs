//! What is asked of JetStream, for as long as it is on its way.

use proofline_journal::bus::{Several, Which};

/// [`Which`], with its text.
pub(super) enum Owned {
    At(u64),
    LastOn(String),
    NextOn(String, u64),
}

impl Owned {
    pub(super) fn of(which: Which<'_>) -> Self {
        match which {
            Which::At(sequence) => Self::At(sequence),
            Which::LastOn(subject) => Self::LastOn(subject.to_owned()),
            Which::NextOn(subject, from) => Self::NextOn(subject.to_owned(), from),
        }
    }

    pub(super) fn which(&self) -> Which<'_> {
        match self {
            Self::At(sequence) => Which::At(*sequence),
            Self::LastOn(subject) => Which::LastOn(subject),
            Self::NextOn(subject, from) => Which::NextOn(subject, *from),
        }
    }
}

/// [`Several`], with its text.
pub(super) enum OwnedSeveral {
    LastOfEach(String),
    From(String, u64, u64),
}

impl OwnedSeveral {
    pub(super) fn of(which: Several<'_>) -> Self {
        match which {
            Several::LastOfEach(subject) => Self::LastOfEach(subject.to_owned()),
            Several::From { subject, sequence, batch } => {
                Self::From(subject.to_owned(), sequence, batch)
            }
        }
    }

    pub(super) fn several(&self) -> Several<'_> {
        match self {
            Self::LastOfEach(subject) => Several::LastOfEach(subject),
            Self::From(subject, sequence, batch) => {
                Several::From { subject, sequence: *sequence, batch: *batch }
            }
        }
    }
}
