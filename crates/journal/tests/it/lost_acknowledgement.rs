//! An event is stored, but nobody hears of it.

use proofline_events::Service;
use proofline_journal::{Error, ExecuteError, Journal};

use crate::{
    harness::{Broker, connect, dossier, eventually, fresh_key, now, process, request},
    proxy::Proxy,
};

#[tokio::test]
async fn an_event_whose_acknowledgement_is_lost_is_found_by_the_repeat() {
    let broker = Broker::provisioned().await;
    let proxy = Proxy::to(broker.server.port()).await;
    let journal = Journal::new(connect(&[proxy.url()]).await, Service::Intake);
    let key = fresh_key();
    journal.execute(&key, request(), now()).await.unwrap();

    proxy.lose_answers_from("dossier-created");
    let unknown = journal.execute(&key, dossier(), now()).await.unwrap_err();
    assert!(matches!(unknown, ExecuteError::Journal(Error::Unavailable(_))), "{unknown}");
    proxy.mend();
    let repeat = eventually("answered", async || {
        journal.execute(&key, dossier(), now()).await.map_err(|error| error.to_string())
    });
    let repeat = repeat.await;

    assert!(repeat.appended.is_empty());
    assert_eq!(repeat.verification.dossier_id.as_deref(), Some("d1"));
    journal.execute(&key, process(), now()).await.unwrap();
    let log = journal.timeline(&key, 0).await.unwrap();
    let told: Vec<_> = log.iter().map(|event| event.event.event_type().name()).collect();
    assert_eq!(told, ["verification-requested", "dossier-created", "process-created"]);
}

#[tokio::test]
async fn without_a_server_commands_fail_in_time_and_succeed_after_its_return() {
    let mut broker = Broker::provisioned().await;
    let (journal, key) = (broker.journal(Service::Intake).await, fresh_key());
    journal.execute(&key, request(), now()).await.unwrap();

    broker.server.kill().await.unwrap();
    let away = journal.execute(&key, dossier(), now()).await.unwrap_err();
    assert!(matches!(away, ExecuteError::Journal(Error::Unavailable(_))), "{away}");
    broker.server.restart().await.unwrap();

    eventually("carried out", async || {
        journal.execute(&key, dossier(), now()).await.map_err(|error| error.to_string())
    })
    .await;
    assert_eq!(journal.timeline(&key, 0).await.unwrap().len(), 2);
}
