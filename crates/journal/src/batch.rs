//! Timers taken together: all that are due now, for whoever handles them as one.

use async_nats::jetstream::AckKind;
use futures_util::StreamExt;
use std::time::Duration;

use crate::{
    Connection, Due, Error,
    bus::{Delivered, Pull},
    dead_letter, telemetry,
    topology::Consumer,
    worker::{Health, Rejection, read_timer},
};

/// A timer that was taken and must be settled.
#[derive(Debug)]
pub struct Taken {
    /// The timer.
    pub due: Due,
    message: Delivered,
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
        let mut messages = consumer.fetch(max).await?;
        let mut all = Vec::new();
        while let Some(message) = messages.next().await {
            let message = message?;
            telemetry::delivered(
                self.consumer.name(),
                message.position.is_some_and(|position| position.deliveries == 1),
            );
            match read_timer(self.consumer, &message) {
                Ok(delivery) => all.push(Taken { due: delivery.message, message }),
                Err(rejection) => self.bury(&message, &rejection).await?,
            }
        }
        Ok(all)
    }

    async fn bury(&self, message: &Delivered, rejection: &Rejection) -> Result<(), Error> {
        let name = self.consumer.name();
        dead_letter::bury(&self.connection, name, message, rejection, None).await?;
        tracing::error!(code = rejection.code, detail = %rejection.detail, "put aside as a dead letter");
        message.settle.settle(AckKind::Term).await
    }

    async fn find(&self) -> Result<Box<dyn Pull>, Error> {
        let (name, stream) = (self.consumer.name(), self.consumer.stream());
        let found = self.connection.bus.consumer(stream, name).await;
        match found {
            Ok(consumer) => {
                self.health.consuming();
                telemetry::backlog(name, consumer.info());
                Ok(consumer)
            }
            Err(error) => {
                self.health.stopped();
                Err(error)
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
        self.message.settle.settle(AckKind::Ack).await
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
        self.message.settle.settle(AckKind::Nak(Some(after))).await
    }
}
