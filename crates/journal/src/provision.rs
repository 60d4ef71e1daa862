//! Making what [`crate::topology`] describes. Idempotent: what is there is updated.

use std::{collections::BTreeSet, time::Duration};

use async_nats::jetstream::{consumer::Info, stream::Config};
use futures_util::TryStreamExt;
use proofline_events::EventType;
use proofline_settings::Reader;
use tokio::time::timeout;

use crate::{
    Connection, Error,
    connection::REQUEST_TIMEOUT,
    topology::{self, Consumer, MAX_DOCUMENT_BYTES},
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

/// Creates or updates every stream, bucket and consumer. `subscribers` are pairs of tenant and
/// name. Answers what it made, for people.
///
/// # Errors
/// [`Error::Refused`] when the server is too old, allows too small messages, or refuses a setting;
/// [`Error::Unavailable`] when it can't be reached.
pub async fn provision(
    connection: &Connection,
    settings: ProvisionSettings,
    subscribers: &[(String, String)],
) -> Result<Vec<String>, Error> {
    wait_until_connected(connection).await?;
    check_server(connection)?;
    let replicas = settings.replicas;
    let mut made = Vec::new();
    for config in topology::streams(replicas, settings.retention.events) {
        made.push(make_stream(connection, config).await?);
    }
    for consumer in Consumer::ALL {
        made.push(make_consumer(connection, consumer.stream(), consumer.config()).await?);
    }
    for (tenant, name) in subscribers {
        let config = topology::subscriber_config(tenant, name);
        made.push(make_consumer(connection, topology::VERIFICATIONS, config).await?);
    }
    Ok(made)
}

/// Deletes the consumers that [`provision`] made for subscribers that are no more. `subscribers` are
/// those that are, in pairs of tenant and name. Answers what it deleted, for people.
///
/// # Errors
/// [`Error::Refused`] when the server refuses, [`Error::Unavailable`] when it can't be reached.
pub async fn prune(
    connection: &Connection,
    subscribers: &[(String, String)],
) -> Result<Vec<String>, Error> {
    wait_until_connected(connection).await?;
    let stream = topology::VERIFICATIONS;
    let handle = connection.jetstream()?.get_stream_no_info(stream).await;
    let handle = handle.map_err(|error| refused(stream, &error))?;
    let all: Vec<_> =
        handle.consumers().try_collect().await.map_err(|error| refused(stream, &error))?;
    let wanted: BTreeSet<_> =
        subscribers.iter().map(|(tenant, name)| format!("{tenant}-{name}")).collect();
    let mut deleted = Vec::new();
    for Info { name, .. } in
        all.iter().filter(|info| is_subscriber(info) && !wanted.contains(&info.name))
    {
        handle.delete_consumer(name).await.map_err(|error| refused(name, &error))?;
        deleted.push(format!("consumer {name} of {stream} deleted"));
    }
    Ok(deleted)
}

/// Whether a consumer is a subscriber's, by all that tells it apart: its name and its filters.
fn is_subscriber(info: &Info) -> bool {
    let ends = format!("{}.", EventType::ProcessFinished.ce_type());
    let filters = &info.config.filter_subjects;
    let subscriber = filters.first().and_then(|filter| {
        let tenant = filter.strip_prefix(&ends)?.strip_suffix(".*")?;
        Some((tenant, info.name.strip_prefix(tenant)?.strip_prefix('-')?))
    });
    subscriber.is_some_and(|(tenant, name)| {
        let made = topology::subscriber_config(tenant, name);
        info.config.durable_name == made.durable_name && *filters == made.filter_subjects
    })
}

/// A connection is made in the background, and tells nothing of its server before.
async fn wait_until_connected(connection: &Connection) -> Result<(), Error> {
    let flushed = timeout(REQUEST_TIMEOUT, connection.nats()?.client.flush()).await;
    flushed.map_err(|_| Error::unavailable("there is no connection"))?.map_err(Error::unavailable)
}

/// An older server ignores guards silently, and a smaller limit would lose large results.
fn check_server(connection: &Connection) -> Result<(), Error> {
    let info = connection.nats()?.client.server_info();
    let mut numbers = info.version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < (2, 14) {
        let found = &info.version;
        return Err(Error::Refused(format!("NATS 2.14 or later is needed, this is {found}")));
    }
    if info.max_payload < MAX_DOCUMENT_BYTES {
        let allowed = info.max_payload;
        return Err(Error::Refused(format!(
            "max_payload of the NATS server must be at least {MAX_DOCUMENT_BYTES} bytes (a little more for headers), it is {allowed}"
        )));
    }
    Ok(())
}

async fn make_stream(connection: &Connection, config: Config) -> Result<String, Error> {
    let name = config.name.clone();
    connection
        .jetstream()?
        .create_or_update_stream(config)
        .await
        .map_err(|error| refused(&name, &error))?;
    Ok(format!("stream {name}"))
}

async fn make_consumer(
    connection: &Connection,
    stream: &str,
    config: async_nats::jetstream::consumer::pull::Config,
) -> Result<String, Error> {
    let name = config.durable_name.clone().unwrap_or_default();
    let stream_handle = connection.jetstream()?.get_stream_no_info(stream).await;
    let stream_handle = stream_handle.map_err(|error| refused(stream, &error))?;
    stream_handle.create_consumer(config).await.map_err(|error| refused(&name, &error))?;
    Ok(format!("consumer {name} of {stream}"))
}

fn refused(what: &str, error: &dyn std::error::Error) -> Error {
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    Error::Refused(format!("{what}: {cause}"))
}
