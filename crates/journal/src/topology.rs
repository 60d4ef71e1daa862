//! What exists in JetStream: every stream, bucket and durable consumer, in one place.
//!
//! `proofline provision` makes them; services only use them.

use std::time::Duration;

use async_nats::jetstream::{
    consumer::{AckPolicy, pull},
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
};
use proofline_events::{EventType, REPLAY_PREFIX, replay_filter};

use crate::TimerKind;

/// The logs of all verifications.
pub const VERIFICATIONS: &str = "VERIFICATIONS";
/// What comes due.
pub const TIMERS: &str = "TIMERS";
/// Messages that nobody could handle.
pub const DEAD_LETTERS: &str = "DEAD_LETTERS";
/// Bucket of sealed results and next actions.
pub(crate) const SEALED: &str = "SEALED";
/// Bucket of sealed parameters of Start verification: apart from the others, as the verifier may
/// read these and no result.
pub(crate) const PARAMETERS: &str = "PARAMETERS";
/// Bucket of wrapped data keys.
pub(crate) const DATA_KEYS: &str = "DATA_KEYS";
/// Bucket of who is creating what.
pub(crate) const LEASES: &str = "LEASES";
/// Bucket of who shares which dossier.
pub(crate) const DOSSIERS: &str = "DOSSIERS";
/// Bucket of how fast each Assure account may be called, and whose turn reconciliation is.
pub(crate) const PACE: &str = "PACE";

/// Largest sealed document, which the server's `max_payload` must allow.
pub const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;

/// How long a message of ours may be worked on without a sign of progress: the delay that the sudden
/// death of a replica costs.
pub const ACK_WAIT: Duration = Duration::from_secs(15);

/// How many due checks one round of reconciliation may take, and how long it may have them.
pub(crate) const MAX_BATCH: i64 = 20_000;
const BATCH_ACK_WAIT: Duration = Duration::from_secs(120);

/// How many messages may wait for their next delivery, a full day of an Assure that is away
/// included: past it a consumer would bring nothing new, even what needs no Assure.
const MAX_PENDING: i64 = 100_000;

/// The same for subscribers, which show no progress.
const SUBSCRIBER_ACK_WAIT: Duration = Duration::from_secs(30);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A durable consumer of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumer {
    /// Sets the deadline of each new verification.
    VerifierRequests,
    /// Starts what is submitted.
    VerifierSubmissions,
    /// Signals deadlines that have come.
    VerifierDeadline,
    /// Looks up what should have heard of its end by now.
    VerifierCheck,
    /// Looks at Assure and tells the end.
    ResultNormaliserSignals,
    /// Removes what must not stay after an end.
    ResultNormaliserRemovals,
    /// Deletes in Assure.
    ResultNormaliserDeleteInAssure,
    /// Removes results that have been kept long enough.
    ResultNormaliserExpireResult,
}

/// Where a consumer's messages come from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// These events, and replays for this consumer alone.
    Events(&'static [EventType]),
    /// Timers of this kind that have come due.
    Timers(TimerKind),
}

