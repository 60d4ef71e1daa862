//! What holds for every consumer.

use std::{sync::Arc, time::Duration};

use proofline_journal::worker::{Failure, Handled, Rejection};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use super::bench::{Bench, Kind, Seen, done};
use crate::harness::{Broker, equal, eventually, fresh_key};

/// Far below the 15 s after which the server takes a silent worker for dead.
const AT_ONCE: Duration = Duration::from_secs(5);

pub(super) async fn a_handled_message_is_gone<K: Kind>() {
    let bench = Bench::<K>::new().await;
    let key = fresh_key();
    let worker = bench.work(2, done).await;

    bench.send(&key).await;

    assert_eq!(bench.sees(&key, 1).await[0].deliveries, 1);
    bench.settles().await;
    assert_eq!(worker.health.check(), Ok(()));
    worker.stop.cancel();
    worker.task.await.unwrap();
    assert!(worker.health.check().is_err());
    assert_eq!(bench.seen(&key).len(), 1);
}

pub(super) async fn what_is_to_be_tried_again_comes_again_later_each_time<K: Kind>() {
    let bench = Bench::<K>::new().await;
    let (asked, backing_off) = (fresh_key(), fresh_key());
    let known = asked.clone();
    let _worker = bench
        .work(2, move |seen| {
            let after = (seen.key == known).then_some(Duration::from_millis(700));
            async move {
                if seen.deliveries < 3 {
                    return Err(Failure::Retry { after, cause: "Assure is away".to_owned() });
                }
                Ok(Handled::Done)
            }
        })
        .await;

    bench.send(&asked).await;
    bench.send(&backing_off).await;

    let (asked, backing_off) = (bench.sees(&asked, 3).await, bench.sees(&backing_off, 3).await);
    assert_eq!(asked.iter().map(|seen| seen.deliveries).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(gaps(&asked).iter().all(|gap| *gap >= Duration::from_millis(690)), "{asked:?}");
    let gaps = gaps(&backing_off);
    assert!(gaps[0] >= Duration::from_millis(180), "{gaps:?}");
    assert!(gaps[1] >= Duration::from_millis(370), "{gaps:?}");
    bench.settles().await;
}

pub(super) async fn what_is_to_come_again_comes_not_before_its_time<K: Kind>() {
    let bench = Bench::<K>::new().await;
    let key = fresh_key();
    let _worker = bench
        .work(2, |seen| async move {
            let is_first = seen.deliveries == 1;
            Ok(if is_first { Handled::Again(Duration::from_secs(1)) } else { Handled::Done })
        })
        .await;

    bench.send(&key).await;

    let seen = bench.sees(&key, 2).await;
    let gap = gaps(&seen)[0];
    assert!((Duration::from_millis(990)..AT_ONCE).contains(&gap), "{gap:?}");
    bench.settles().await;
    assert_eq!(bench.seen(&key).len(), 2);
}

pub(super) async fn a_rejected_message_is_put_aside_and_does_not_come_again<K: Kind>() {
    let bench = Bench::<K>::new().await;
    let (bad, good) = (fresh_key(), fresh_key());
    let known = bad.clone();
    let _worker = bench
        .work(1, move |seen| {
            let is_bad = seen.key == known;
            async move {
                if is_bad && seen.deliveries == 1 {
                    return Err(Failure::retry("something is away at first"));
                }
                if is_bad {
                    let detail = "the first line\r\nand the second".to_owned();
                    return Err(Failure::Reject(Rejection { code: "no-such-thing", detail }));
                }
                Ok(Handled::Done)
            }
        })
        .await;

    bench.send(&bad).await;
    bench.send(&good).await;

    let letter = bench.dead_letters(1).await.remove(0);
    bench.sees(&good, 1).await;
    bench.settles().await;
    assert_eq!(bench.seen(&bad).len(), 2);
    let consumer = K::CONSUMER.name();
    assert_eq!(letter.subject.as_str(), format!("proofline.dead.v1.{consumer}.{bad}"));
    let header = |name: &str| letter.headers.get(name).unwrap().as_str();
    assert_eq!(header("proofline-dead-reason"), "no-such-thing");
    assert_eq!(header("proofline-dead-detail"), "the first line  and the second");
    assert_eq!(header("proofline-dead-first-error"), "something is away at first");
    assert_eq!(header("proofline-dead-attempts"), "2");
    assert_eq!(header("proofline-dead-consumer"), consumer);
    assert!(header("proofline-dead-subject").ends_with(&bad.to_string()));
}

pub(super) async fn a_message_whose_handler_always_panics_is_put_aside_after_five_deliveries<
    K: Kind,
>() {
    let bench = Bench::<K>::new().await;
    let (bad, good) = (fresh_key(), fresh_key());
    let known = bad.clone();
    let worker = bench
        .work(1, move |seen| {
            let is_bad = seen.key == known;
            async move {
                assert!(!is_bad, "a bug in the handler");
                Ok(Handled::Done)
            }
        })
        .await;

    bench.send(&bad).await;
    bench.send(&good).await;

    bench.sees(&good, 1).await;
    let letter = bench.dead_letters(1).await.remove(0);
    bench.settles().await;
    assert_eq!(bench.seen(&bad).len(), 5);
    assert_eq!(letter.headers.get("proofline-dead-reason").unwrap().as_str(), "bug");
    assert_eq!(letter.headers.get("proofline-dead-attempts").unwrap().as_str(), "5");
    assert_eq!(worker.health.check(), Ok(()));
}

/// More messages than there are handlers: those that wait for one must not be delivered twice
/// either.
pub(super) async fn slow_handlers_keep_their_messages<K: Kind>() {
    let bench = Bench::<K>::with_short_ack_wait().await;
    let keys: Vec<_> = (0..6).map(|_| fresh_key()).collect();
    for key in &keys {
        bench.send(key).await;
    }

    let _worker = bench
        .work(2, |_| async {
            work_for(Duration::from_millis(1500)).await;
            Ok(Handled::Done)
        })
        .await;

    for key in &keys {
        bench.sees(key, 1).await;
    }
    bench.settles().await;
    for key in &keys {
        let deliveries: Vec<_> = bench.seen(key).iter().map(|seen| seen.deliveries).collect();
        assert_eq!(deliveries, [1]);
    }
}

pub(super) async fn stopping_finishes_what_is_begun_and_gives_back_the_rest_at_once<K: Kind>() {
    let bench = Bench::<K>::new().await;
    let keys: Vec<_> = (0..6).map(|_| fresh_key()).collect();
    for key in &keys {
        bench.send(key).await;
    }
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let stopped = bench
        .work(2, move |_| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                Ok(Handled::Done)
            }
        })
        .await;
    let begun = eventually("busy", async || {
        let begun: Vec<_> = keys.iter().filter(|key| !bench.seen(key).is_empty()).collect();
        equal(begun.len(), 2).map(|()| begun)
    })
    .await;

    stopped.stop.cancel();
    let asked = Instant::now();
    let _other = bench.work(4, done).await;

    let rest: Vec<_> = keys.iter().filter(|key| !begun.contains(key)).collect();
    for key in &rest {
        let seen = bench.sees(key, 1).await;
        assert!(seen[0].at < asked + AT_ONCE, "after {:?}", seen[0].at - asked);
    }
    bench.has_outstanding(2).await;
    assert!(!stopped.task.is_finished());
    opened.add_permits(2);
    stopped.task.await.unwrap();
    bench.settles().await;
    for key in &keys {
        assert_eq!(bench.seen(key).len(), 1);
    }
}

