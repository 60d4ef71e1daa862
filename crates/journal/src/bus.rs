//! What everything here asks of JetStream, and nothing more.
//!
//! Two things answer: the network's NATS (`nats.rs`), and the model that the simulation
//! (`tests/simulation`) drives. All that is above is the same over both.

use std::{fmt, pin::Pin, time::Duration};

use async_nats::{
    HeaderMap, Subject,
    jetstream::{AckKind, context::PublishError, message::StreamMessage, publish::PublishAck},
};
use bytes::Bytes;
use futures_util::{Stream, future::BoxFuture, stream::BoxStream};
use time::OffsetDateTime;

use crate::Error;

/// JetStream, or a model of it.
pub trait Bus: fmt::Debug + Send + Sync {
    /// Publishes to a stream; returns once that is durable, or refused.
    fn publish(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<PublishAck, PublishError>>;

    /// Publishes all of these to one stream, or none; returns once they are durable, or refused. The
    /// acknowledgement is that of the last.
    fn publish_together(
        &self,
        messages: Vec<Outgoing>,
    ) -> BoxFuture<'_, Result<PublishAck, PublishError>>;

    /// One message from the leader, who is never behind.
    fn leader_get<'a>(
        &'a self,
        stream: &'a str,
        which: Which<'a>,
    ) -> BoxFuture<'a, Result<Option<StreamMessage>, Error>>;

    /// Several messages from any replica, which may be behind, in the order of their sequence.
    fn direct_get<'a>(
        &'a self,
        stream: &'a str,
        which: Several<'a>,
    ) -> BoxFuture<'a, Result<Page, Error>>;

    /// Deletes one message.
    fn delete<'a>(
        &'a self,
        stream: &'a str,
        sequence: u64,
        left: Left,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Finds a durable consumer.
    fn consumer<'a>(
        &'a self,
        stream: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Pull>, Error>>;

    /// Hears of what is published there. Nothing is kept for who does not listen.
    fn subscribe(&self, subject: String) -> BoxFuture<'_, Result<Heard, Error>>;

    /// Whether there is a connection now.
    fn is_connected(&self) -> bool;
}

/// A message to be published.
#[derive(Clone)]
pub struct Outgoing {
    /// Where to.
    pub subject: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// What it says.
    pub payload: Bytes,
}

/// Shows where it goes, and nothing of what it says.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// One message. Subjects may have wildcards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// The one at this sequence.
    At(u64),
    /// The last on subjects like this.
    LastOn(&'a str),
    /// The first on subjects like this, from a sequence on.
    NextOn(&'a str, u64),
}

/// What a deletion leaves on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing: the bytes are overwritten, for which the server writes a whole block of its file.
    Nothing,
    /// The bytes, until the server compacts the block they are in.
    Bytes,
}

/// Several messages on subjects like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Several<'a> {
    /// The last of each subject.
    LastOfEach(&'a str),
    /// From a sequence on, at most so many.
    From {
        /// The filter.
        subject: &'a str,
        /// The first sequence.
        sequence: u64,
        /// How many.
        batch: u64,
    },
}

/// The answer to a request for several messages.
#[derive(Debug, Default)]
pub struct Page {
    /// The messages.
    pub messages: Vec<StreamMessage>,
    /// How many more there are.
    pub pending: u64,
}

/// A durable consumer, and what was known of it when it was found.
pub trait Pull: Send + Sync {
    /// How it fares.
    fn info(&self) -> PullInfo;

    /// What is there now, at most so much.
    fn fetch(&self, max: usize) -> BoxFuture<'_, Result<Deliveries, Error>>;

    /// Messages as they come.
    fn messages(&self) -> BoxFuture<'_, Result<Box<dyn Messages>, Error>>;
}

/// Messages as they come.
pub trait Messages: Send {
    /// The next one. Asks for this many when none are on their way, so that no more come than can be
    /// begun. May be dropped at any time, which loses nothing.
    ///
    /// An error means that the consumer is to be found again.
    fn next(&mut self, at_most: usize) -> BoxFuture<'_, Result<Delivered, Error>>;

    /// Wants no more; what was on its way.
    fn close(self: Box<Self>) -> BoxFuture<'static, Vec<Delivered>>;
}

/// Messages that were heard of, whether or not they were then stored.
pub type Heard = Pin<Box<dyn Stream<Item = Notice> + Send + Sync>>;

/// A message that was heard of.
#[derive(Clone)]
pub struct Notice {
    /// Its subject.
    pub subject: Subject,
    /// What it says.
    pub payload: Bytes,
}

/// Messages that a consumer had.
pub type Deliveries = BoxStream<'static, Result<Delivered, Error>>;

/// How a consumer fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PullInfo {
    /// How long a message may be worked on without a sign of progress.
    pub ack_wait: Duration,
    /// How many messages were never delivered.
    pub pending: u64,
    /// How many were delivered and are not settled.
    pub unsettled: u64,
}

/// A message that a consumer was brought.
pub struct Delivered {
    /// Its subject.
    pub subject: Subject,
    /// Its headers.
    pub headers: Option<HeaderMap>,
    /// What it says.
    pub payload: Bytes,
    /// Where it stands; `None` when the server told nothing of it that can be read.
    pub position: Option<Position>,
    /// What it is settled with.
    pub settle: Box<dyn Settle>,
}

/// Shows where it stands, and nothing of what it says.
impl fmt::Debug for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, position) = (&self.subject, &self.position);
        f.debug_struct("Delivered")
            .field("subject", subject)
            .field("position", position)
            .finish_non_exhaustive()
    }
}

/// Where a message stands in its stream, and with its consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Its sequence in the stream.
    pub sequence: u64,
    /// 1 the first time.
    pub deliveries: i64,
    /// How many come after it.
    pub pending: u64,
    /// When it was stored.
    pub stored_at: OffsetDateTime,
}

/// Settles one delivery.
pub trait Settle: Send + Sync {
    /// Tells the server what became of it. That is sent and not confirmed.
    fn settle(&self, kind: AckKind) -> BoxFuture<'_, Result<(), Error>>;
}
