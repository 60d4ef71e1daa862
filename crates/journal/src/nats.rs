//! JetStream on the network.

mod answers;
mod messages;

use async_nats::{
    Client, HeaderMap,
    connection::State,
    header,
    jetstream::{
        self, AckKind, Message,
        consumer::PullConsumer,
        context::{PublishError, PublishErrorKind},
        message::{Acker, StreamMessage},
        publish::PublishAck,
        response::Response,
        stream::DeleteStatus,
    },
};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture};
use proofline_ambient::chance;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    Error,
    bus::{
        Bus, Delivered, Deliveries, Heard, Left, Messages, Notice, Outgoing, Page, Position, Pull,
        PullInfo, Settle, Several, Which,
    },
};
pub(crate) use answers::Answers;
use messages::Pulled;

/// A client, and JetStream by it.
#[derive(Debug, Clone)]
pub(crate) struct Nats {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    /// The answers to requests that have several.
    pub(crate) answers: Answers,
    /// How many connections were made.
    pub(crate) connections: watch::Receiver<u64>,
}

/// A durable consumer, and what it is asked by.
struct Puller {
    consumer: PullConsumer,
    nats: Nats,
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

    /// Only the last is a request: whatever an earlier one is refused for refuses that one too.
    fn publish_together(
        &self,
        messages: Vec<Outgoing>,
    ) -> BoxFuture<'_, Result<PublishAck, PublishError>> {
        async move {
            let batch = chance::id().simple().to_string();
            let mut number = 0;
            let mut messages = messages.into_iter();
            while let Some(Outgoing { subject, mut headers, payload }) = messages.next() {
                number += 1;
                headers.insert(header::NATS_BATCH_ID, batch.as_str());
                headers.insert(header::NATS_BATCH_SEQUENCE, number.to_string());
                if messages.len() == 0 {
                    headers.insert(header::NATS_BATCH_COMMIT, header::NATS_BATCH_COMMIT_FINAL);
                    return self.publish(subject, headers, payload).await;
                }
                let sent = self.client.publish_with_headers(subject, headers, payload).await;
                sent.map_err(|error| {
                    PublishError::with_source(PublishErrorKind::BrokenPipe, error)
                })?;
            }
            // There was none.
            Err(PublishError::new(PublishErrorKind::Other))
        }
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

    fn delete<'a>(
        &'a self,
        stream: &'a str,
        sequence: u64,
        left: Left,
    ) -> BoxFuture<'a, Result<(), Error>> {
        // The client's own way always has the bytes overwritten.
        let request = json!({ "seq": sequence, "no_erase": left == Left::Bytes });
        async move {
            let subject = format!("STREAM.MSG.DELETE.{stream}");
            let deleted: Response<DeleteStatus> =
                self.jetstream.request(subject, &request).await.map_err(Error::unavailable)?;
            match deleted {
                Response::Ok(_) => Ok(()),
                Response::Err { error } => Err(Error::unavailable(error)),
            }
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
            let consumer = found.map_err(Error::unavailable)?;
            Ok(Box::new(Puller { consumer, nats: self.clone() }) as Box<dyn Pull>)
        }
        .boxed()
    }

    fn subscribe(&self, subject: String) -> BoxFuture<'_, Result<Heard, Error>> {
        async {
            let subscriber = self.client.subscribe(subject).await.map_err(Error::unavailable)?;
            let heard = subscriber.map(|it| Notice { subject: it.subject, payload: it.payload });
            Ok(Box::pin(heard) as Heard)
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

impl Pull for Puller {
    fn info(&self) -> PullInfo {
        let info = self.consumer.cached_info();
        PullInfo {
            ack_wait: info.config.ack_wait,
            pending: info.num_pending,
            unsettled: u64::try_from(info.num_ack_pending).unwrap_or(u64::MAX),
        }
    }

    fn fetch(&self, max: usize) -> BoxFuture<'_, Result<Deliveries, Error>> {
        async move {
            let fetched = self.consumer.fetch().max_messages(max).messages().await;
            let fetched = fetched.map_err(Error::unavailable)?;
            Ok(fetched.map_ok(delivered).map_err(Error::unavailable).boxed())
        }
        .boxed()
    }

    fn messages(&self) -> BoxFuture<'_, Result<Box<dyn Messages>, Error>> {
        async {
            let Nats { client, jetstream, connections, .. } = &self.nats;
            let info = self.consumer.cached_info();
            let (stream, name) = (&info.stream_name, &info.name);
            let pulled = Pulled::open(client, jetstream, connections.clone(), stream, name).await?;
            Ok(Box::new(pulled) as Box<dyn Messages>)
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