pub(super) async fn what_a_dead_worker_had_comes_to_another<K: Kind>() {
    let bench = Bench::<K>::with_short_ack_wait().await;
    let key = fresh_key();
    let dying = bench.work(1, |_| std::future::pending()).await;
    bench.send(&key).await;
    bench.sees(&key, 1).await;

    dying.task.abort();
    let _other = bench.work(1, done).await;

    assert_eq!(bench.sees(&key, 2).await[1].deliveries, 2);
    bench.settles().await;
}

pub(super) async fn work_goes_on_after_the_broker_was_killed<K: Kind>() {
    // The server may have forgotten that the first one was acknowledged, and waits for that again.
    let mut bench = Bench::<K>::with_short_ack_wait().await;
    let (before, after) = (fresh_key(), fresh_key());
    let _worker = bench.work(2, done).await;
    bench.send(&before).await;
    bench.sees(&before, 1).await;

    bench.broker.crash().await;
    bench.send(&after).await;

    bench.sees(&after, 1).await;
    bench.settles().await;
}

pub(super) async fn work_goes_on_after_the_consumer_was_made_anew<K: Kind>() {
    let bench = Bench::<K>::new().await;
    let key = fresh_key();
    let worker = bench.work(2, done).await;
    eventually("consuming", async || worker.health.check()).await;
    let raw = bench.raw().await;
    let stream = crate::harness::consumer_info(&raw, K::CONSUMER).await.stream_name;

    raw.delete_consumer_from_stream(K::CONSUMER.name(), stream).await.unwrap();
    eventually("unready", async || match worker.health.check() {
        Ok(()) => Err("still ready".to_owned()),
        Err(_) => Ok(()),
    })
    .await;
    bench.provision().await;
    bench.send(&key).await;

    bench.sees(&key, 1).await;
    assert_eq!(worker.health.check(), Ok(()));
}

pub(super) async fn a_worker_started_too_early_waits_unready<K: Kind>() {
    let bench = Bench::<K>::on(Broker::bare().await);
    let key = fresh_key();
    let worker = bench.work(2, done).await;
    let reason = worker.health.check().unwrap_err();
    let wanted = format!("consumer {} is not there;", K::CONSUMER.name());
    assert!(reason.starts_with(&wanted), "{reason}");

    bench.provision().await;
    eventually("ready", async || worker.health.check()).await;
    bench.send(&key).await;

    bench.sees(&key, 1).await;
    bench.settles().await;
}

fn gaps(seen: &[Seen]) -> Vec<Duration> {
    seen.windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

#[expect(clippy::disallowed_methods, reason = "work that takes its time is what is tested")]
async fn work_for(duration: Duration) {
    sleep(duration).await;
}
