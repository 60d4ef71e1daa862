//! What every test starts from: a broker, connections to it, verifications, and waiting for facts.

use std::{fmt::Display, time::Duration};

use async_nats::jetstream::{
    self,
    consumer::{Info, pull},
    message::StreamMessage,
};
use proofline_broker::{Options, Server};
use proofline_events::{
    Service, VerificationId, VerificationKey,
    v1::{CaptureBy, Flow, SignalSource},
};
use proofline_journal::{
    Connection, Journal, ProvisionError, ProvisionSettings, Retention, Settings, Signal,
    SignalSink,
    topology::{Consumer, TIMERS, VERIFICATIONS},
};
use proofline_settings::{Reader, Source};
use proofline_verification::{Command, Observation, ProcessDetails, Request};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long anything that is waited for may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One nats-server and its directory.
pub(crate) struct Broker {
    pub(crate) server: Server,
    pub(crate) dir: TempDir,
}

impl Broker {
    /// A server on which nothing has been made yet.
    pub(crate) async fn bare() -> Self {
        Self::with("").await
    }

    /// The same, with lines added to its configuration.
    pub(crate) async fn with(extra: &str) -> Self {
        Self::start(Options { extra: extra.to_owned(), ..Options::default() }).await
    }

    /// A server with everything, that writes each message to the disk before it acknowledges it.
    pub(crate) async fn that_syncs_always() -> Self {
        let broker = Self::start(Options { sync_always: true, ..Options::default() }).await;
        provision(&broker.connect().await, 1).await.unwrap();
        broker
    }

    async fn start(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { dir: dir.path().join("broker"), ..options };
        Self { server: Server::start(options).await.unwrap(), dir }
    }

    /// A server with every stream, bucket and consumer.
    pub(crate) async fn provisioned() -> Self {
        let broker = Self::bare().await;
        provision(&broker.connect().await, 1).await.unwrap();
        broker
    }

    pub(crate) async fn connect(&self) -> Connection {
        connect(&[self.server.url()]).await
    }

    pub(crate) async fn journal(&self, service: Service) -> Journal {
        Journal::new(self.connect().await, service)
    }

    pub(crate) async fn sink(&self) -> SignalSink {
        SignalSink::new(&self.connect().await, Service::CallbackReceiver)
    }

    /// The server as any NATS client sees it.
    pub(crate) async fn raw(&self) -> jetstream::Context {
        raw(&[self.server.url()]).await
    }

    /// The server dies and comes back with its data.
    pub(crate) async fn crash(&mut self) {
        self.server.kill().await.unwrap();
        self.server.restart().await.unwrap();
    }
}

pub(crate) async fn connect(urls: &[String]) -> Connection {
    let mut reader = Reader::new(&Source::from_pairs([("PROOFLINE_NATS_URL", urls.join(","))]));
    let settings = Settings::read(&mut reader);
    let settings = reader.finish(settings).unwrap();
    Connection::open(&settings, "journal-tests").await.unwrap()
}

pub(crate) async fn raw(urls: &[String]) -> jetstream::Context {
    let addresses: Vec<async_nats::ServerAddr> =
        urls.iter().map(|url| url.parse().unwrap()).collect();
    jetstream::new(async_nats::connect(addresses).await.unwrap())
}

pub(crate) async fn provision(
    connection: &Connection,
    replicas: usize,
) -> Result<Vec<String>, ProvisionError> {
    let retention = Retention { events: 90 * DAY, results: 30 * DAY };
    provision_as(connection, ProvisionSettings { replicas, retention }, false).await
}

pub(crate) async fn provision_as(
    connection: &Connection,
    settings: ProvisionSettings,
    accepts_loss: bool,
) -> Result<Vec<String>, ProvisionError> {
    let subscribers = [("acme".to_owned(), "billing".to_owned())];
    proofline_journal::provision(connection, settings, &subscribers, accepts_loss).await
}

