//! What provisioning makes, and what the server then allows.

use std::{collections::BTreeMap, time::Duration};

use async_nats::{
    HeaderMap, header,
    jetstream::{
        self,
        consumer::{self, AckPolicy, DeliverPolicy},
        stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
    },
};
use futures_util::TryStreamExt;
use proofline_events::{EventType, Service};
use proofline_journal::{Error, ProvisionError, ProvisionSettings, Retention, topology::Consumer};

use crate::harness::{
    Broker, connect, consumer_info, dossier, fresh_key, now, provision, provision_as, request,
    stored,
};

const STREAMS: [&str; 9] = [
    "DEAD_LETTERS",
    "KV_DATA_KEYS",
    "KV_DOSSIERS",
    "KV_LEASES",
    "KV_PACE",
    "KV_PARAMETERS",
    "KV_SEALED",
    "TIMERS",
    "VERIFICATIONS",
];

#[tokio::test]
async fn provisioning_twice_makes_the_same_and_keeps_what_is_there() {
    let broker = Broker::bare().await;
    let (connection, raw) = (broker.connect().await, broker.raw().await);

    let first = provision(&connection, 1).await.unwrap();
    let made = (streams(&raw).await, consumers(&raw).await);
    let journal = broker.journal(Service::Intake).await;
    let key = fresh_key();
    journal.execute(&key, request(), now()).await.unwrap();
    let second = provision(&connection, 1).await.unwrap();

    assert!(first.iter().all(|done| done.ends_with(": made")), "{first:?}");
    assert!(second.iter().all(|done| done.ends_with(": as it should be")), "{second:?}");
    assert_eq!(made.0.keys().collect::<Vec<_>>(), STREAMS.iter().collect::<Vec<_>>());
    assert_eq!(made, (streams(&raw).await, consumers(&raw).await));
    assert!(journal.read(&key).await.unwrap().verification.is_some());
}

#[tokio::test]
async fn the_log_has_the_properties_that_its_promises_rest_on() {
    let broker = Broker::provisioned().await;

    let log = &streams(&broker.raw().await).await["VERIFICATIONS"];

    assert_eq!(log.storage, StorageType::File);
    assert_eq!(log.retention, RetentionPolicy::Limits);
    assert_eq!(log.discard, DiscardPolicy::Old);
    assert_eq!(log.max_messages_per_subject, 100);
    assert_eq!(log.max_age, Duration::from_secs(90 * 24 * 60 * 60));
    assert_eq!(log.num_replicas, 1);
    assert!(log.allow_direct && log.deny_purge);
    assert!(!log.allow_rollup && !log.allow_message_schedules && !log.allow_message_ttl);
}