impl Consumer {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::VerifierRequests,
        Self::VerifierSubmissions,
        Self::VerifierDeadline,
        Self::VerifierCheck,
        Self::ResultNormaliserSignals,
        Self::ResultNormaliserRemovals,
        Self::ResultNormaliserDeleteInAssure,
        Self::ResultNormaliserExpireResult,
    ];

    /// The durable's name: service and purpose.
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifierRequests => "verifier-requests",
            Self::VerifierSubmissions => "verifier-submissions",
            Self::VerifierDeadline => "verifier-deadline",
            Self::VerifierCheck => "verifier-check",
            Self::ResultNormaliserSignals => "result-normaliser-signals",
            Self::ResultNormaliserRemovals => "result-normaliser-removals",
            Self::ResultNormaliserDeleteInAssure => "result-normaliser-delete-in-assure",
            Self::ResultNormaliserExpireResult => "result-normaliser-expire-result",
        }
    }

    pub(crate) fn source(self) -> Source {
        match self {
            Self::VerifierRequests => Source::Events(&[EventType::VerificationRequested]),
            Self::VerifierSubmissions => Source::Events(&[EventType::SubmissionRequested]),
            Self::VerifierDeadline => Source::Timers(TimerKind::Deadline),
            Self::ResultNormaliserSignals => Source::Events(&[
                EventType::CompletionSignalled,
                EventType::CancellationRequested,
                EventType::SetupFailed,
                EventType::StartRefused,
                EventType::ErasureRequested,
            ]),
            Self::VerifierCheck => Source::Timers(TimerKind::Check),
            Self::ResultNormaliserRemovals => {
                Source::Events(&[EventType::ProcessFinished, EventType::ErasureRequested])
            }
            Self::ResultNormaliserDeleteInAssure => Source::Timers(TimerKind::DeleteInAssure),
            Self::ResultNormaliserExpireResult => Source::Timers(TimerKind::ExpireResult),
        }
    }

    /// The stream it reads.
    pub fn stream(self) -> &'static str {
        match self.source() {
            Source::Events(_) => VERIFICATIONS,
            Source::Timers(_) => TIMERS,
        }
    }

    /// What an earlier version had brought to it, and somebody else handles now.
    pub(crate) fn former_filters(self) -> Vec<String> {
        match self {
            // Result-normaliser removes the deadline (`docs/adr/0024`).
            Self::VerifierRequests => vec![EventType::ProcessFinished.subject_filter()],
            Self::VerifierSubmissions
            | Self::VerifierDeadline
            | Self::VerifierCheck
            | Self::ResultNormaliserSignals
            | Self::ResultNormaliserRemovals
            | Self::ResultNormaliserDeleteInAssure
            | Self::ResultNormaliserExpireResult => Vec::new(),
        }
    }

    /// How it is set up.
    pub fn config(self) -> pull::Config {
        let filters = match self.source() {
            Source::Events(events) => {
                let events = events.iter().map(|event| event.subject_filter());
                events.chain([replay_filter(self.name())]).collect()
            }
            Source::Timers(kind) => vec![kind.due_filter()],
        };
        match self {
            // Taken together, thousands at once, and settled one by one.
            Self::VerifierCheck => pull::Config {
                ack_wait: BATCH_ACK_WAIT,
                max_ack_pending: MAX_BATCH,
                ..durable(self.name(), filters)
            },
            Self::VerifierRequests
            | Self::VerifierSubmissions
            | Self::VerifierDeadline
            | Self::ResultNormaliserSignals
            | Self::ResultNormaliserRemovals
            | Self::ResultNormaliserDeleteInAssure
            | Self::ResultNormaliserExpireResult => durable(self.name(), filters),
        }
    }
}

/// The consumer of a subscribing service of a tenant, named `<tenant>-<name>`.
pub(crate) fn subscriber_config(tenant: &str, name: &str) -> pull::Config {
    let durable_name = format!("{tenant}-{name}");
    let filters = vec![
        format!("proofline.v1.{}.{tenant}.*", EventType::ProcessFinished),
        replay_filter(&durable_name),
    ];
    pull::Config { ack_wait: SUBSCRIBER_ACK_WAIT, ..durable(&durable_name, filters) }
}

/// Without a limit of deliveries: the worker loop decides what is given up, and puts it into
/// `DEAD_LETTERS`; the server would drop it silently.
fn durable(name: &str, filter_subjects: Vec<String>) -> pull::Config {
    pull::Config {
        durable_name: Some(name.to_owned()),
        filter_subjects,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_ack_pending: MAX_PENDING,
        ..Default::default()
    }
}

