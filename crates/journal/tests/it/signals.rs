//! Signals: appended without reading, by whoever may do nothing else.

use std::time::Duration;

use async_nats::jetstream::{message::StreamMessage, stream::Config};
use futures_util::future::join_all;
use proofline_events::{Event, Service, VerificationKey, v1::SignalSource};
use proofline_journal::{Error, Signal, SignalSink, Stored};
use tokio::time::Instant;

use crate::{
    harness::{Broker, callback, connect, eventually, fresh_key, now, provision, request, stored},
    proxy::Proxy,
};

#[tokio::test]
async fn a_repeated_signal_is_stored_once() {
    let broker = Broker::provisioned().await;
    let (sink, key) = (broker.sink().await, fresh_key());

    assert_eq!(sink.append(&key, callback("a"), now()).await.unwrap(), Stored::New);
    assert_eq!(sink.append(&key, callback("a"), now()).await.unwrap(), Stored::Repeat);
    assert_eq!(sink.append(&key, callback("b"), now()).await.unwrap(), Stored::New);
    let other = fresh_key();
    assert_eq!(sink.append(&other, callback("a"), now()).await.unwrap(), Stored::New);

    assert_eq!(stored(&broker.raw().await, "VERIFICATIONS").await, 3);
}

#[tokio::test]
async fn a_signal_says_where_it_came_from_and_what_it_claims() {
    let broker = Broker::provisioned().await;
    let (sink, key) = (broker.sink().await, fresh_key());
    let signal = Signal {
        claimed_dossier_id: "d1".into(),
        claimed_process_id: "p1".into(),
        claimed_status: "accepted".into(),
        ..Signal::new("webhook.e1".into(), SignalSource::Webhook)
    };

    sink.append(&key, signal, now()).await.unwrap();

    let journal = broker.journal(Service::ResultNormaliser).await;
    let log = journal.timeline(&key, 0).await.unwrap();
    assert_eq!(log[0].envelope.id, format!("{}.webhook.e1", key.id));
    assert_eq!(log[0].envelope.source, "/proofline/callback-receiver");
    let Event::CompletionSignalled(said) = &log[0].event else {
        panic!("another event: {log:?}");
    };
    assert_eq!(said.source(), SignalSource::Webhook);
    let claims = [&said.claimed_dossier_id, &said.claimed_process_id, &said.claimed_status];
    assert_eq!(claims, ["d1", "p1", "accepted"]);
    // A signal alone makes no verification.
    assert!(journal.read(&key).await.unwrap().verification.is_none());
}

#[tokio::test]
async fn whoever_may_only_append_signals_learns_whether_a_verification_was_requested() {
    let broker = Broker::provisioned().await;
    let (sink, journal) = (broker.sink().await, broker.journal(Service::Intake).await);
    let (requested, signalled) = (fresh_key(), fresh_key());
    journal.execute(&requested, request(), now()).await.unwrap();
    sink.append(&signalled, callback("a"), now()).await.unwrap();
    let before = stored(&broker.raw().await, "VERIFICATIONS").await;

    assert!(sink.is_requested(&requested).await.unwrap());
    assert!(!sink.is_requested(&signalled).await.unwrap(), "a signal alone is no request");
    assert!(!sink.is_requested(&fresh_key()).await.unwrap());
    assert_eq!(stored(&broker.raw().await, "VERIFICATIONS").await, before);
}

#[tokio::test]
async fn of_many_signals_the_newest_hundred_are_kept() {
    let broker = Broker::provisioned().await;
    let (sink, key) = (broker.sink().await, fresh_key());

    for id in 0..105 {
        sink.append(&key, callback(id), now()).await.unwrap();
    }

    let journal = broker.journal(Service::ResultNormaliser).await;
    let kept = journal.timeline(&key, 0).await.unwrap();
    assert_eq!(kept.len(), 100);
    assert_eq!(kept[0].envelope.id, format!("{}.callback.5", key.id));
}

#[tokio::test]
async fn a_signal_whose_acknowledgement_is_lost_is_a_repeat_the_next_time() {
    let broker = Broker::provisioned().await;
    let proxy = Proxy::to(broker.server.port()).await;
    let sink = SignalSink::new(&connect(&[proxy.url()]).await, Service::CallbackReceiver);
    let key = fresh_key();
    sink.append(&key, callback("heard"), now()).await.unwrap();

    proxy.lose_answers_from("completion-signalled");
    let unknown = sink.append(&key, callback("lost"), now()).await.unwrap_err();
    assert!(matches!(unknown, Error::Unavailable(_)), "{unknown}");
    proxy.mend();

    let repeat = eventually("answered", async || {
        sink.append(&key, callback("lost"), now()).await.map_err(|error| error.to_string())
    });
    assert_eq!(repeat.await, Stored::Repeat);
    assert_eq!(stored(&broker.raw().await, "VERIFICATIONS").await, 2);
}

#[tokio::test]
async fn the_probe_tells_whether_signals_would_be_stored_and_stores_none() {
    let mut broker = Broker::bare().await;
    let sink = broker.sink().await;
    assert!(sink.probe().await.is_err(), "there is no stream");

    provision(&broker.connect().await, 1).await.unwrap();
    sink.probe().await.unwrap();
    assert_eq!(stored(&broker.raw().await, "VERIFICATIONS").await, 0);

    broker.server.kill().await.unwrap();
    assert!(matches!(sink.probe().await, Err(Error::Unavailable(_))));
    broker.server.restart().await.unwrap();
    eventually("there again", async || sink.probe().await.map_err(|error| error.to_string())).await;
    assert_eq!(stored(&broker.raw().await, "VERIFICATIONS").await, 0);
}