#[tokio::test]
async fn nobody_can_remove_or_replace_an_event_by_publishing_or_purging() {
    let broker = Broker::provisioned().await;
    let (journal, raw) = (broker.journal(Service::Intake).await, broker.raw().await);
    let key = fresh_key();
    journal.execute(&key, request(), now()).await.unwrap();
    let subject = EventType::VerificationRequested.subject(&key);

    let purge = raw.request("STREAM.PURGE.VERIFICATIONS", &()).await.unwrap();
    assert_eq!(refusal(purge), 10110);
    for (name, value, code) in [
        ("Nats-Rollup", "sub", 10111),
        ("Nats-Rollup", "all", 10111),
        ("Nats-TTL", "1s", 10166),
        ("Nats-Schedule", "@at 2000-01-01T00:00:00Z", 10188),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(name, value);
        headers.insert(header::NATS_SCHEDULE_TARGET, EventType::ProcessFinished.subject(&key));
        let sent = raw.publish_with_headers(subject.clone(), headers, "forged".into()).await;
        let refused = sent.unwrap().await.unwrap_err();
        let cause = std::error::Error::source(&refused).unwrap();
        let cause: &jetstream::Error = cause.downcast_ref().unwrap();
        assert_eq!(cause.error_code().0, code, "{name}: {value}");
    }
    assert_eq!(stored(&raw, "VERIFICATIONS").await, 1);
    assert_eq!(journal.timeline(&key, 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn timers_are_a_work_queue_with_schedules_and_buckets_allow_deletes() {
    let broker = Broker::provisioned().await;

    let streams = streams(&broker.raw().await).await;

    let timers = &streams["TIMERS"];
    assert_eq!(timers.retention, RetentionPolicy::WorkQueue);
    assert!(timers.allow_message_schedules);
    assert_eq!(streams["DEAD_LETTERS"].max_age, Duration::from_secs(30 * 24 * 60 * 60));
    assert_eq!(streams["KV_LEASES"].max_age, Duration::from_secs(30));
    // A revision that a newer one pushes out is beyond any delete.
    assert!(streams["KV_DATA_KEYS"].max_messages_per_subject >= 2);
    for (name, config) in &streams {
        assert!(config.allow_direct, "{name}");
        assert_eq!(config.storage, StorageType::File, "{name}");
        assert!(!(name.starts_with("KV_") && config.deny_delete), "{name}");
    }
}

#[tokio::test]
async fn whoever_may_write_a_key_of_a_bucket_can_t_remove_all_of_them_after_provisioning() {
    let broker = Broker::provisioned().await;
    let raw = broker.raw().await;
    // As it was made before it was so.
    let old = streams(&raw).await["KV_DATA_KEYS"].clone();
    raw.update_stream(Config { allow_rollup: true, ..old }).await.unwrap();
    raw.publish("$KV.DATA_KEYS.acme.kept", "value".into()).await.unwrap().await.unwrap();

    provision(&broker.connect().await, 1).await.unwrap();

    let mut headers = HeaderMap::new();
    headers.insert("Nats-Rollup", "all");
    let sent = raw.publish_with_headers("$KV.DATA_KEYS.acme.last", headers, "".into()).await;
    sent.unwrap().await.unwrap_err();
    assert_eq!(stored(&raw, "KV_DATA_KEYS").await, 1);
}

#[tokio::test]
async fn our_consumers_never_lose_a_message_to_a_limit_and_take_their_own_replays() {
    let broker = Broker::provisioned().await;
    let raw = broker.raw().await;

    for consumer in Consumer::ALL {
        let info = consumer_info(&raw, consumer).await;
        assert_eq!(info.config.ack_policy, AckPolicy::Explicit, "{}", info.name);
        assert_eq!(info.config.deliver_policy, DeliverPolicy::All, "{}", info.name);
        assert!(info.config.max_deliver <= 0, "{}", info.name);
        let filters = info.config.filter_subjects;
        if info.stream_name == "VERIFICATIONS" {
            assert!(filters.contains(&format!("proofline.replay.v1.{}.>", info.name)));
        }
    }
}

#[tokio::test]
async fn a_subscriber_has_a_durable_for_the_ends_of_its_tenant() {
    let broker = Broker::provisioned().await;

    let config = &consumers(&broker.raw().await).await["acme-billing"];

    let filters = ["proofline.v1.process-finished.acme.*", "proofline.replay.v1.acme-billing.>"];
    assert_eq!(config.filter_subjects, filters);
    assert_eq!(config.deliver_policy, DeliverPolicy::All);
    assert_eq!(config.ack_policy, AckPolicy::Explicit);
    assert_eq!(config.ack_wait, Duration::from_secs(30));
    assert!(config.max_deliver <= 0);
}

#[tokio::test]
async fn a_server_that_takes_only_small_messages_is_refused_and_left_as_it_is() {
    let broker = Broker::with("max_payload: 1048576").await;
    let connection = broker.connect().await;

    let refused = provision(&connection, 1).await.unwrap_err();

    assert!(
        matches!(&refused, ProvisionError::Journal(Error::Refused(why)) if why.contains("max_payload")),
        "{refused}"
    );
    assert!(streams(&broker.raw().await).await.is_empty());
}

#[tokio::test]
async fn provisioning_without_a_server_can_be_tried_again() {
    let mut broker = Broker::bare().await;
    broker.server.kill().await.unwrap();
    let connection = connect(&[broker.server.url()]).await;

    let failed = provision(&connection, 1).await.unwrap_err();
    assert!(matches!(failed, ProvisionError::Journal(Error::Unavailable(_))), "{failed}");

    broker.server.restart().await.unwrap();
    let journal = broker.journal(Service::Intake).await;
    assert!(matches!(journal.probe().await, Err(Error::Unavailable(_))));
    provision(&broker.connect().await, 1).await.unwrap();
    journal.probe().await.unwrap();
    let missing = journal.execute(&fresh_key(), dossier(), now()).await.unwrap_err();
    assert_eq!(missing.to_string(), "there is no such verification");
}

#[tokio::test]
async fn what_is_there_is_changed_in_place() {
    let broker = Broker::provisioned().await;
    let (connection, raw) = (broker.connect().await, broker.raw().await);
    let journal = broker.journal(Service::Intake).await;
    journal.execute(&fresh_key(), request(), now()).await.unwrap();
    let made = (streams(&raw).await, consumers(&raw).await);
    // As an older version may have made them.
    let old = Config { subjects: vec!["proofline.v1.*.*.*".to_owned()], ..log(&made) };
    raw.update_stream(old).await.unwrap();
    let consumer = made.1["verifier-requests"].clone();
    let fewer = vec![consumer.filter_subjects[0].clone()];
    let fewer = consumer::Config { filter_subjects: fewer, ..consumer };
    let handle = raw.get_stream_no_info("VERIFICATIONS").await.unwrap();
    handle.update_consumer(fewer).await.unwrap();

    let done = provision(&connection, 1).await.unwrap();

    let changed: Vec<_> = done.iter().filter(|done| done.contains(": changed: ")).collect();
    assert_eq!(changed.len(), 2, "{done:?}");
    assert!(changed[0].starts_with("stream VERIFICATIONS: changed: subjects "), "{changed:?}");
    assert!(changed[1].starts_with("consumer verifier-requests of VERIFICATIONS"), "{changed:?}");
    assert_eq!(made, (streams(&raw).await, consumers(&raw).await));
    assert_eq!(stored(&raw, "VERIFICATIONS").await, 1);
}

#[tokio::test]
async fn a_change_that_would_lose_something_is_refused_with_all_the_others() {
    let broker = Broker::provisioned().await;
    let (connection, raw) = (broker.connect().await, broker.raw().await);
    let journal = broker.journal(Service::Intake).await;
    journal.execute(&fresh_key(), request(), now()).await.unwrap();
    // As a newer version may have made it.
    let mut more = consumers(&raw).await["verifier-requests"].clone();
    more.filter_subjects.push("proofline.v1.of-a-newer-version.*.*".to_owned());
    let handle = raw.get_stream_no_info("VERIFICATIONS").await.unwrap();
    handle.update_consumer(more).await.unwrap();
    let before = (streams(&raw).await, consumers(&raw).await);
    let retention = Retention { events: Duration::from_millis(100), results: Duration::ZERO };
    let settings = ProvisionSettings { replicas: 1, retention };
    while first_age(&raw).await < retention.events {}

    let refused = provision_as(&connection, settings, false).await.unwrap_err();

    let ProvisionError::WouldLose(losses) = &refused else { panic!("{refused}") };
    assert_eq!(losses.len(), 2, "{refused}");
    assert!(losses[0].contains("VERIFICATIONS: age 90d to 0s: messages up to"), "{refused}");
    assert!(losses[1].contains("of-a-newer-version.*.* would be brought to nobody"), "{refused}");
    assert_eq!(before, (streams(&raw).await, consumers(&raw).await));
    assert_eq!(stored(&raw, "VERIFICATIONS").await, 1);

    let done = provision_as(&connection, settings, true).await.unwrap();

    assert!(done[0].starts_with("stream VERIFICATIONS: changed: age"), "{done:?}");
    assert_eq!(streams(&raw).await["VERIFICATIONS"].max_age, retention.events);
}

#[tokio::test]
async fn what_an_earlier_version_brought_to_somebody_else_is_no_loss() {
    let broker = Broker::provisioned().await;
    let (connection, raw) = (broker.connect().await, broker.raw().await);
    let mut former = consumers(&raw).await["verifier-requests"].clone();
    former.filter_subjects.push("proofline.v1.process-finished.>".to_owned());
    let handle = raw.get_stream_no_info("VERIFICATIONS").await.unwrap();
    handle.update_consumer(former).await.unwrap();

    provision(&connection, 1).await.unwrap();

    let filters = &consumers(&raw).await["verifier-requests"].filter_subjects;
    let wanted =
        ["proofline.v1.verification-requested.>", "proofline.replay.v1.verifier-requests.>"];
    assert_eq!(filters[..], wanted);
}

/// The age of the oldest event.
async fn first_age(raw: &jetstream::Context) -> Duration {
    let stream = raw.get_stream("VERIFICATIONS").await.unwrap();
    (now() - stream.cached_info().state.first_timestamp).try_into().unwrap_or_default()
}

fn log((streams, _): &(BTreeMap<String, Config>, BTreeMap<String, consumer::Config>)) -> Config {
    streams["VERIFICATIONS"].clone()
}

async fn streams(raw: &jetstream::Context) -> BTreeMap<String, Config> {
    let infos: Vec<_> = raw.streams().try_collect().await.unwrap();
    infos.into_iter().map(|info| (info.config.name.clone(), info.config)).collect()
}

async fn consumers(raw: &jetstream::Context) -> BTreeMap<String, consumer::Config> {
    let mut all = BTreeMap::new();
    for stream in STREAMS {
        let stream = raw.get_stream_no_info(stream).await.unwrap();
        let infos: Vec<consumer::Info> = stream.consumers().try_collect().await.unwrap();
        all.extend(infos.into_iter().map(|info| (info.name, info.config)));
    }
    all
}

fn refusal(answer: jetstream::response::Response<serde_json::Value>) -> u64 {
    match answer {
        jetstream::response::Response::Err { error } => error.error_code().0,
        jetstream::response::Response::Ok(answer) => panic!("not refused: {answer}"),
    }
}
