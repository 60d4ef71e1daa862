//! Who waits for messages at a consumer, and when each came.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, DeliverPolicy, pull},
};
use futures_util::StreamExt;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

/// Longer than anything may take that says nothing else.
const PATIENCE: Duration = Duration::from_secs(60);

type Seen = Arc<Mutex<HashMap<String, Instant>>>;

/// Watches new messages until it is dropped.
pub(crate) struct Watch {
    seen: Seen,
    count: watch::Receiver<usize>,
    watching: JoinHandle<()>,
}

impl Watch {
    /// Watches what comes from now on.
    pub(crate) async fn begin(
        jetstream: &jetstream::Context,
        stream: &str,
        filter_subject: &str,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("bench-watch-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let config = pull::Config {
            // Who may read ends only makes a consumer by a subject that tells name and filter.
            name: Some(name),
            filter_subject: filter_subject.to_owned(),
            ack_policy: AckPolicy::None,
            deliver_policy: DeliverPolicy::New,
            ..Default::default()
        };
        let stream = jetstream.get_stream_no_info(stream).await.unwrap();
        let consumer = stream.create_consumer(config).await.unwrap();
        let mut messages = consumer.messages().await.unwrap();
        let (seen, (counting, count)) = (Seen::default(), watch::channel(0));
        let writing = seen.clone();
        let watching = tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let now = Instant::now();
                let subject = message.unwrap().subject.clone();
                let id = subject.rsplit('.').next().unwrap_or_default();
                lock(&writing).entry(id.to_owned()).or_insert(now);
                counting.send_modify(|count| *count += 1);
            }
        });
        Self { seen, count, watching }
    }

    /// Waits until so many have come.
    pub(crate) async fn reaches(&mut self, wanted: usize) {
        self.reaches_within(wanted, PATIENCE).await;
    }

    /// Waits for no longer than this.
    pub(crate) async fn reaches_within(&mut self, wanted: usize, patience: Duration) {
        let reached = timeout(patience, async {
            let seen = self.seen.clone();
            self.count.wait_for(|_| lock(&seen).len() >= wanted).await.map(drop)
        })
        .await
        .is_ok();
        assert!(reached, "{} of {wanted} have come", self.distinct());
    }

    /// How many messages have come.
    pub(crate) fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Of how many verifications.
    pub(crate) fn distinct(&self) -> usize {
        lock(&self.seen).len()
    }

    /// When the message came whose subject ends in this word.
    pub(crate) fn came(&self, id: &str) -> Instant {
        lock(&self.seen)[id]
    }

    /// The last word of each subject, and when its first message came.
    pub(crate) fn all(&self) -> Vec<(String, Instant)> {
        lock(&self.seen).iter().map(|(id, came)| (id.clone(), *came)).collect()
    }

    /// When the first came.
    pub(crate) fn first(&self) -> Instant {
        *lock(&self.seen).values().min().unwrap()
    }

    /// When the first message came of the verification that was the first, second, … to have one.
    pub(crate) fn nth(&self, nth: usize) -> Instant {
        let mut came: Vec<_> = lock(&self.seen).values().copied().collect();
        came.sort_unstable();
        came[nth - 1]
    }

    /// When the last came.
    pub(crate) fn last(&self) -> Instant {
        *lock(&self.seen).values().max().unwrap()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

fn lock(seen: &Seen) -> MutexGuard<'_, HashMap<String, Instant>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
