//! A subscription: its options, and running it.

use std::{future::Future, panic, sync::Arc, time::Duration};

use async_nats::{Client, jetstream::context::ContextBuilder};
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{Delivery, Error, Failure, failures::Failures, lane::Lane, pull::Puller};

/// The stream of all events.
const STREAM: &str = "VERIFICATIONS";
/// As `proofline provision` makes consumers of subscribers.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// How long NATS may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// A durable subscription to the ends of a tenant's verifications.
///
/// See the [crate](crate) for an example.
#[derive(Debug, Clone)]
#[must_use = "a subscription does nothing until it runs"]
pub struct Subscription {
    client: Client,
    durable: String,
    js_prefix: String,
    concurrency: usize,
    ack_wait: Duration,
    give_up_after: Option<u32>,
}

impl Subscription {
    /// A subscription on the durable consumer `<tenant>-<name>` that `proofline provision` made
    /// for a subscriber of the tenants file. Nothing is asked of NATS yet.
    ///
    /// # Errors
    /// [`Error::InvalidDurable`] when the name can't be a consumer's.
    pub fn open(client: Client, durable: impl Into<String>) -> Result<Self, Error> {
        let durable = durable.into();
        let is_name = !durable.is_empty()
            && durable.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !is_name {
            return Err(Error::InvalidDurable);
        }
        Ok(Self {
            client,
            durable,
            js_prefix: "$JS.API".to_owned(),
            concurrency: 1,
            ack_wait: ACK_WAIT,
            give_up_after: None,
        })
    }

    /// How many events are handled at once; 1 unless set, which keeps them in order as long as
    /// none has to be tried again.
    pub fn concurrency(self, concurrency: usize) -> Self {
        Self { concurrency: concurrency.max(1), ..self }
    }

    /// Where JetStream's API is imported, for a subscriber in a NATS account of its own; `$JS.API`
    /// unless set.
    pub fn js_prefix(self, prefix: impl Into<String>) -> Self {
        Self { js_prefix: prefix.into(), ..self }
    }

    /// The consumer's `ack_wait`, if it was changed from the 30 s that `proofline provision`
    /// gives it: a slow handler shows progress three times in this time.
    pub fn ack_wait(self, ack_wait: Duration) -> Self {
        Self { ack_wait: ack_wait.max(Duration::from_millis(30)), ..self }
    }

    /// Puts an event aside as a dead letter when its handler has failed this many times in this
    /// process. What was delivered and never reached a handler does not count, and neither does a
    /// crash of the process. Unless set, an event is tried until it is handled or rejected.
    pub fn give_up_after(self, attempts: u32) -> Self {
        Self { give_up_after: Some(attempts.max(1)), ..self }
    }

    /// Calls the handler with each end until `stop` is cancelled. Handlers at work then finish,
    /// and what came too late for one is given back. Waits for NATS and for the consumer, however
    /// long they are away.
    ///
    /// Dropping the future cuts handlers off where they are; their events come again.
    ///
    /// # Errors
    /// [`Error::Client`] when the client was closed.
    pub async fn run<H, F>(&self, stop: CancellationToken, handler: H) -> Result<(), Error>
    where
        H: Fn(Delivery) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let lane = self.lane();
        let mut lanes = JoinSet::new();
        for _ in 0..self.concurrency {
            lanes.spawn(lane.clone().run(stop.clone(), Arc::clone(&handler)));
        }
        let mut result = Ok(());
        while let Some(ended) = lanes.join_next().await {
            match ended {
                Ok(ended) => result = result.and(ended),
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => panic::resume_unwind(panic),
                    Err(_) => unreachable!("nobody else can cancel a lane"),
                },
            }
        }
        // Whatever was told last is on its way before the process may end.
        let _ = timeout(ANSWER, self.client.flush()).await;
        result
    }

    fn lane(&self) -> Lane {
        let durable = &self.durable;
        // Acknowledgements and dead letters go by subjects that no prefix changes.
        let jetstream = ContextBuilder::new().timeout(ANSWER).ack_timeout(ANSWER);
        Lane {
            durable: durable.as_str().into(),
            puller: Puller {
                client: self.client.clone(),
                jetstream: jetstream.build(self.client.clone()),
                subject: format!("{}.CONSUMER.MSG.NEXT.{STREAM}.{durable}", self.js_prefix),
            },
            ack_wait: self.ack_wait,
            give_up_after: self.give_up_after,
            failures: Failures::default(),
            trouble: Arc::default(),
        }
    }
}
