//! Timers, as the service hears of them.

use proofline_events::Service;
use proofline_journal::{
    Due, TimerKind,
    topology::{Consumer, TIMERS},
    worker::{Handled, Worker},
};
use time::OffsetDateTime;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::harness::{Broker, PATIENCE, equal, eventually, fresh_key, now, stored};

const SECOND: time::Duration = time::Duration::SECOND;

#[tokio::test]
async fn a_timer_comes_due_when_asked_and_then_is_gone() {
    let broker = Broker::provisioned().await;
    let journal = broker.journal(Service::Verifier).await;
    let mut timers = Heard::listen(&broker).await;
    let (key, at) = (fresh_key(), now() + SECOND);

    journal.set_timer(TimerKind::Deadline, &key, at).await.unwrap();

    let (due, heard_at) = timers.next().await;
    assert_eq!((due.key, due.at), (key, at));
    assert!((at..at + SECOND * 3).contains(&heard_at), "{:?} late", heard_at - at);
    let raw = broker.raw().await;
    eventually("gone", async || equal(stored(&raw, TIMERS).await, 0)).await;
}

#[tokio::test]
async fn a_time_in_the_past_is_due_at_once() {
    let broker = Broker::provisioned().await;
    let journal = broker.journal(Service::Verifier).await;
    let mut timers = Heard::listen(&broker).await;
    let (key, at) = (fresh_key(), now() - SECOND * 3600);

    let set_at = now();
    journal.set_timer(TimerKind::Deadline, &key, at).await.unwrap();

    let (due, heard_at) = timers.next().await;
    assert_eq!((due.key, due.at), (key, at));
    assert!(heard_at < set_at + SECOND * 3, "{:?} late", heard_at - set_at);
}

#[tokio::test]
async fn setting_a_timer_again_keeps_the_first_time() {
    let broker = Broker::provisioned().await;
    let journal = broker.journal(Service::Verifier).await;
    let (key, at) = (fresh_key(), now() + SECOND);

    journal.set_timer(TimerKind::Deadline, &key, at).await.unwrap();
    journal.set_timer(TimerKind::Deadline, &key, at + SECOND * 3600).await.unwrap();
    journal.set_timer(TimerKind::Deadline, &key, at - SECOND * 3600).await.unwrap();
    let mut timers = Heard::listen(&broker).await;

    let (due, _) = timers.next().await;
    assert_eq!((due.key, due.at), (key, at));
    let raw = broker.raw().await;
    eventually("the only one", async || equal(stored(&raw, TIMERS).await, 0)).await;
}

#[tokio::test]
async fn timers_outlive_the_server_also_those_that_come_due_in_its_absence() {
    let mut broker = Broker::provisioned().await;
    let journal = broker.journal(Service::Verifier).await;
    let (soon, later) = ((fresh_key(), now() + SECOND / 10), (fresh_key(), now() + SECOND * 2));
    for (key, at) in [&soon, &later] {
        journal.set_timer(TimerKind::Deadline, key, *at).await.unwrap();
    }

    broker.server.kill().await.unwrap();
    eventually("due", async || if now() > soon.1 { Ok(()) } else { Err(String::new()) }).await;
    broker.server.restart().await.unwrap();
    let mut timers = Heard::listen(&broker).await;

    for (key, at) in [soon, later] {
        let (due, heard_at) = timers.next().await;
        assert_eq!((due.key, due.at), (key, at));
        assert!(heard_at >= at);
    }
}

/// The timers that a worker was given, and when.
pub(crate) struct Heard(mpsc::UnboundedReceiver<(Due, OffsetDateTime)>);

impl Heard {
    pub(crate) async fn listen(broker: &Broker) -> Self {
        let (heard, timers) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let connection = broker.connect().await;
        let worker = Worker::new(connection, Consumer::VerifierDeadline, 4, stop);
        tokio::spawn(worker.run_timers(move |delivery| {
            heard.send((delivery.message, now())).unwrap();
            std::future::ready(Ok(Handled::Done))
        }));
        Self(timers)
    }

    pub(crate) async fn next(&mut self) -> (Due, OffsetDateTime) {
        let what = format!("no timer within {PATIENCE:?}");
        timeout(PATIENCE, self.0.recv()).await.expect(&what).unwrap()
    }
}
