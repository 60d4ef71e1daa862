//! Signals: appended without reading, by whoever may do nothing else.

use proofline_events::{Event, Service, v1::SignalSource};
use proofline_journal::{Error, Signal, SignalSink, Stored};

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
    let sink = SignalSink::new(connect(&[proxy.url()]).await, Service::CallbackReceiver);
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
