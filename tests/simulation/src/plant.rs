//! Known bugs, planted at the edges, to show that each check finds what it is for.

use crate::Rule;

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// Messages are acknowledged when they are delivered, before anything is done about them.
    AckedBeforeHandled,
    /// A callback is answered before it is stored.
    AnsweredBeforeStored,
    /// What a caller of intake asks for is answered before it is stored.
    CallerAnsweredBeforeStored,
    /// The server does not check the guard of an append.
    GuardIgnored,
    /// Nor does it know a repeat.
    GuardAndRepeatIgnored,
    /// The server does not check the guard of what verifier appends.
    GuardOfVerifierIgnored,
    /// Where the leader's word is needed a replica is asked.
    ReplicaForLeader,
    /// Whether there is a discard is asked of a replica that is five seconds behind.
    DiscardOfAReplica,
    /// A signal's bytes are not what was sent.
    SignalGarbled,
    /// No acknowledgement of a message reaches the server.
    AcksLost,
    /// Now and then a timer that was set never comes due.
    TimerLost,
    /// Nothing is deleted from a bucket.
    NothingErased,
    /// What is deleted in Assure stays there.
    NothingDeletedInAssure,
    /// Each look at Assure shows a process that was accepted.
    EverythingAccepted,
    /// Each look at Assure shows a process that is still being worked on.
    NothingFinal,
    /// The services' clock leaps ahead by ten minutes.
    ClockLeaps,
    /// Whoever is out of time is told to have been canceled.
    CanceledByNobody,
    /// No look at Assure shows a process.
    ProcessesHidden,
    /// An image is sent to Assure again, some time after it has been reported.
    ImageSentAgain,
    /// Verification is started as soon as there are images, whoever has submitted them.
    StartedUnasked,
    /// A result is acknowledged some seconds before it is stored.
    ResultStoredLater,
    /// Nobody is told that others have been asked to leave Assure alone.
    PaceIgnored,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::AckedBeforeHandled,
        Self::AnsweredBeforeStored,
        Self::CallerAnsweredBeforeStored,
        Self::GuardIgnored,
        Self::GuardAndRepeatIgnored,
        Self::GuardOfVerifierIgnored,
        Self::ReplicaForLeader,
        Self::DiscardOfAReplica,
        Self::SignalGarbled,
        Self::AcksLost,
        Self::TimerLost,
        Self::NothingErased,
        Self::NothingDeletedInAssure,
        Self::EverythingAccepted,
        Self::NothingFinal,
        Self::ClockLeaps,
        Self::CanceledByNobody,
        Self::ProcessesHidden,
        Self::ImageSentAgain,
        Self::StartedUnasked,
        Self::ResultStoredLater,
        Self::PaceIgnored,
    ];

    /// The check that has to find it, whatever others find.
    pub fn found_by(self) -> Rule {
        match self {
            Self::AckedBeforeHandled => Rule::OneEnd,
            Self::AnsweredBeforeStored => Rule::CallbackIsKept,
            Self::CallerAnsweredBeforeStored => Rule::ToldIsTrue,
            Self::GuardIgnored => Rule::WhatWasReported,
            Self::GuardAndRepeatIgnored => Rule::Once,
            Self::GuardOfVerifierIgnored => Rule::NothingAfterTheEnd,
            Self::ReplicaForLeader => Rule::SealedBeforeTold,
            Self::DiscardOfAReplica => Rule::NoStartAfterDiscard,
            Self::SignalGarbled => Rule::NoDeadLetter,
            Self::AcksLost => Rule::Settled,
            Self::TimerLost => Rule::Ledger,
            Self::NothingErased => Rule::Erased,
            Self::NothingDeletedInAssure => Rule::ErasedInAssure,
            Self::EverythingAccepted => Rule::AssuresWord,
            Self::NothingFinal => Rule::AssureIsHeard,
            Self::ClockLeaps => Rule::NotBeforeTheDeadline,
            Self::CanceledByNobody => Rule::OwnWord,
            Self::ProcessesHidden => Rule::NoHarm,
            Self::ImageSentAgain => Rule::NoImageAfterSubmission,
            Self::StartedUnasked => Rule::SubmittedBeforeStart,
            Self::ResultStoredLater => Rule::SealedBeforeTold,
            Self::PaceIgnored => Rule::LeftAlone,
        }
    }
}
