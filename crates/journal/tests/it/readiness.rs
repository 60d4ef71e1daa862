//! What readiness is told, and waiting for an end.

use futures_util::future::join_all;
use proofline_events::{Service, VerificationKey};
use proofline_journal::{Hint, Journal};
use tokio::time::timeout;

use crate::harness::{
    Broker, PATIENCE, conclude, dossier, eventually, fresh_key, now, provision, request,
};

#[tokio::test]
async fn the_watches_turn_green_with_the_streams_and_red_without_the_server() {
    let mut broker = Broker::bare().await;
    let journal = broker.journal(Service::Verifier).await;
    let watches = [journal.watch(), broker.sink().await.watch()];
    for watch in &watches {
        assert!(watch.check().is_err());
    }

    provision(&broker.connect().await, 1).await.unwrap();
    for watch in &watches {
        eventually("green", async || watch.check()).await;
    }
    broker.server.kill().await.unwrap();
    for watch in &watches {
        eventually("red", async || match watch.check() {
            Ok(()) => Err("still green".to_owned()),
            Err(_) => Ok(()),
        })
        .await;
    }
    broker.server.restart().await.unwrap();
    for watch in &watches {
        eventually("green again", async || watch.check()).await;
    }
}

#[tokio::test]
async fn whoever_waits_for_an_end_reads_it_after_the_next_hints() {
    let broker = Broker::provisioned().await;
    let (waiting, ending) =
        (broker.journal(Service::Intake).await, broker.journal(Service::ResultNormaliser).await);
    let keys = [fresh_key(), fresh_key()];
    let mut hints = Vec::new();
    for key in &keys {
        waiting.execute(key, request(), now()).await.unwrap();
        waiting.execute(key, dossier(), now()).await.unwrap();
        hints.push(Hint::of_the_end(&waiting, key).await.unwrap());
    }

    let ends = async {
        for key in &keys {
            ending.execute(key, conclude("accepted"), now()).await.unwrap();
        }
    };
    let waits = join_all(keys.iter().zip(&mut hints).map(async |(key, hint)| {
        while !has_ended(&waiting, key).await {
            hint.next().await;
        }
    }));

    Box::pin(timeout(PATIENCE, async { tokio::join!(waits, ends) })).await.expect("both are read");
}

async fn has_ended(journal: &Journal, key: &VerificationKey) -> bool {
    let verification = journal.read(key).await.unwrap().verification;
    verification.is_some_and(|verification| verification.end.is_some())
}
