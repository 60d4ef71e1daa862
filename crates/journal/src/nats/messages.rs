//! The messages of a pull consumer, as many at once as can be begun.
//!
//! The client's own stream of messages asks for a number that is fixed beforehand. What it has
//! fetched and nobody has begun waits there while its ack wait runs, unless that number is one;
//! then each message costs a request and a round trip. And what is on its way when it is dropped
//! comes to nobody until its ack wait is over.

use std::{collections::VecDeque, mem, time::Duration};

use async_nats::{Client, Message, StatusCode, Subscriber, jetstream};
use futures_util::{FutureExt, StreamExt, future::BoxFuture};
use serde_json::json;
use tokio::{sync::watch, time::timeout};

use super::delivered;
use crate::{
    Error,
    bus::{Delivered, Messages},
};

/// How long a request may stay open, and how often the server says that it is still there.
const EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long what is on its way may take once nothing more is wanted.
const LAST: Duration = Duration::from_secs(1);

/// One request at a time, each for the messages that can be begun then.
pub(super) struct Pulled {
    jetstream: jetstream::Context,
    client: Client,
    /// Where it asks for messages.
    next: String,
    /// Answers come below this.
    inbox: String,
    answers: Subscriber,
    /// Changes whenever a connection is made: the server has forgotten the request then.
    connections: watch::Receiver<u64>,
    /// Tells the requests apart.
    request: u64,
    /// How many messages of the request are still to come.
    awaited: usize,
    /// What came before the connection was made anew.
    early: VecDeque<Delivered>,
}

impl Pulled {
    pub(super) async fn open(
        client: &Client,
        jetstream: &jetstream::Context,
        mut connections: watch::Receiver<u64>,
        stream: &str,
        consumer: &str,
    ) -> Result<Self, Error> {
        let inbox = client.new_inbox();
        let answers = client.subscribe(format!("{inbox}.*")).await.map_err(Error::unavailable)?;
        connections.mark_unchanged();
        Ok(Self {
            jetstream: jetstream.clone(),
            client: client.clone(),
            next: format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
            inbox,
            answers,
            connections,
            request: 0,
            awaited: 0,
            early: VecDeque::new(),
        })
    }

    /// A server that was lost only for a moment still has the request: nobody listens to that one any
    /// more, so that no more come than can be begun.
    async fn begin_anew(&mut self) -> Result<(), Error> {
        self.inbox = self.client.new_inbox();
        let answers = self.client.subscribe(format!("{}.*", self.inbox)).await;
        let mut former = mem::replace(&mut self.answers, answers.map_err(Error::unavailable)?);
        while let Some(Some(message)) = former.next().now_or_never() {
            if is_message(&message) {
                let delivered = self.deliver(message);
                self.early.push_back(delivered);
            }
        }
        self.awaited = 0;
        Ok(())
    }

    async fn ask(&mut self, at_most: usize) -> Result<(), Error> {
        self.request += 1;
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos());
        let request = json!({
            "batch": at_most,
            "expires": nanoseconds(EXPIRES).map_err(Error::unavailable)?,
            "idle_heartbeat": nanoseconds(HEARTBEAT).map_err(Error::unavailable)?,
        });
        let answer_to = format!("{}.{}", self.inbox, self.request);
        let asked = self.client.publish_with_reply(
            self.next.clone(),
            answer_to,
            request.to_string().into(),
        );
        asked.await.map_err(Error::unavailable)?;
        self.awaited = at_most;
        Ok(())
    }

    /// A message, if it is one; else what the server says about the request.
    fn read(&mut self, message: Message) -> Result<Option<Delivered>, Error> {
        let Some(status) = message.status.filter(|_| !is_message(&message)) else {
            self.awaited = self.awaited.saturating_sub(1);
            return Ok(Some(self.deliver(message)));
        };
        // Of an earlier request, which doesn't count any more.
        if message.subject.as_str() != format!("{}.{}", self.inbox, self.request) {
            return Ok(None);
        }
        match status {
            StatusCode::IDLE_HEARTBEAT => Ok(None),
            StatusCode::TIMEOUT | StatusCode::NOT_FOUND => {
                self.awaited = 0;
                Ok(None)
            }
            // The consumer is gone, has another leader, or nobody is there to be asked.
            status => {
                let why = message.description.as_deref().unwrap_or("without a reason").to_owned();
                Err(Error::Unavailable(format!("no messages: {why} ({status})")))
            }
        }
    }

    fn deliver(&self, message: Message) -> Delivered {
        delivered(jetstream::Message { message, context: self.jetstream.clone() })
    }
}

/// Else it is what the server says about a request.
fn is_message(message: &Message) -> bool {
    message.status.is_none_or(|status| status == StatusCode::OK)
}

impl Messages for Pulled {
    fn next(&mut self, at_most: usize) -> BoxFuture<'_, Result<Delivered, Error>> {
        async move {
            loop {
                if let Some(early) = self.early.pop_front() {
                    return Ok(early);
                }
                if self.awaited == 0 {
                    self.ask(at_most).await?;
                }
                let heard = tokio::select! {
                    heard = timeout(HEARTBEAT * 2, self.answers.next()) => heard,
                    changed = self.connections.changed() => {
                        changed.map_err(|_| Error::unavailable("the connection was closed"))?;
                        self.begin_anew().await?;
                        continue;
                    }
                };
                let message = match heard {
                    Ok(Some(message)) => message,
                    Ok(None) => return Err(Error::unavailable("the connection was closed")),
                    Err(_) => return Err(Error::unavailable("no sign of life of the consumer")),
                };
                if let Some(delivered) = self.read(message)? {
                    return Ok(delivered);
                }
            }
        }
        .boxed()
    }

    fn close(mut self: Box<Self>) -> BoxFuture<'static, Vec<Delivered>> {
        async move {
            let mut left = Vec::from(mem::take(&mut self.early));
            // The server forgets the request with the interest in its answers. What it sends until it
            // hears of that comes to nobody before its ack wait is over.
            let drained = async {
                if self.answers.drain().await.is_err() {
                    return;
                }
                while let Some(message) = self.answers.next().await {
                    if is_message(&message) {
                        left.push(self.deliver(message));
                    }
                }
            };
            if timeout(LAST, drained).await.is_err() {
                tracing::debug!("what was on its way is not awaited any longer");
            }
            left
        }
        .boxed()
    }
}
