//! What is looked at, and what can come of it.

use std::fmt;

use clap::ValueEnum;

/// Something that can be wrong. Its name is what `--accept` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Check {
    /// NATS can be reached, and is new enough.
    NatsServer,
    /// NATS takes messages as large as results can be.
    MaxPayload,
    /// NATS lets nobody in without a login.
    NatsLogin,
    /// NATS lets nobody do more than their work.
    NatsRights,
    /// Streams and buckets are on three servers, and all of these follow.
    Replicas,
    /// Streams, buckets and consumers are as `proofline provision` makes them.
    Provisioned,
    /// NATS has room on its disks.
    Disk,
    /// NATS syncs to disk before it acknowledges.
    SyncInterval,
    /// NATS acknowledges fast enough for Assure's callbacks.
    StorageSpeed,
    /// NATS' clocks and ours agree.
    NatsClock,
    /// Assure gives a token and answers.
    Assure,
    /// Assure's clock and ours agree.
    AssureClock,
    /// callback-receiver answers where Assure will look for it.
    CallbackAddress,
    /// upload answers where its callers will look for it.
    UploadAddress,
    /// intake answers where its callers will look for it.
    ApiAddress,
    /// The keys are nobody else's.
    Keys,
    /// The tenants' API keys are not the demo's.
    ApiKeys,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().expect("none is skipped").get_name())
    }
}

/// What came of a check.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    pub(crate) verdict: Verdict,
}

#[derive(Debug)]
pub(crate) enum Verdict {
    /// As it should be; what was seen.
    Fine(String),
    /// Not as it should be.
    Problem {
        /// What was seen.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// It could not be looked at; why.
    Unchecked(String),
}

impl Verdict {
    pub(crate) fn problem(found: impl Into<String>, advice: &'static str) -> Self {
        Self::Problem { found: found.into(), advice }
    }

    pub(crate) fn of(self, check: Check) -> Finding {
        Finding { check, verdict: self }
    }
}
