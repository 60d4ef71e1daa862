//! A broker with a subscriber's consumer, events for it, and subscriptions that note what they see.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::{
    Client, HeaderMap,
    jetstream::{
        self,
        consumer::{Info, pull},
        message::StreamMessage,
    },
};
use proofline_broker::{Options, Server};
use proofline_events::{
    Envelope, Event, EventType, Service, VerificationId, VerificationKey,
    v1::{Outcome, ProcessFinished},
};
use proofline_journal::{Connection, ProvisionSettings, Retention, Settings};
use proofline_settings::{Reader, Source};
use proofline_subscriber::{CancellationToken, Delivery, Error, Failure, Subscription};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::{
    task::JoinHandle,
    time::{Instant, interval},
};

pub(crate) const DURABLE: &str = "acme-billing";
pub(crate) const STREAM: &str = "VERIFICATIONS";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One nats-server and a client of it.
pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) client: Client,
    seen: Seen,
    login: Vec<(&'static str, String)>,
    _dir: TempDir,
}

/// What handlers were given, by verification.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeMap<String, Deliveries>>>);

/// Each with the time when it came.
type Deliveries = Vec<(Delivery, Instant)>;

/// A subscription at work.
pub(crate) struct Running {
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<Result<(), Error>>,
}

impl Bench {
    /// With the consumer of the subscriber `acme-billing`.
    pub(crate) async fn new() -> Self {
        let bench = Self::bare("", Vec::new()).await;
        bench.provision().await;
        bench
    }

    /// The same, but a message whose subscriber died comes again after a second.
    pub(crate) async fn with_short_ack_wait() -> Self {
        let bench = Self::new().await;
        let config = pull::Config {
            ack_wait: Duration::from_secs(1),
            durable_name: Some(DURABLE.to_owned()),
            filter_subjects: bench.info().await.config.filter_subjects,
            max_ack_pending: 100_000,
            ..Default::default()
        };
        bench.jetstream().update_consumer_on_stream(config, STREAM).await.unwrap();
        bench
    }

    /// Nothing is made yet. `extra` is added to the server's configuration.
    pub(crate) async fn bare(extra: &str, login: Vec<(&'static str, String)>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            dir: dir.path().join("broker"),
            extra: extra.to_owned(),
            ..Options::default()
        };
        let server = Server::start(options).await.unwrap();
        let mut connect = async_nats::ConnectOptions::new();
        if let [(_, user), (_, password)] = login.as_slice() {
            connect = connect
                .user_and_password(user.clone(), password.clone())
                .custom_inbox_prefix(format!("_INBOX_{user}"));
        }
        let client = connect.connect(server.url()).await.unwrap();
        Self { server, client, seen: Seen::default(), login, _dir: dir }
    }

    pub(crate) async fn provision(&self) {
        let url = [("PROOFLINE_NATS_URL", self.server.url())];
        let mut reader = Reader::new(&Source::from_pairs(self.login.iter().cloned().chain(url)));
        let settings = Settings::read(&mut reader);
        let settings = reader.finish(settings).unwrap();
        let connection = Connection::open(&settings, "subscriber-tests").await.unwrap();
        let retention = Retention { events: 90 * DAY, results: 30 * DAY };
        let subscribers = [("acme".to_owned(), "billing".to_owned())];
        let settings = ProvisionSettings { replicas: 1, retention };
        proofline_journal::provision(&connection, settings, &subscribers, false).await.unwrap();
    }

    pub(crate) fn jetstream(&self) -> jetstream::Context {
        jetstream::new(self.client.clone())
    }

    /// The consumer as the server describes it.
    pub(crate) async fn info(&self) -> Info {
        let consumer = self.jetstream().get_consumer_from_stream(DURABLE, STREAM).await;
        let consumer: jetstream::consumer::PullConsumer = consumer.unwrap();
        consumer.cached_info().clone()
    }

    /// A verification ends. Answers its id.
    pub(crate) async fn ends(&self) -> String {
        let key = fresh_key();
        self.publish(&EventType::ProcessFinished.subject(&key), &headers(&key), payload(&key))
            .await;
        key.id.to_string()
    }

