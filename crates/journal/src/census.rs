//! Counting, for whoever watches over the whole: a few cheap requests, each answered from what the
//! server knows without reading a message.

use async_nats::jetstream::stream::Info;
use time::OffsetDateTime;

use crate::{
    Connection, Error,
    timers::TimerKind,
    topology::{DEAD_LETTERS, TIMERS},
};

/// Every stream, buckets included.
const STREAMS: [&str; 9] = [
    "VERIFICATIONS",
    "TIMERS",
    "DEAD_LETTERS",
    "KV_SEALED",
    "KV_PARAMETERS",
    "KV_DATA_KEYS",
    "KV_LEASES",
    "KV_PACE",
    "KV_DOSSIERS",
];

/// What is there, counted.
#[derive(Debug, Clone)]
pub struct Census {
    connection: Connection,
}

/// How a stream fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamState {
    /// Its name.
    pub name: &'static str,
    /// How many messages it holds.
    pub messages: u64,
    /// How many bytes they take, on each replica.
    pub bytes: u64,
    /// How many replicas it should have.
    pub replicas: u64,
    /// How many of them are there and up to date.
    pub current_replicas: u64,
    /// When its oldest message was stored.
    pub oldest: Option<OffsetDateTime>,
}

/// Dead letters that are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingDeadLetters {
    /// How many.
    pub count: u64,
    /// When the oldest was put aside.
    pub oldest: Option<OffsetDateTime>,
}

impl Census {
    /// A census by this connection.
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// How many verifications have no end yet: as many as there are deadlines still to come, since
    /// a deadline goes with the end (`docs/adr/0017`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn open_verifications(&self) -> Result<u64, Error> {
        self.connection.count(TIMERS, &TimerKind::Deadline.at_filter()).await
    }

    /// How each stream fares.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn streams(&self) -> Result<Vec<StreamState>, Error> {
        let mut all = Vec::with_capacity(STREAMS.len());
        let jetstream = self.connection.jetstream()?;
        for name in STREAMS {
            let stream = jetstream.get_stream(name).await;
            let stream = stream.map_err(Error::unavailable)?;
            all.push(StreamState::of(name, stream.cached_info()));
        }
        Ok(all)
    }
}

impl StreamState {
    fn of(name: &'static str, info: &Info) -> Self {
        // A server without a cluster is its own only replica.
        let current = info.cluster.as_ref().map_or(1, |cluster| {
            let followers = cluster.replicas.iter().filter(|peer| peer.current && !peer.offline);
            followers.count() as u64 + u64::from(cluster.leader.is_some())
        });
        Self {
            name,
            messages: info.state.messages,
            bytes: info.state.bytes,
            replicas: info.config.num_replicas as u64,
            current_replicas: current,
            oldest: (info.state.messages > 0).then_some(info.state.first_timestamp),
        }
    }

    /// What this says of dead letters, if it is their stream.
    pub fn dead_letters(&self) -> Option<WaitingDeadLetters> {
        let Self { messages, oldest, .. } = *self;
        (self.name == DEAD_LETTERS).then_some(WaitingDeadLetters { count: messages, oldest })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::topology;

    #[test]
    fn every_stream_that_provisioning_makes_is_counted() {
        let made = topology::streams(1, Duration::ZERO);
        assert_eq!(made.into_iter().map(|config| config.name).collect::<Vec<_>>(), STREAMS);
    }
}
