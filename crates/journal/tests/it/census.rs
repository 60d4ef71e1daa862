//! Counting what is there.

use futures_util::StreamExt;
use proofline_broker::Cluster;
use proofline_events::Service;
use proofline_journal::{Census, Due, Error, ProvisionError, TimerKind};
use tempfile::tempdir;

use crate::harness::{Broker, connect, equal, eventually, fresh_key, now, provision};

#[tokio::test]
async fn a_verification_is_open_for_as_long_as_its_deadline_is_to_come() {
    let broker = Broker::provisioned().await;
    let census = Census::new(broker.connect().await);
    let journal = broker.journal(Service::Verifier).await;
    assert_eq!(census.open_verifications().await.unwrap(), 0);

    let keys = [fresh_key(), fresh_key(), fresh_key()];
    let at = now() + time::Duration::HOUR;
    for key in &keys {
        journal.set_timer(TimerKind::Deadline, key, at).await.unwrap();
        journal.set_timer(TimerKind::Check, key, at).await.unwrap();
    }
    assert_eq!(census.open_verifications().await.unwrap(), 3);

    let due = Due { key: keys[1].clone(), at: now(), round: 0 };
    journal.reset_timer(TimerKind::Deadline, &due).await.unwrap();
    eventually("two", async || equal(census.open_verifications().await.unwrap(), 2)).await;

    journal.remove_timers(&[TimerKind::Deadline], &keys[2]).await.unwrap();
    assert_eq!(census.open_verifications().await.unwrap(), 1);
}

#[tokio::test]
async fn of_a_verifications_timers_those_go_that_are_named() {
    use TimerKind::{Check, Deadline, DeleteInAssure, ExpireResult};
    let broker = Broker::provisioned().await;
    let journal = broker.journal(Service::ResultNormaliser).await;
    let (key, other, at) = (fresh_key(), fresh_key(), now() + time::Duration::HOUR);
    for kind in [Deadline, Check, DeleteInAssure, ExpireResult] {
        journal.set_timer(kind, &key, at).await.unwrap();
        journal.set_timer(kind, &other, at).await.unwrap();
    }

    journal.remove_timers(&[Deadline, Check], &key).await.unwrap();
    journal.remove_timers(&[Deadline, Check], &key).await.unwrap();

    let timers = broker.raw().await.get_stream("TIMERS").await.unwrap();
    let left = timers.info_with_subjects(format!("proofline.timer.v1.at.*.{key}")).await.unwrap();
    let mut left: Vec<_> = left.map(|subject| subject.unwrap().0).collect().await;
    left.sort();
    let kept = ["delete-in-assure", "expire-result"];
    assert_eq!(left, kept.map(|kind| format!("proofline.timer.v1.at.{kind}.{key}")));
    assert_eq!(timers.get_info().await.unwrap().state.messages, 6);
}

#[tokio::test]
async fn a_server_by_itself_is_the_one_replica_of_every_stream() {
    let broker = Broker::provisioned().await;
    let streams = Census::new(broker.connect().await).streams().await.unwrap();
    assert_eq!(streams.len(), 9);
    for stream in &streams {
        let counts = (stream.messages, stream.replicas, stream.current_replicas);
        assert_eq!(counts, (0, 1, 1), "{}", stream.name);
        assert_eq!(stream.oldest, None);
    }
    let letters: Vec<_> = streams.iter().filter_map(|stream| stream.dead_letters()).collect();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].count, letters[0].oldest), (0, None));
}

#[tokio::test]
async fn a_server_of_three_that_is_lost_is_a_replica_less() {
    let dir = tempdir().unwrap();
    let mut cluster = Cluster::start(dir.path(), 3).await.unwrap();
    let connection = connect(&cluster.urls()).await;
    eventually("provisioned", async || match provision(&connection, 3).await {
        Ok(done) => Ok(done),
        Err(ProvisionError::Journal(Error::Unavailable(reason))) => Err(reason),
        Err(error) => panic!("{error}"),
    })
    .await;
    let census = Census::new(connection);
    let replicas = async |wanted: u64| {
        eventually(&format!("{wanted} of 3 replicas"), async || {
            let streams = census.streams().await.map_err(|error| error.to_string())?;
            let seen: Vec<_> = streams.iter().map(|s| (s.replicas, s.current_replicas)).collect();
            equal(seen, vec![(3, wanted); 9])
        })
        .await;
    };
    replicas(3).await;
    cluster.kill(0).await.unwrap();
    replicas(2).await;
}
