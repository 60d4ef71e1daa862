//! A worker under observation, and the two kinds of messages it may get.

use std::{
    future::Future,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::jetstream::{self, message::StreamMessage};
use futures_util::TryStreamExt;
use proofline_events::{Service, VerificationKey};
use proofline_journal::{
    Journal, TimerKind,
    topology::{Consumer, DEAD_LETTERS},
    worker::{Failure, Handled, Health, Worker},
};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::harness::{
    Broker, callback, consumer_info, equal, eventually, now, provision, set_ack_wait,
};

/// One delivery, as the handler saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) key: VerificationKey,
    pub(crate) deliveries: i64,
    pub(crate) at: Instant,
}

/// A kind of message that workers handle.
pub(crate) trait Kind {
    const CONSUMER: Consumer;

    /// Has one message about `key` delivered to the consumer.
    async fn send(broker: &Broker, key: &VerificationKey);

    fn run<H, F>(worker: Worker, handler: H) -> impl Future<Output = ()> + Send + 'static
    where
        H: Fn(Seen) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Handled, Failure>> + Send + 'static;
}

pub(crate) struct Events;

impl Kind for Events {
    const CONSUMER: Consumer = Consumer::ResultNormaliserSignals;

    async fn send(broker: &Broker, key: &VerificationKey) {
        broker.sink().await.append(key, callback("a"), now()).await.unwrap();
    }

    async fn run<H, F>(worker: Worker, handler: H)
    where
        H: Fn(Seen) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        let handler = move |delivery: proofline_journal::worker::Delivery<_>| {
            let recorded: proofline_events::Recorded = delivery.message;
            handler(Seen::new(recorded.key, delivery.deliveries))
        };
        worker.run_events(handler).await;
    }
}

pub(crate) struct Timers;

impl Kind for Timers {
    const CONSUMER: Consumer = Consumer::VerifierDeadline;

    async fn send(broker: &Broker, key: &VerificationKey) {
        let journal = Journal::new(broker.connect().await, Service::Verifier);
        journal.set_timer(TimerKind::Deadline, key, now()).await.unwrap();
    }

    async fn run<H, F>(worker: Worker, handler: H)
    where
        H: Fn(Seen) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        let handler = move |delivery: proofline_journal::worker::Delivery<_>| {
            let due: proofline_journal::Due = delivery.message;
            handler(Seen::new(due.key, delivery.deliveries))
        };
        worker.run_timers(handler).await;
    }
}

impl Seen {
    fn new(key: VerificationKey, deliveries: i64) -> Self {
        Self { key, deliveries, at: Instant::now() }
    }
}

/// A broker, and all that its workers saw.
pub(crate) struct Bench<K> {
    pub(crate) broker: Broker,
    seen: Arc<Mutex<Vec<Seen>>>,
    kind: PhantomData<K>,
}

/// A worker at work; dropping it does not stop it.
pub(crate) struct Running {
    pub(crate) health: Health,
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

impl<K: Kind> Bench<K> {
    pub(crate) async fn new() -> Self {
        Self::on(Broker::provisioned().await)
    }

    pub(crate) fn on(broker: Broker) -> Self {
        Self { broker, seen: Arc::default(), kind: PhantomData }
    }

    /// A bench whose consumer waits only a second for a sign of life.
    pub(crate) async fn with_short_ack_wait() -> Self {
        let bench = Self::new().await;
        set_ack_wait(&bench.raw().await, K::CONSUMER, Duration::from_secs(1)).await;
        bench
    }

    pub(crate) async fn send(&self, key: &VerificationKey) {
        K::send(&self.broker, key).await;
    }

    pub(crate) async fn raw(&self) -> jetstream::Context {
        self.broker.raw().await
    }

    pub(crate) async fn provision(&self) {
        provision(&self.broker.connect().await, 1).await.unwrap();
    }

    /// Starts a worker.
    pub(crate) async fn work<H, F>(&self, concurrency: usize, handler: H) -> Running
    where
        H: Fn(Seen) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Handled, Failure>> + Send + 'static,
    {
        let (connection, stop) = (self.broker.connect().await, CancellationToken::new());
        let worker = Worker::new(connection, K::CONSUMER, concurrency, stop.clone());
        let (health, log) = (worker.health(), Arc::clone(&self.seen));
        let observed = move |seen: Seen| {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(seen.clone());
            handler(seen)
        };
        Running { health, stop, task: tokio::spawn(K::run(worker, observed)) }
    }

    /// Every delivery so far, of this verification.
    pub(crate) fn seen(&self, key: &VerificationKey) -> Vec<Seen> {
        let all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|seen| seen.key == *key).cloned().collect()
    }

    /// Waits for so many deliveries, and answers them.
    pub(crate) async fn sees(&self, key: &VerificationKey, deliveries: usize) -> Vec<Seen> {
        let what = format!("delivered {deliveries} times");
        eventually(&what, async || {
            let seen = self.seen(key);
            if seen.len() >= deliveries { Ok(seen) } else { Err(format!("{seen:?}")) }
        })
        .await
    }

    /// Waits until the server has nothing left to deliver, now or later.
    pub(crate) async fn settles(&self) {
        let raw = self.raw().await;
        eventually("settled", async || {
            let info = consumer_info(&raw, K::CONSUMER).await;
            equal((info.num_pending, info.num_ack_pending), (0, 0))
        })
        .await;
    }

    /// Waits until so many messages are delivered and not acknowledged.
    pub(crate) async fn has_outstanding(&self, count: usize) {
        let raw = self.raw().await;
        eventually("outstanding", async || {
            equal(consumer_info(&raw, K::CONSUMER).await.num_ack_pending, count)
        })
        .await;
    }

    /// Waits for so many dead letters, and answers them, oldest first.
    pub(crate) async fn dead_letters(&self, count: u64) -> Vec<StreamMessage> {
        let raw = self.raw().await;
        let stream = raw.get_stream(DEAD_LETTERS).await.unwrap();
        let last = eventually("so many dead letters", async || {
            let state = stream.get_info().await.unwrap().state;
            equal(state.messages, count).map(|()| state.last_sequence)
        })
        .await;
        let sequences = (1..=last).map(Ok);
        futures_util::stream::iter(sequences)
            .and_then(|sequence| stream.get_raw_message(sequence))
            .try_collect()
            .await
            .unwrap()
    }
}

/// A handler that has nothing to do.
pub(crate) async fn done(_: Seen) -> Result<Handled, Failure> {
    Ok(Handled::Done)
}
