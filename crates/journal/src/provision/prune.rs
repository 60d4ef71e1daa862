//! Deleting the consumers of subscribers that are no more.

use std::collections::BTreeSet;

use async_nats::jetstream::consumer::Info;
use futures_util::TryStreamExt;
use proofline_events::EventType;

use super::refused;
use crate::{Connection, Error, server::wait_until_connected, topology};

/// Deletes the consumers that [`provision`](super::provision) made for subscribers that are no more. `subscribers` are
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
