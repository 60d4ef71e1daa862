//! Timers taken together: all that are due now, for whoever handles them as one.

use async_nats::jetstream::{AckKind, Message, consumer::PullConsumer};
use futures_util::StreamExt;
use std::time::Duration;

use crate::{
    Connection, Due, Error, dead_letter, telemetry,
    topology::Consumer,
    worker::{Health, Rejection, read_timer},
};

/// A timer that was taken and must be settled.
#[derive(Debug)]
pub struct Taken {
    /// The timer.
    pub due: Due,
    message: Message,
}

/// A consumer of timers, taken from in batches.
#[derive(Debug, Clone)]
pub struct DueTimers {
    connection: Connection,
    consumer: Consumer,
    health: Health,
}

impl DueTimers {
    /// The due timers of this consumer.
    pub fn new(connection: Connection, consumer: Consumer) -> Self {
        Self { connection, consumer, health: Health::new(consumer.name()) }
    }

    /// Whether they can be taken, for readiness.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Whether the consumer is there. Tells readiness, too.
    ///
    /// # Errors
    /// [`Error`] when it is not.
    pub async fn probe(&self) -> Result<(), Error> {
        self.find().await.map(drop)
    }

    /// Takes what is due now, at most `max`. What is not settled comes again.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn take(&self, max: usize) -> Result<Vec<Taken>, Error> {
        let consumer = self.find().await?;
        let fetched = consumer.fetch().max_messages(max).messages().await;
        let mut messages = fetched.map_err(Error::unavailable)?;
        let mut all = Vec::new();
        while let Some(message) = messages.next().await {
            let message = message.map_err(Error::unavailable)?;
            telemetry::delivered(
                self.consumer.name(),
                message.info().is_ok_and(|info| info.delivered == 1),
            );
            match read_timer(self.consumer, &message) {
                Ok(delivery) => all.push(Taken { due: delivery.message, message }),
                Err(rejection) => self.bury(&message, &rejection).await?,
            }
        }
        Ok(all)
    }

    async fn bury(&self, message: &Message, rejection: &Rejection) -> Result<(), Error> {
        let name = self.consumer.name();
        dead_letter::bury(&self.connection, name, message, rejection, None).await?;
        tracing::error!(code = rejection.code, detail = %rejection.detail, "put aside as a dead letter");
        settle(message, AckKind::Term).await
    }

    async fn find(&self) -> Result<PullConsumer, Error> {
        let (name, stream) = (self.consumer.name(), self.consumer.stream());
        let found = self.connection.jetstream.get_consumer_from_stream(name, stream).await;
        match found {
            Ok(consumer) => {
                self.health.consuming();
                telemetry::backlog(name, consumer.cached_info());
                Ok(consumer)
            }
            Err(error) => {
                self.health.stopped();
                Err(Error::unavailable(error))
            }
        }
    }
}

impl Taken {
    /// Nothing is left to do.
    ///
    /// # Errors
    /// [`Error`]; then it comes again.
    pub async fn done(self) -> Result<(), Error> {
        settle(&self.message, AckKind::Ack).await
    }

    /// It can never be handled: puts it aside as a dead letter.
    ///
    /// # Errors
    /// [`Error`]; then it comes again.
    pub async fn reject(self, timers: &DueTimers, rejection: &Rejection) -> Result<(), Error> {
        timers.bury(&self.message, rejection).await
    }

    /// It is to come again after this time.
    ///
    /// # Errors
    /// [`Error`]; then it comes again all the same.
    pub async fn later(self, after: Duration) -> Result<(), Error> {
        settle(&self.message, AckKind::Nak(Some(after))).await
    }
}

async fn settle(message: &Message, kind: AckKind) -> Result<(), Error> {
    message.ack_with(kind).await.map_err(Error::unavailable)
}