/// A durable as the server describes it.
pub(crate) async fn consumer_info(raw: &jetstream::Context, consumer: Consumer) -> Info {
    for stream in [VERIFICATIONS, TIMERS] {
        let found = raw.get_consumer_from_stream::<pull::Config, _, _>(consumer.name(), stream);
        if let Ok(consumer) = found.await {
            return consumer.cached_info().clone();
        }
    }
    panic!("no consumer {}", consumer.name());
}

/// Changes a durable's `ack_wait`, as an operator may.
pub(crate) async fn set_ack_wait(raw: &jetstream::Context, consumer: Consumer, wait: Duration) {
    let info = consumer_info(raw, consumer).await;
    let config = pull::Config {
        durable_name: Some(info.name),
        filter_subjects: info.config.filter_subjects,
        ack_policy: info.config.ack_policy,
        ack_wait: wait,
        max_ack_pending: info.config.max_ack_pending,
        ..Default::default()
    };
    raw.update_consumer_on_stream(config, info.stream_name).await.unwrap();
}

/// The last message on a subject.
pub(crate) async fn last_on(
    raw: &jetstream::Context,
    stream: &str,
    subject: &str,
) -> StreamMessage {
    let stream = raw.get_stream_no_info(stream).await.unwrap();
    stream.get_last_raw_message_by_subject(subject).await.unwrap()
}

pub(crate) async fn stored(raw: &jetstream::Context, stream: &str) -> u64 {
    raw.get_stream(stream).await.unwrap().cached_info().state.messages
}

/// A verification of its own for everyone who asks.
pub(crate) fn fresh_key() -> VerificationKey {
    VerificationKey {
        id: VerificationId::from_bytes(uuid::Uuid::new_v4().into_bytes()),
        ..VerificationKey::parse("acme", "vrf_00000000000000000000").unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is the edge: its events happen now")]
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

pub(crate) fn request() -> Command {
    Command::Request(Request {
        flow: Flow::Document,
        provider: "onfido".into(),
        process_type: "documentSelfie".into(),
        capture_by: CaptureBy::Upload,
        submit_when: Vec::new(),
        reference: "order-778".into(),
        tags: vec!["web".into()],
        expires_at: now() + DAY,
        resumable: true,
        same_dossier_as: None,
        fingerprint: (vec![1, 2, 3], "k1".into()),
    })
}

pub(crate) fn dossier() -> Command {
    Command::RecordDossier {
        dossier_id: "d1".into(),
        assure_account: String::new(),
        earlier_process_ids: Vec::new(),
    }
}

pub(crate) fn process() -> Command {
    Command::RecordProcess(ProcessDetails { process_id: Some("p1".into()), ..Default::default() })
}

pub(crate) fn conclude(status: &str) -> Command {
    Command::Conclude {
        observation: Observation::Status(status.to_owned()),
        process_id: None,
        signal: Some(SignalSource::Callback),
        result_url: "http://127.0.0.1:8080/v1/verifications/x/result".into(),
    }
}

pub(crate) fn callback(id: impl Display) -> Signal {
    Signal {
        claimed_status: "accepted".into(),
        ..Signal::new(format!("callback.{id}"), SignalSource::Callback)
    }
}

/// Looks until there is an answer; fails with the last thing seen when there is none in time.
pub(crate) async fn eventually<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look().await {
            Ok(answer) => return answer,
            Err(seen) => {
                assert!(Instant::now() < deadline, "not {what} within {PATIENCE:?}: {seen}");
            }
        }
        pause().await;
    }
}

/// `Ok` when they are equal: for [`eventually`].
pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(seen: T, wanted: T) -> Result<(), String> {
    if seen == wanted { Ok(()) } else { Err(format!("{seen:?}, not {wanted:?}")) }
}

#[expect(clippy::disallowed_methods, reason = "between two looks there is nothing to wait for")]
pub(crate) async fn pause() {
    sleep(Duration::from_millis(20)).await;
}
