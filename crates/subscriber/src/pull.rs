//! One pull: asking the consumer for its next message.
//!
//! Pulls are made by hand because the client's own stream of messages asks for `CONSUMER.INFO`,
//! which a subscriber in an account of its own need not be given, and keeps an inbox for all its
//! pulls, which then leaves a mapping behind in the exporting account for each of them. Here each
//! pull has an inbox of its own and asks for one message: what waits in a client's buffer would be
//! delivered a second time when its `ack_wait` runs out.

use std::{sync::atomic::Ordering, time::Duration};

use async_nats::{
    Client, StatusCode, Subscriber,
    connection::State,
    jetstream::{self, AckKind, Context},
};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::Error;

/// How long a pull may stay open; below the response threshold (30 s) of an import's export.
const EXPIRES: Duration = Duration::from_secs(20);
/// How often the server says that it is still there; what a stop may have to wait for.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long it may say nothing before the pull counts as lost.
const SILENCE: Duration = Duration::from_secs(5);
/// The same after the connection was made anew: one server forgets its pulls with the old one, but in
/// a cluster another may still have this one, and answer it.
const SILENCE_AFTER_CONNECT: Duration = Duration::from_millis(2500);
/// How often to look whether the connection was made anew.
const LOOK: Duration = Duration::from_millis(500);
/// How long a connection may take before it is worth a word.
const CONNECTS_WITHIN: Duration = Duration::from_secs(2);
/// Given back almost at once; never without a delay.
const GIVE_BACK: Duration = Duration::from_millis(1);

/// What a pull brought.
#[derive(Debug)]
pub(crate) enum Pulled {
    Message(Box<jetstream::Message>),
    /// Nothing came in its time, or the pull went with its connection.
    Nothing,
    /// There is no sense in pulling again at once.
    Trouble(String),
    Stopped,
}

/// Where pulls go.
#[derive(Debug, Clone)]
pub(crate) struct Puller {
    pub(crate) client: Client,
    pub(crate) jetstream: Context,
    /// `<prefix>.CONSUMER.MSG.NEXT.<stream>.<durable>`.
    pub(crate) subject: String,
}

impl Puller {
    pub(crate) async fn next(&self, stop: &CancellationToken) -> Result<Pulled, Error> {
        match stop.run_until_cancelled(self.is_connected()).await {
            None => return Ok(Pulled::Stopped),
            // Requests would pile up and go out all at once.
            Some(false) => return Ok(Pulled::Trouble("NATS is not connected".to_owned())),
            Some(true) => {}
        }
        let mut connects = self.connects();
        let inbox = self.client.new_inbox();
        let mut replies = self.client.subscribe(inbox.clone()).await.map_err(Error::client)?;
        let sent = self.client.publish_with_reply(self.subject.clone(), inbox, request()).await;
        sent.map_err(Error::client)?;
        let (mut heard, mut replied, mut is_anew) = (Instant::now(), 0, false);
        loop {
            let reply = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.give_back(replies, replied).await;
                    return Ok(Pulled::Stopped);
                }
                reply = timeout(LOOK, replies.next()) => reply,
            };
            match reply {
                Ok(Some(message)) => {
                    (heard, replied) = (Instant::now(), replied + 1);
                    if let Some(pulled) = self.read(message) {
                        return Ok(pulled);
                    }
                }
                Ok(None) => return Err(Error::client("the connection was closed")),
                Err(_) if self.connects() != connects => {
                    (connects, heard, is_anew) = (self.connects(), Instant::now(), true);
                }
                Err(_) if is_anew && heard.elapsed() > SILENCE_AFTER_CONNECT => {
                    return Ok(Pulled::Nothing);
                }
                Err(_) if heard.elapsed() > SILENCE => {
                    self.give_back(replies, replied).await;
                    return Ok(Pulled::Trouble("there is no sign of life".to_owned()));
                }
                Err(_) => {}
            }
        }
    }

    /// A message, or what the server says of the pull; `None` for a heartbeat.
    fn read(&self, message: async_nats::Message) -> Option<Pulled> {
        let Some(status) = message.status else {
            let context = self.jetstream.clone();
            return Some(Pulled::Message(Box::new(jetstream::Message { message, context })));
        };
        match status {
            StatusCode::IDLE_HEARTBEAT => None,
            StatusCode::NOT_FOUND | StatusCode::TIMEOUT => Some(Pulled::Nothing),
            StatusCode::NO_RESPONDERS => Some(Pulled::Trouble(
                "the consumer is not there (proofline provision makes it)".to_owned(),
            )),
            _ => Some(Pulled::Trouble(message.description.unwrap_or_else(|| status.to_string()))),
        }
    }

    /// Ends a pull and returns what comes all the same, so that another subscriber has it at once.
    ///
    /// The client forgets an inbox as soon as it asks the server to, and with it what is on its
    /// way. So the server is asked to end it after one more reply: a message, or a heartbeat.
    async fn give_back(&self, mut replies: Subscriber, replied: u64) {
        if replies.unsubscribe_after(replied + 1).await.is_err() {
            return;
        }
        while let Ok(Some(message)) = timeout(2 * HEARTBEAT, replies.next()).await {
            let Some(Pulled::Message(message)) = self.read(message) else { continue };
            if let Err(error) = message.ack_with(AckKind::Nak(Some(GIVE_BACK))).await {
                tracing::debug!(%error, "could not be given back: it will come again");
            }
        }
    }

    /// A connection that is just being made is given a moment.
    async fn is_connected(&self) -> bool {
        match self.client.connection_state() {
            State::Connected => true,
            State::Disconnected | State::Pending => {
                matches!(timeout(CONNECTS_WITHIN, self.client.flush()).await, Ok(Ok(())))
            }
        }
    }

    fn connects(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Relaxed)
    }
}

fn request() -> Bytes {
    let request = serde_json::json!({
        "batch": 1,
        "expires": u64::try_from(EXPIRES.as_nanos()).unwrap_or(u64::MAX),
        "idle_heartbeat": u64::try_from(HEARTBEAT.as_nanos()).unwrap_or(u64::MAX),
    });
    request.to_string().into()
}
