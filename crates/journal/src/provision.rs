//! Making what [`crate::topology`] describes. What is there is changed in place, unless something
//! that is kept in it would be lost.

mod change;
mod consumer;
mod prune;
mod stream;

use std::time::Duration;

use async_nats::jetstream::{self, ErrorCode, consumer::pull};
use proofline_ambient::clock;
use proofline_settings::Reader;

pub use self::prune::prune;
use self::{change::Change, consumer::ConsumerPlan, stream::StreamPlan};
use crate::{
    Connection, Error, check_max_payload, check_version,
    topology::{self, Consumer},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Lasting longer than any verification's deadline (30 d) and the life of its capabilities (7 d).
const SHORTEST_EVENT_RETENTION: Duration = Duration::from_secs(37 * 24 * 60 * 60);

/// How long things are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Events.
    pub events: Duration,
    /// Sealed results, after the end.
    pub results: Duration,
}

/// What provisioning needs to know.
#[derive(Debug, Clone, Copy)]
pub struct ProvisionSettings {
    /// Replicas of streams and buckets.
    pub replicas: usize,
    /// How long things are kept.
    pub retention: Retention,
}

impl Retention {
    /// Reads `PROOFLINE_EVENT_RETENTION` and `PROOFLINE_RESULT_RETENTION`.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let events = r.duration(
            "PROOFLINE_EVENT_RETENTION",
            "90d",
            "Age at which events go; at least 37d, and at least the result retention and 37d.",
        );
        let results = r.duration(
            "PROOFLINE_RESULT_RETENTION",
            "30d",
            "Age after the end at which sealed results go.",
        );
        let (events, results) = (events?, results?);
        let shortest = SHORTEST_EVENT_RETENTION + results;
        if events < shortest {
            let days = shortest.as_secs().div_ceil(DAY.as_secs());
            r.fault(
                "PROOFLINE_EVENT_RETENTION",
                format!("must be at least {days}d: the result retention and 37d"),
            );
            return None;
        }
        Some(Self { events, results })
    }
}

impl ProvisionSettings {
    /// Reads `PROOFLINE_NATS_REPLICAS` and the retentions.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let replicas = r.integer(
            "PROOFLINE_NATS_REPLICAS",
            1,
            "replicas",
            1..=5,
            "Replicas of streams and buckets.",
        );
        let retention = Retention::read(r);
        Some(Self { replicas: replicas?, retention: retention? })
    }
}

/// Why nothing, or not everything, was provisioned.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// What is asked for differs from what is there in such a way that something would be lost.
    /// Nothing was changed.
    #[error("refused, as it would lose something; nothing was changed:{}", list(.0))]
    WouldLose(Vec<String>),
    /// What is there differs in what the server can't change. Nothing was changed.
    #[error("refused, as the server changes none of these; nothing was changed:{}", list(.0))]
    Impossible(Vec<String>),
    /// NATS is away, too old, allows too small messages, or refuses.
    #[error(transparent)]
    Journal(#[from] Error),
}

fn list(all: &[String]) -> String {
    all.iter().map(|one| format!("\n  {one}")).collect()
}

/// Makes every stream, bucket and consumer, and changes in place those that are there. `subscribers`
/// are pairs of tenant and name. Answers what became of each, for people.
///
/// Everything is compared first: where something that is kept would be lost (events that are older
/// than a shorter age, events that a consumer still has to bring, copies), nothing at all is changed,
/// unless `accepts_loss`.
///
/// # Errors
/// [`ProvisionError`].
pub async fn provision(
    connection: &Connection,
    settings: ProvisionSettings,
    subscribers: &[(String, String)],
    accepts_loss: bool,
) -> Result<Vec<String>, ProvisionError> {
    check_version(connection).await?;
    check_max_payload(connection).await?;
    let plans = Plans::make(connection, settings, subscribers).await?;
    let impossible: Vec<_> = plans.changes().flat_map(Change::impossibilities).collect();
    if !impossible.is_empty() {
        return Err(ProvisionError::Impossible(impossible));
    }
    let losses: Vec<_> = plans.changes().flat_map(Change::losses).collect();
    if !losses.is_empty() && !accepts_loss {
        return Err(ProvisionError::WouldLose(losses));
    }
    let done = plans.changes().map(ToString::to_string).collect();
    for plan in plans.streams {
        plan.carry_out(connection).await?;
    }
    for plan in plans.consumers {
        plan.carry_out(connection).await?;
    }
    Ok(done)
}