/// So many at once that they wait for each other, on a broker that syncs always.
async fn flood(sink: &SignalSink, keys: &[VerificationKey]) -> Vec<Result<Stored, Error>> {
    join_all(keys.iter().map(|key| sink.append(key, callback("a"), now()))).await
}

/// How many of the last messages went in batches.
async fn batched(broker: &Broker, of_the_last: u64) -> usize {
    let stream = broker.raw().await.get_stream("VERIFICATIONS").await.unwrap();
    let last = stream.cached_info().state.last_sequence;
    let which = last.saturating_sub(of_the_last) + 1..=last;
    let all = join_all(which.map(|sequence| stream.get_raw_message(sequence))).await;
    let is_batched = |message: &StreamMessage| message.headers.get("Nats-Batch-Id").is_some();
    all.into_iter().filter(|message| is_batched(message.as_ref().unwrap())).count()
}

/// Floods until it has been learnt that together they are stored sooner; whose signals are stored then.
/// Where the disk answers at once they never are, and it gives up.
async fn until_they_go_together(broker: &Broker, sink: &SignalSink) -> Vec<VerificationKey> {
    let mut all = Vec::new();
    for _ in 0..40 {
        let keys: Vec<_> = std::iter::repeat_with(fresh_key).take(200).collect();
        assert!(flood(sink, &keys).await.iter().all(|s| *s.as_ref().unwrap() == Stored::New));
        all.extend(keys);
        if batched(broker, 200).await > 100 {
            break;
        }
    }
    all
}

#[tokio::test]
async fn signals_that_wait_together_are_stored_together_each_once() {
    let broker = Broker::that_syncs_always().await;
    let sink = broker.sink().await;
    let began = Instant::now();
    for _ in 0..50 {
        sink.append(&fresh_key(), callback("a"), now()).await.unwrap();
    }
    let each = began.elapsed() / 50;

    let keys = until_they_go_together(&broker, &sink).await;

    // Where the disk answers at once there is nothing to wait for.
    assert!(batched(&broker, 200).await > 100 || each < Duration::from_micros(250), "{each:?}");
    let count = 50 + keys.len() as u64;
    assert_eq!(stored(&broker.raw().await, "VERIFICATIONS").await, count);
    assert!(flood(&sink, &keys).await.iter().all(|s| *s.as_ref().unwrap() == Stored::Repeat));
    assert_eq!(stored(&broker.raw().await, "VERIFICATIONS").await, count);
}

#[tokio::test]
async fn a_repeat_that_another_replica_has_stored_costs_those_it_waits_with_nothing() {
    let broker = Broker::that_syncs_always().await;
    let (sink, other) = (broker.sink().await, broker.sink().await);
    let keys: Vec<_> = std::iter::repeat_with(fresh_key).take(400).collect();
    let before = until_they_go_together(&broker, &sink).await.len() as u64;
    flood(&sink, &keys[..100]).await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    for key in keys[100..].iter().step_by(30) {
        other.append(key, callback("a"), now()).await.unwrap();
    }

    let all: Vec<_> = flood(&sink, &keys[100..]).await.into_iter().map(Result::unwrap).collect();

    let is_repeat = |n: usize| n.is_multiple_of(30);
    for (n, stored) in all.into_iter().enumerate() {
        assert_eq!(stored == Stored::Repeat, is_repeat(n), "{n}");
    }
    assert_eq!(stored(&broker.raw().await, "VERIFICATIONS").await, before + 400);
}

#[tokio::test]
async fn a_stream_that_takes_no_batches_takes_each_signal_alone() {
    let broker = Broker::that_syncs_always().await;
    let (sink, jetstream) = (broker.sink().await, broker.raw().await);
    let stream = jetstream.get_stream("VERIFICATIONS").await.unwrap();
    let config = stream.cached_info().config.clone();
    jetstream.update_stream(Config { allow_atomic_publish: false, ..config }).await.unwrap();

    for _ in 0..10 {
        let keys: Vec<_> = std::iter::repeat_with(fresh_key).take(300).collect();
        let all = flood(&sink, &keys).await;
        assert!(all.into_iter().all(|stored| stored.unwrap() == Stored::New));
    }

    let found = (batched(&broker, 3000).await, stored(&jetstream, "VERIFICATIONS").await);
    assert_eq!(found, (0, 3000));
}

#[tokio::test]
async fn while_nobody_answers_all_who_wait_are_told_so_soon_and_their_repeats_are_stored() {
    let mut broker = Broker::that_syncs_always().await;
    let sink = broker.sink().await;
    let keys: Vec<_> = std::iter::repeat_with(fresh_key).take(600).collect();
    let before = until_they_go_together(&broker, &sink).await.len() as u64;
    flood(&sink, &keys[..200]).await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();

    broker.server.kill().await.unwrap();
    let began = Instant::now();
    for refused in flood(&sink, &keys[200..]).await {
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());

    broker.server.restart().await.unwrap();
    for key in &keys[200..] {
        let stored = async || {
            sink.append(key, callback("a"), now()).await.map_err(|error| error.to_string())
        };
        eventually("stored", stored).await;
    }
    assert_eq!(stored(&broker.raw().await, "VERIFICATIONS").await, before + 600);
}
