//! How often an event comes, when, and where it goes in between.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use proofline_events::{REPLAY_HEADER, replay_subject};
use proofline_subscriber::{Error, Failure, Outcome, Subscription};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use crate::bench::{Bench, DURABLE, eventually, fresh_key, headers, payload};

/// Far below the 30 s after which the server takes a silent subscriber for dead.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn what_was_handled_does_not_come_again() {
    let bench = Bench::new().await;
    let running = bench.run(bench.subscription(), |_| async { Ok(()) });

    let id = bench.ends().await;

    let (delivery, _) = bench.sees(&id, 1).await.remove(0);
    assert_eq!(delivery.event.outcome(), Outcome::Accepted);
    assert_eq!(delivery.event_id, format!("{id}.process-finished"));
    assert_eq!(delivery.time, SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000));
    assert_eq!((delivery.attempt, delivery.is_replay), (1, false));
    bench.settles().await;
    running.stop.cancel();
    running.task.await.unwrap().unwrap();
    assert_eq!(bench.seen(&id).len(), 1);
}

#[tokio::test]
async fn a_failure_comes_again_later_each_time_or_when_it_was_asked_for() {
    let bench = Bench::new().await;
    let asked = bench.ends().await;
    let known = asked.clone();
    let _running = bench.run(bench.subscription().concurrency(2), move |delivery| {
        let asks = delivery.event.verification_id == known;
        async move {
            match delivery.attempt {
                3 => Ok(()),
                _ if asks => Err(Failure::retry_after(Duration::from_millis(1500), "closed")),
                _ => Err("the ledger is away".into()),
            }
        }
    });
    let other = bench.ends().await;

    let (asked, other) = (bench.sees(&asked, 3).await, bench.sees(&other, 3).await);

    bench.settles().await;
    assert_eq!(other.iter().map(|(delivery, _)| delivery.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(other.iter().all(|(delivery, _)| delivery.event_id == other[0].0.event_id));
    let gaps = |seen: &[(_, Instant)]| -> Vec<_> {
        seen.windows(2).map(|pair| (pair[1].1 - pair[0].1).as_millis()).collect()
    };
    let (asked, other) = (gaps(&asked), gaps(&other));
    assert!(asked.iter().all(|gap| *gap >= 1490), "{asked:?}");
    assert!(other[0] >= 370 && other[1] >= 745, "{other:?}");
}

#[tokio::test]
async fn one_at_a_time_comes_in_order_and_more_come_side_by_side() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(bench.ends().await);
    }
    let order = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&order);
    let running = bench.run(bench.subscription(), move |delivery| {
        let noted = Arc::clone(&noted);
        async move {
            noted.lock().unwrap().push(delivery.event.verification_id);
            Ok(())
        }
    });
    bench.settles().await;
    assert_eq!(*order.lock().unwrap(), ids);
    running.stop.cancel();
    running.task.await.unwrap().unwrap();

    for _ in 0..3 {
        bench.ends().await;
    }
    // None of them ends before all of them have begun.
    let all = Arc::new(tokio::sync::Barrier::new(3));
    let _running = bench.run(bench.subscription().concurrency(3), move |_| {
        let all = Arc::clone(&all);
        async move {
            all.wait().await;
            Ok(())
        }
    });
    bench.settles().await;
}

#[tokio::test]
async fn a_slow_handler_keeps_its_event() {
    let bench = Bench::with_short_ack_wait().await;
    let ids = [bench.ends().await, bench.ends().await];

    let subscription = bench.subscription().ack_wait(Duration::from_secs(1));
    let _running = bench.run(subscription, |_| async {
        work_for(Duration::from_millis(2500)).await;
        Ok(())
    });

    for id in &ids {
        bench.sees(id, 1).await;
    }
    bench.settles().await;
    assert!(ids.iter().all(|id| bench.seen(id).len() == 1));
}

#[tokio::test]
async fn a_stop_lets_handlers_finish_and_leaves_the_rest_to_others_at_once() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(bench.ends().await);
    }
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let stopping = bench.run(bench.subscription().concurrency(2), move |_| {
        let gate = Arc::clone(&gate);
        async move {
            gate.acquire().await.unwrap().forget();
            Ok(())
        }
    });
    for id in &ids[..2] {
        bench.sees(id, 1).await;
    }

    stopping.stop.cancel();
    let asked = Instant::now();
    let _other = bench.run(bench.subscription(), |_| async { Ok(()) });

    for id in &ids[2..] {
        let (_, at) = bench.sees(id, 1).await[0];
        assert!(at < asked + AT_ONCE, "after {:?}", at - asked);
    }
    assert!(!stopping.task.is_finished());
    opened.add_permits(2);
    stopping.task.await.unwrap().unwrap();
    bench.settles().await;
    assert!(ids.iter().all(|id| bench.seen(id).len() == 1));
}

/// A pull that is given up may have been answered in the same moment.
#[tokio::test]
async fn stopping_in_the_moment_of_a_delivery_delays_nothing() {
    const PULLS: usize = 8;
    let bench = Bench::new().await;
    for _ in 0..3 {
        let stopping = bench.run(bench.subscription().concurrency(PULLS), |_| async { Ok(()) });
        eventually("all pulls wait", async || {
            let waiting = bench.info().await.num_waiting;
            if waiting >= PULLS { Ok(()) } else { Err(waiting.to_string()) }
        })
        .await;
        let all_end = futures_util::future::join_all((0..PULLS).map(|_| bench.ends()));
        let (ids, ()) = tokio::join!(all_end, async { stopping.stop.cancel() });
        let asked = Instant::now();
        let other = bench.run(bench.subscription(), |_| async { Ok(()) });

        for id in &ids {
            bench.sees(id, 1).await;
        }
        bench.settles().await;
        assert!(asked.elapsed() < AT_ONCE);
        for running in [stopping, other] {
            running.stop.cancel();
            running.task.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_dropped_comes_to_another() {
    let bench = Bench::with_short_ack_wait().await;
    let dying = bench.run(bench.subscription(), |_| std::future::pending());
    let id = bench.ends().await;
    bench.sees(&id, 1).await;

    dying.task.abort();
    let _other = bench.run(bench.subscription(), |_| async { Ok(()) });

    assert_eq!(bench.sees(&id, 2).await[1].0.attempt, 2);
    bench.settles().await;
}

#[tokio::test]
async fn a_replay_has_the_same_event_id() {
    let bench = Bench::new().await;
    let _running = bench.run(bench.subscription(), |_| async { Ok(()) });
    let key = fresh_key();

    let mut headers = headers(&key);
    headers.push((REPLAY_HEADER, "1".to_owned()));
    bench.publish(&replay_subject(DURABLE, &key), &headers, payload(&key)).await;

    let (delivery, _) = bench.sees(key.id.as_str(), 1).await.remove(0);
    assert_eq!(delivery.event_id, format!("{}.process-finished", key.id));
    assert!(delivery.is_replay);
    bench.settles().await;
}

#[tokio::test]
async fn a_text_that_names_no_consumer_is_refused() {
    let bench = Bench::bare("", Vec::new()).await;
    for bad in ["", "acme.billing", "acme-*", "a b", ">"] {
        let refused = Subscription::open(bench.client.clone(), bad);
        assert!(matches!(refused, Err(Error::InvalidDurable)), "{bad}");
    }
}

#[expect(clippy::disallowed_methods, reason = "work that takes its time is what is tested")]
async fn work_for(duration: Duration) {
    sleep(duration).await;
}