    pub(crate) async fn publish(
        &self,
        subject: &str,
        headers: &[(&str, String)],
        payload: Vec<u8>,
    ) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.as_str());
        }
        let jetstream = self.jetstream();
        let sent = jetstream.publish_with_headers(subject.to_owned(), map, payload.into()).await;
        sent.unwrap().await.unwrap();
    }

    pub(crate) fn subscription(&self) -> Subscription {
        Subscription::open(self.client.clone(), DURABLE).unwrap()
    }

    /// Begins to handle, and notes each delivery.
    pub(crate) fn run<H, F>(&self, subscription: Subscription, handler: H) -> Running
    where
        H: Fn(Delivery) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let (stop, seen) = (CancellationToken::new(), self.seen.clone());
        let token = stop.clone();
        let task = tokio::spawn(async move {
            let noting = move |delivery: Delivery| {
                seen.note(&delivery);
                handler(delivery)
            };
            subscription.run(token, noting).await
        });
        Running { stop, task }
    }

    /// What was delivered of a verification so far.
    pub(crate) fn seen(&self, id: &str) -> Deliveries {
        self.seen.0.lock().unwrap().get(id).cloned().unwrap_or_default()
    }

    /// Waits for so many deliveries of it.
    pub(crate) async fn sees(&self, id: &str, times: usize) -> Deliveries {
        eventually(&format!("{times} deliveries of {id}"), async || {
            let seen = self.seen(id);
            if seen.len() >= times { Ok(seen) } else { Err(format!("{seen:?}")) }
        })
        .await
    }

    /// Waits until nothing is left to do.
    pub(crate) async fn settles(&self) {
        eventually("everything is acknowledged", async || {
            let info = self.info().await;
            let left = (info.num_pending, info.num_ack_pending);
            if left == (0, 0) { Ok(()) } else { Err(format!("{left:?}")) }
        })
        .await;
    }

    /// Waits for the only dead letter.
    pub(crate) async fn the_only_dead_letter(&self) -> StreamMessage {
        let jetstream = self.jetstream();
        eventually("there is a dead letter", async || {
            let stream = jetstream.get_stream("DEAD_LETTERS").await.unwrap();
            let stored = stream.cached_info().state.messages;
            if stored != 1 {
                return Err(format!("{stored} of them"));
            }
            Ok(stream.get_raw_message(stream.cached_info().state.last_sequence).await.unwrap())
        })
        .await
    }
}

impl Seen {
    fn note(&self, delivery: &Delivery) {
        let mut seen = self.0.lock().unwrap();
        let of_it = seen.entry(delivery.event.verification_id.clone()).or_default();
        of_it.push((delivery.clone(), Instant::now()));
    }
}

/// Looks until there is an answer; fails with the last thing seen when there is none in time.
pub(crate) async fn eventually<T>(
    fact: &str,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut pace = interval(Duration::from_millis(20));
    loop {
        pace.tick().await;
        match look().await {
            Ok(found) => return found,
            Err(seen) => {
                assert!(Instant::now() < deadline, "never came true: {fact}; last seen: {seen}");
            }
        }
    }
}

/// A verification of its own for everyone who asks.
pub(crate) fn fresh_key() -> VerificationKey {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    VerificationKey {
        id: VerificationId::from_bytes(bytes),
        ..VerificationKey::parse("acme", "vrf_00000000000000000000").unwrap()
    }
}

pub(crate) fn headers(key: &VerificationKey) -> Vec<(&'static str, String)> {
    let time = OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap();
    let event = EventType::ProcessFinished;
    let envelope = Envelope::new(event, key, Service::ResultNormaliser, time);
    envelope.headers(event, key).into()
}

pub(crate) fn payload(key: &VerificationKey) -> Vec<u8> {
    let event = ProcessFinished {
        tenant: key.tenant.to_string(),
        verification_id: key.id.to_string(),
        outcome: Outcome::Accepted.into(),
        ..Default::default()
    };
    Event::from(event).encode()
}
