//! The checks, each by its name, so that a planted bug can say which of them has to find it.

use std::fmt;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// What happens once stands in a log once.
    Once,
    /// Each verification has its end.
    OneEnd,
    /// Nothing is said of a verification after its end but what may be.
    NothingAfterTheEnd,
    /// An end that is Assure's is what Assure says.
    AssuresWord,
    /// An end that is ours has its cause in the log.
    OwnWord,
    /// Nobody's time is over before the deadline.
    NotBeforeTheDeadline,
    /// No end is ours while Assure has long had one.
    AssureIsHeard,
    /// Nobody ends badly by our own doing.
    NoHarm,
    /// No start is sent by who has the leader's word that the verification is discarded, or has not
    /// asked.
    NoStartAfterDiscard,
    /// What is started was submitted.
    SubmittedBeforeStart,
    /// Assure takes no image after the submission.
    NoImageAfterSubmission,
    /// What is verified is what was reported.
    WhatWasReported,
    /// The result is sealed when its end is told, and can be fetched from then on.
    SealedBeforeTold,
    /// A callback that was answered with success is in the log.
    CallbackIsKept,
    /// What a caller was told stands in the log.
    ToldIsTrue,
    /// Assure is left alone for as long as it wants.
    LeftAlone,
    /// All that were requested are finished, or something is on its way that will end them.
    Ledger,
    /// Each message is settled.
    Settled,
    /// Nothing is put aside as a dead letter.
    NoDeadLetter,
    /// Of what was erased neither key nor document is left.
    Erased,
    /// Of what was erased, or was to be deleted, nothing is left in Assure.
    ErasedInAssure,
    /// Each event can be read.
    Readable,
    /// Nothing of ours, nor of the simulation, panics.
    NoPanic,
}

/// A rule that was broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// By what.
    pub what: String,
}

impl Rule {
    pub(crate) fn broken(self, what: String) -> Violation {
        Violation { rule: self, what }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}
