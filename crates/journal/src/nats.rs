//! JetStream on the network.

use std::time::Duration;

use async_nats::{
    Client, HeaderMap,
    connection::State,
    jetstream::{
        self, AckKind, Message,
        consumer::PullConsumer,
        context::PublishError,
        message::{Acker, StreamMessage},
        publish::PublishAck,
    },
};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture};

use crate::{
    Error,
    bus::{
        Bus, Delivered, Deliveries, Heard, Page, Position, Pull, PullInfo, Settle, Several, Which,
    },
};

/// How long a pull may stay open, and how often the server says that it is still there.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A client, and JetStream by it.
#[derive(Debug, Clone)]
pub(crate) struct Nats {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
}

impl Bus for Nats {
    fn publish(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<PublishAck, PublishError>> {
        async { self.jetstream.publish_with_headers(subject, headers, payload).await?.await }
            .boxed()
    }

    fn leader_get<'a>(
        &'a self,
        stream: &'a str,
        which: Which<'a>,
    ) -> BoxFuture<'a, Result<Option<StreamMessage>, Error>> {
        self.message(stream, which).boxed()
    }

    fn direct_get<'a>(
        &'a self,
        stream: &'a str,
        which: Several<'a>,
    ) -> BoxFuture<'a, Result<Page, Error>> {
        self.messages(stream, which).boxed()
    }

    fn delete<'a>(&'a self, stream: &'a str, sequence: u64) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let stream = self.jetstream.get_stream_no_info(stream).await;
            let stream = stream.map_err(Error::unavailable)?;
            stream.delete_message(sequence).await.map(drop).map_err(Error::unavailable)
        }
        .boxed()
    }

    fn consumer<'a>(
        &'a self,
        stream: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Pull>, Error>> {
        async move {
            let found = self.jetstream.get_consumer_from_stream(name, stream).await;
            let found: PullConsumer = found.map_err(Error::unavailable)?;
            Ok(Box::new(found) as Box<dyn Pull>)
        }
        .boxed()
    }

    fn subscribe(&self, subject: String) -> BoxFuture<'_, Result<Heard, Error>> {
        async {
            let subscriber = self.client.subscribe(subject).await.map_err(Error::unavailable)?;
            Ok(Box::pin(subscriber.map(drop)) as Heard)
        }
        .boxed()
    }

    fn is_connected(&self) -> bool {
        match self.client.connection_state() {
            State::Connected => true,
            State::Disconnected | State::Pending => false,
        }
    }
}

impl Pull for PullConsumer {
    fn info(&self) -> PullInfo {
        let info = self.cached_info();
        PullInfo {
            ack_wait: info.config.ack_wait,
            pending: info.num_pending,
            unsettled: u64::try_from(info.num_ack_pending).unwrap_or(u64::MAX),
        }
    }

    fn fetch(&self, max: usize) -> BoxFuture<'_, Result<Deliveries, Error>> {
        async move {
            let fetched = PullConsumer::fetch(self).max_messages(max).messages().await;
            let fetched = fetched.map_err(Error::unavailable)?;
            Ok(fetched.map_ok(delivered).map_err(Error::unavailable).boxed())
        }
        .boxed()
    }

    fn messages(&self) -> BoxFuture<'_, Result<Deliveries, Error>> {
        async {
            let pull = self
                .stream()
                // Asked for one by one, as handlers get free: the ack wait of a message that waits
                // here runs too, and nobody would show progress for it.
                .max_messages_per_batch(1)
                .expires(PULL_EXPIRES)
                .heartbeat(HEARTBEAT)
                .messages();
            let messages = pull.await.map_err(Error::unavailable)?;
            Ok(messages.map_ok(delivered).map_err(Error::unavailable).boxed())
        }
        .boxed()
    }
}

fn delivered(message: Message) -> Delivered {
    let position = message.info().ok().map(|info| Position {
        sequence: info.stream_sequence,
        deliveries: info.delivered,
        pending: info.pending,
        stored_at: info.published,
    });
    let (message, acker) = message.split();
    Delivered {
        subject: message.subject,
        headers: message.headers,
        payload: message.payload,
        position,
        settle: Box::new(acker),
    }
}

impl Settle for Acker {
    fn settle(&self, kind: AckKind) -> BoxFuture<'_, Result<(), Error>> {
        async move { self.ack_with(kind).await.map_err(Error::unavailable) }.boxed()
    }
}
