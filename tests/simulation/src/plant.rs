//! Known bugs, planted at the edges, to show that the checks find them.

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// Messages are acknowledged when they are delivered, before anything is done about them.
    AckedBeforeHandled,
    /// A callback is answered before it is stored.
    AnsweredBeforeStored,
    /// The server does not check the guard of an append.
    GuardIgnored,
    /// Where the leader's word is needed a replica is asked.
    ReplicaForLeader,
    /// Now and then a timer that was set never comes due.
    TimerLost,
    /// Nothing is deleted from a bucket.
    NothingErased,
    /// Each look at Assure shows a process that was accepted.
    EverythingAccepted,
    /// The lease of a creation is given to whoever asks.
    LeaseShared,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AckedBeforeHandled,
        Self::AnsweredBeforeStored,
        Self::GuardIgnored,
        Self::ReplicaForLeader,
        Self::TimerLost,
        Self::NothingErased,
        Self::EverythingAccepted,
        Self::LeaseShared,
    ];
}