/// What [`provision`] would make or change, for people. Nothing, if all is as it should be.
///
/// # Errors
/// [`Error`].
pub async fn outstanding(
    connection: &Connection,
    settings: ProvisionSettings,
    subscribers: &[(String, String)],
) -> Result<Vec<String>, Error> {
    let plans = Plans::make(connection, settings, subscribers).await?;
    Ok(plans.changes().filter(|change| !change.is_none()).map(ToString::to_string).collect())
}

/// What is to be done about everything.
struct Plans {
    streams: Vec<StreamPlan>,
    consumers: Vec<ConsumerPlan>,
}

impl Plans {
    async fn make(
        connection: &Connection,
        settings: ProvisionSettings,
        subscribers: &[(String, String)],
    ) -> Result<Self, Error> {
        let mut plans = Self { streams: Vec::new(), consumers: Vec::new() };
        let ProvisionSettings { replicas, retention } = settings;
        for wanted in topology::streams(replicas, retention.events) {
            plans.streams.push(StreamPlan::make(connection, wanted, clock::now()).await?);
        }
        for (stream, wanted, former) in wanted_consumers(subscribers) {
            plans.consumers.push(ConsumerPlan::make(connection, stream, wanted, &former).await?);
        }
        Ok(plans)
    }

    fn changes(&self) -> impl Iterator<Item = &Change> {
        let of_streams = self.streams.iter().map(|plan| &plan.change);
        of_streams.chain(self.consumers.iter().map(|plan| &plan.change))
    }
}

/// Every durable consumer that there should be, with its stream before it, and after it the filters
/// that it may lose.
fn wanted_consumers(
    subscribers: &[(String, String)],
) -> impl Iterator<Item = (&'static str, pull::Config, Vec<String>)> {
    let ours = Consumer::ALL
        .into_iter()
        .map(|consumer| (consumer.stream(), consumer.config(), consumer.former_filters()));
    let theirs = subscribers.iter().map(|(tenant, name)| {
        (topology::VERIFICATIONS, topology::subscriber_config(tenant, name), Vec::new())
    });
    ours.chain(theirs)
}

fn refused(what: &str, error: &dyn std::error::Error) -> Error {
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    Error::Refused(format!("{what}: {cause}"))
}

/// What JetStream itself answered instead.
fn answered(what: &str, error: &jetstream::Error) -> Error {
    const UNAVAILABLE: usize = 503;
    // For now, as busy servers of a cluster take each other for gone now and then; or for good: the
    // text tells which.
    let lacks_servers = error.error_code() == ErrorCode::CLUSTER_NO_PEERS;
    if error.code() == UNAVAILABLE || lacks_servers {
        Error::unavailable(format!("{what}: {error}"))
    } else {
        Error::Refused(format!("{what}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cluster_lacks_for_now_is_asked_for_again_and_no_other_refusal() {
        let answer = |code, err_code| {
            let error = serde_json::json!({ "code": code, "err_code": err_code });
            answered("SOME", &serde_json::from_value(error).unwrap())
        };
        let answers = [answer(503, 10_008), answer(400, 10_005), answer(400, 10_052)];
        assert!(matches!(
            answers,
            [Error::Unavailable(_), Error::Unavailable(_), Error::Refused(_)]
        ));
    }
}
