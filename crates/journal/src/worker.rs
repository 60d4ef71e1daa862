//! The loop that every consumer runs in.
//!
//! Handlers never acknowledge. They answer what became of a message, and the loop maps that to an
//! acknowledgement, a redelivery with delay and jitter, or a dead letter. While a handler works,
//! the server is shown progress; when the loop is stopped, handlers finish and what was fetched
//! but not begun goes back at once.

mod backlog;
mod delivery;
mod failures;
mod health;
mod verdict;
mod workers;

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::jetstream::AckKind;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{interval, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{Instrument, Span};

use proofline_events::Recorded;

use crate::{
    Connection, Due, Error,
    bus::{Delivered, Messages, Pull},
    dead_letter, telemetry,
    topology::{Consumer, Source},
    trace,
};

pub use delivery::Delivery;
pub(crate) use delivery::timer as read_timer;
use failures::{Failed, Failures};
pub use health::Health;
pub use verdict::{Failure, Handled, Rejection};
use verdict::{retry_delay, settle};
pub use workers::Workers;

/// How long handlers may finish once the loop is stopped; a process is gone within 10 s.
const DRAIN: Duration = Duration::from_secs(7);
/// How long to wait before a consumer that is not there is looked for again.
const REBUILD_DELAY: Duration = Duration::from_secs(1);

/// A consumer and how to run it.
#[derive(Debug, Clone)]
pub struct Worker {
    connection: Connection,
    consumer: Consumer,
    concurrency: usize,
    health: Health,
    failures: Failures,
    stop: CancellationToken,
}

impl Worker {
    /// A worker that handles at most `concurrency` messages at once, until `stop`.
    pub fn new(
        connection: Connection,
        consumer: Consumer,
        concurrency: usize,
        stop: CancellationToken,
    ) -> Self {
        let health = Health::new(consumer.name());
        Self { connection, consumer, concurrency, health, failures: Failures::default(), stop }
    }

    /// Whether it is consuming, for readiness.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Runs a handler for events, until stopped.
    pub async fn run_events<H, F>(self, handler: H)
    where
        H: Fn(Delivery<Recorded>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        self.run(delivery::event, handler).await;
    }

    /// Runs a handler for timers that have come due, until stopped.
    pub async fn run_timers<H, F>(self, handler: H)
    where
        H: Fn(Delivery<Due>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        self.run(delivery::timer, handler).await;
    }

    async fn run<T, H, F>(
        self,
        read: fn(Consumer, &Delivered) -> Result<Delivery<T>, Rejection>,
        handler: H,
    ) where
        T: Send + 'static,
        H: Fn(Delivery<T>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let free = Arc::new(Semaphore::new(self.concurrency));
        let mut in_flight = JoinSet::new();
        let watching = backlog::watch(self.connection.clone(), self.consumer);
        let _watching = AbortOnDropHandle::new(tokio::spawn(watching));
        while !self.stop.is_cancelled() {
            let Some(consumer) = self.find_consumer().await else { continue };
            let ack_wait = consumer.info().ack_wait;
            let mut messages = match consumer.messages().await {
                Ok(messages) => messages,
                Err(error) => {
                    self.rebuild_later(&error).await;
                    continue;
                }
            };
            self.health.consuming();
            while let Some(permit) = self.unless_stopped(Arc::clone(&free).acquire_owned()).await {
                let permit = permit.expect("the semaphore is never closed");
                while in_flight.try_join_next().is_some() {}
                let at_most = 1 + free.available_permits();
                match self.unless_stopped(messages.next(at_most)).await {
                    Some(Ok(message)) => {
                        let (worker, handler) = (self.clone(), Arc::clone(&handler));
                        in_flight.spawn(async move {
                            worker.handle(message, ack_wait, read, handler.as_ref()).await;
                            drop(permit);
                        });
                    }
                    // Heartbeats stopped, the consumer is gone, or the connection broke.
                    Some(Err(error)) => {
                        self.rebuild_later(&error).await;
                        break;
                    }
                    None => break,
                }
            }
            give_back(messages).await;
        }
        self.health.stopped();
        // What takes longer comes again elsewhere: handlers may be cut off anywhere.
        let finish = async { while in_flight.join_next().await.is_some() {} };
        if timeout(DRAIN, finish).await.is_err() {
            tracing::warn!(consumer = self.consumer.name(), "handlers were cut off");
        }
    }

    async fn find_consumer(&self) -> Option<Box<dyn Pull>> {
        let (name, stream) = (self.consumer.name(), self.consumer.stream());
        match self.connection.bus.consumer(stream, name).await {
            Ok(consumer) => Some(consumer),
            Err(error) => {
                self.rebuild_later(&error).await;
                None
            }
        }
    }

    async fn rebuild_later(&self, error: &Error) {
        self.health.stopped();
        tracing::warn!(consumer = self.consumer.name(), %error, "not consuming; trying again");
        self.unless_stopped(pause(REBUILD_DELAY)).await;
    }

    async fn unless_stopped<F: Future>(&self, future: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            output = future => Some(output),
        }
    }

    async fn handle<T, H, F>(
        &self,
        message: Delivered,
        ack_wait: Duration,
        read: fn(Consumer, &Delivered) -> Result<Delivery<T>, Rejection>,
        handler: &H,
    ) where
        H: Fn(Delivery<T>) -> F,
        F: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        let name = self.consumer.name();
        let is_timer = matches!(self.consumer.source(), Source::Timers(_));
        let span = trace::handling(name, &message, is_timer);
        if let Some(position) = &message.position {
            telemetry::delivered(name, position.deliveries == 1);
            telemetry::waiting(name, position.pending);
        }
        let begun = Instant::now();
        async {
            let result = match read(self.consumer, &message) {
                Ok(delivery) => self.with_progress(&message, ack_wait, handler(delivery)).await,
                Err(rejection) => Err(Failure::Reject(rejection)),
            };
            let outcome = self.acknowledge(&message, result).await;
            if matches!(outcome, "retry" | "dead_letter") {
                trace::failed(&Span::current(), outcome);
            }
            telemetry::handled(name, outcome, begun.elapsed());
        }
        .instrument(span)
        .await;
    }

    /// Runs the handler in a task of its own, so that a panic in it is one message's trouble.
    async fn with_progress<F>(
        &self,
        message: &Delivered,
        ack_wait: Duration,
        work: F,
    ) -> Result<Handled, Failure>
    where
        F: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        let mut work = tokio::spawn(work.in_current_span());
        let mut tick = interval(ack_wait / 3);
        tick.tick().await;
        loop {
            tokio::select! {
                biased;
                result = &mut work => return result.unwrap_or(Err(Failure::Bug)),
                _ = tick.tick() => {
                    if let Err(error) = message.settle.settle(AckKind::Progress).await {
                        tracing::debug!(%error, "progress could not be shown");
                    }
                }
            }
        }
    }

    async fn acknowledge(
        &self,
        message: &Delivered,
        result: Result<Handled, Failure>,
    ) -> &'static str {
        let (deliveries, sequence) =
            message.position.map_or((1, 0), |position| (position.deliveries, position.sequence));
        let Failed { bugs, first_error } = self.failures.count(sequence, &result);
        let (mut kind, mut outcome) = settle(&result, deliveries, bugs);
        if let Some(rejection) = verdict::rejection(&result, bugs) {
            let (consumer, first) = (self.consumer.name(), first_error.as_deref());
            let buried =
                dead_letter::bury(&self.connection, consumer, message, &rejection, first).await;
            match buried {
                Ok(()) => {
                    tracing::error!(code = rejection.code, detail = %rejection.detail, "put aside as a dead letter")
                }
                Err(error) => {
                    tracing::error!(%error, code = rejection.code, "could not be put aside; trying again");
                    (kind, outcome) = (AckKind::Nak(Some(retry_delay(deliveries))), "retry");
                }
            }
        }
        if let Err(error) = message.settle.settle(kind).await {
            tracing::warn!(%error, "could not be acknowledged: it will come again");
        }
        outcome
    }
}

/// Returns what was on its way and is not begun, so that another replica has it at once.
async fn give_back(messages: Box<dyn Messages>) {
    for message in messages.close().await {
        if let Err(error) = message.settle.settle(AckKind::Nak(None)).await {
            tracing::debug!(%error, "could not be given back: it will come again");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause between attempts to find a consumer")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
