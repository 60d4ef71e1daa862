//! All workers of one service.

use std::future::Future;

use proofline_events::Recorded;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{Delivery, Failure, Handled, Health, Worker};
use crate::{Connection, Due, topology::Consumer};

/// How many messages of one consumer are handled at once.
const CONCURRENCY: usize = 32;

/// The workers of a service: each consumer in a task of its own, until they are stopped.
#[derive(Debug)]
pub struct Workers {
    connection: Connection,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    healths: Vec<Health>,
}

impl Workers {
    /// No workers yet.
    pub fn new(connection: Connection, stop: CancellationToken) -> Self {
        Self { connection, stop, tasks: JoinSet::new(), healths: Vec::new() }
    }

    /// Begins to handle events of this consumer.
    pub fn events<H, F>(&mut self, consumer: Consumer, handler: H)
    where
        H: Fn(Delivery<Recorded>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        let worker = self.worker(consumer);
        self.tasks.spawn(worker.run_events(handler));
    }

    /// Begins to handle timers of this consumer.
    pub fn timers<H, F>(&mut self, consumer: Consumer, handler: H)
    where
        H: Fn(Delivery<Due>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        let worker = self.worker(consumer);
        self.tasks.spawn(worker.run_timers(handler));
    }

    /// Begins other work that lasts as long as the workers and watches the same stop.
    pub fn other(&mut self, health: Health, work: impl Future<Output = ()> + Send + 'static) {
        self.healths.push(health);
        self.tasks.spawn(work);
    }

    /// How each of them fares, for readiness.
    pub fn healths(&self) -> impl Iterator<Item = Health> {
        self.healths.iter().cloned()
    }

    /// Waits until all have stopped.
    ///
    /// # Errors
    /// When one of them panicked.
    pub async fn finished(mut self) -> Result<(), JoinError> {
        while let Some(ended) = self.tasks.join_next().await {
            ended?;
        }
        Ok(())
    }

    fn worker(&mut self, consumer: Consumer) -> Worker {
        let worker = Worker::new(self.connection.clone(), consumer, CONCURRENCY, self.stop.clone());
        self.healths.push(worker.health());
        worker
    }
}