/// Every stream and bucket. `events` is how long events are kept.
pub fn streams(replicas: usize, events: Duration) -> Vec<Config> {
    let streams = [verifications(replicas, events), timers(replicas), dead_letters(replicas)];
    streams.into_iter().chain(buckets(replicas, events)).collect()
}

fn verifications(replicas: usize, max_age: Duration) -> Config {
    Config {
        name: VERIFICATIONS.to_owned(),
        subjects: vec!["proofline.v1.*.*.*".to_owned(), format!("{REPLAY_PREFIX}*.*.*")],
        description: Some("The log of each verification".to_owned()),
        max_age,
        // Repeated events of one verification: the oldest go, and none of them is relied upon.
        max_messages_per_subject: 100,
        // Whoever may publish an event must not be able to remove or replace one: no purge, no
        // roll-up, no per-message TTL, no schedules (which may write to any subject of a stream).
        deny_purge: true,
        allow_rollup: false,
        allow_message_ttl: false,
        allow_message_schedules: false,
        // Signals that wait together are appended together.
        allow_atomic_publish: true,
        ..stream(replicas)
    }
}

fn timers(replicas: usize) -> Config {
    Config {
        name: TIMERS.to_owned(),
        subjects: vec!["proofline.timer.v1.>".to_owned()],
        description: Some("What comes due".to_owned()),
        retention: RetentionPolicy::WorkQueue,
        allow_message_schedules: true,
        // The server turns it on with schedules.
        allow_rollup: true,
        max_message_size: 4096,
        ..stream(replicas)
    }
}

fn dead_letters(replicas: usize) -> Config {
    Config {
        name: DEAD_LETTERS.to_owned(),
        subjects: vec!["proofline.dead.v1.*.*.*".to_owned()],
        description: Some("Messages that nobody could handle".to_owned()),
        max_age: 30 * DAY,
        ..stream(replicas)
    }
}

/// The buckets. They are made as streams: what a client's key-value helper makes can never have a
/// revision deleted, and erasure is exactly that.
///
/// `events` is how long events are kept: who shares a dossier need not be known for longer.
fn buckets(replicas: usize, events: Duration) -> [Config; 6] {
    [
        bucket(SEALED, 1, Duration::ZERO, replicas),
        bucket(PARAMETERS, 1, Duration::ZERO, replicas),
        // A revision that a newer one pushed out is beyond any delete, so there is room for some.
        Config { discard: DiscardPolicy::New, ..bucket(DATA_KEYS, 4, Duration::ZERO, replicas) },
        bucket(LEASES, 1, Duration::from_secs(30), replicas),
        bucket(PACE, 1, DAY, replicas),
        bucket(DOSSIERS, 1, events, replicas),
    ]
}

fn bucket(name: &str, history: i64, max_age: Duration, replicas: usize) -> Config {
    Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: history,
        max_age,
        // Whoever may write one key must not be able to remove all of them.
        allow_rollup: false,
        deny_delete: false,
        ..stream(replicas)
    }
}

fn stream(replicas: usize) -> Config {
    Config {
        storage: StorageType::File,
        num_replicas: replicas,
        discard: DiscardPolicy::Old,
        allow_direct: true,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumers_of_a_work_queue_do_not_overlap() {
        let timers: Vec<_> = Consumer::ALL
            .into_iter()
            .filter(|consumer| consumer.stream() == TIMERS)
            .flat_map(|consumer| consumer.config().filter_subjects)
            .collect();
        let mut distinct = timers.clone();
        distinct.dedup();
        assert_eq!(timers, distinct);
    }

    #[test]
    fn a_subscriber_hears_the_ends_of_its_tenant_and_its_own_replays() {
        let config = subscriber_config("acme", "billing");
        assert_eq!(config.durable_name.as_deref(), Some("acme-billing"));
        assert_eq!(
            config.filter_subjects,
            ["proofline.v1.process-finished.acme.*", "proofline.replay.v1.acme-billing.>"]
        );
    }
}
