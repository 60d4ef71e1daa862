//! NATS or the consumer is away, or the client is closed.

use std::sync::atomic::Ordering;

use async_nats::StatusCode;
use futures_util::StreamExt;
use proofline_subscriber::{Error, Subscription};

use crate::bench::{Bench, DURABLE, STREAM, eventually};

#[tokio::test]
async fn a_subscription_goes_on_after_the_server_was_killed() {
    // The server may have forgotten what it was told last, and delivers that again.
    let mut bench = Bench::with_short_ack_wait().await;
    let _running = bench.run(bench.subscription(), |_| async { Ok(()) });
    let before = bench.ends().await;
    bench.sees(&before, 1).await;

    bench.server.kill().await.unwrap();
    bench.server.restart().await.unwrap();

    let after = bench.ends().await;
    bench.sees(&after, 1).await;
    bench.settles().await;
}

#[tokio::test]
async fn a_subscription_waits_for_a_consumer_that_is_made_later_or_anew() {
    let bench = Bench::bare("", Vec::new()).await;
    let running = bench.run(bench.subscription(), |_| async { Ok(()) });
    bench.provision().await;
    let first = bench.ends().await;
    bench.sees(&first, 1).await;
    bench.settles().await;

    bench.jetstream().delete_consumer_from_stream(DURABLE, STREAM).await.unwrap();
    bench.provision().await;

    // A consumer that was made anew begins with the oldest event.
    bench.sees(&first, 2).await;
    let second = bench.ends().await;
    bench.sees(&second, 1).await;
    assert!(!running.task.is_finished());
}

#[tokio::test]
async fn a_pull_that_nothing_is_heard_of_is_made_anew() {
    let bench = Bench::new().await;
    let id = bench.ends().await;
    // Pulls go to this test, which passes none on but the second.
    let api = format!("CONSUMER.MSG.NEXT.{STREAM}.{DURABLE}");
    let mut pulls = bench.client.subscribe(format!("SILENT.{api}")).await.unwrap();
    let _running = bench.run(bench.subscription().js_prefix("SILENT"), |_| async { Ok(()) });

    pulls.next().await.unwrap();
    let pull = pulls.next().await.unwrap();
    let (to, reply) = (format!("$JS.API.{api}"), pull.reply.unwrap());
    bench.client.publish_with_reply(to, reply, pull.payload).await.unwrap();

    bench.sees(&id, 1).await;
    bench.settles().await;
}

/// In a cluster, the server that has the pull need not be the one whose connection was lost.
#[tokio::test]
async fn a_pull_that_outlives_its_connection_loses_no_event() {
    let bench = Bench::new().await;
    let api = format!("CONSUMER.MSG.NEXT.{STREAM}.{DURABLE}");
    let mut pulls = bench.client.subscribe(format!("OTHER.{api}")).await.unwrap();
    let client = async_nats::connect(bench.server.url()).await.unwrap();
    let subscription = Subscription::open(client.clone(), DURABLE).unwrap().js_prefix("OTHER");
    let _running = bench.run(subscription, |_| async { Ok(()) });
    let pull = pulls.next().await.unwrap();
    let inbox = pull.reply.unwrap();

    client.force_reconnect().await.unwrap();
    eventually("the connection is made anew", async || {
        let connects = client.statistics().connects.load(Ordering::Relaxed);
        if connects > 1 { Ok(()) } else { Err(connects.to_string()) }
    })
    .await;
    // Keeps the server from forgetting the pull, whatever the subscription does.
    let mut replies = bench.client.subscribe(inbox.clone()).await.unwrap();
    bench.client.publish_with_reply(format!("$JS.API.{api}"), inbox, pull.payload).await.unwrap();
    for _ in 0..3 {
        let heartbeat = replies.next().await.unwrap();
        assert_eq!(heartbeat.status, Some(StatusCode::IDLE_HEARTBEAT));
    }
    let id = bench.ends().await;

    bench.sees(&id, 1).await;
    bench.settles().await;
}

#[tokio::test]
async fn a_closed_client_ends_the_subscription_with_an_error() {
    let bench = Bench::new().await;
    let client = async_nats::connect(bench.server.url()).await.unwrap();
    let subscription = Subscription::open(client.clone(), DURABLE).unwrap();
    let running = bench.run(subscription, |_| async { Ok(()) });
    let id = bench.ends().await;
    bench.sees(&id, 1).await;

    client.drain().await.unwrap();

    let ended = running.task.await.unwrap();
    assert!(matches!(ended, Err(Error::Client(_))), "{ended:?}");
}
