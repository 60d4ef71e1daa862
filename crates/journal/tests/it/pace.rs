//! What replicas tell each other about an account of Assure.

use std::time::Duration;

use futures_util::future::join_all;
use proofline_assure::Pace;
use proofline_journal::AccountPace;

use crate::harness::{Broker, eventually, now};

const INTERVAL: Duration = Duration::from_secs(1);

async fn pace(broker: &Broker, account: &str) -> AccountPace {
    AccountPace::new(&broker.connect().await, account.to_owned(), now)
}

#[tokio::test]
async fn an_account_that_one_replica_was_told_to_leave_alone_is_left_alone_by_all() {
    let broker = Broker::provisioned().await;
    let (one, other) = (pace(&broker, "a").await, pace(&broker, "a").await);
    let elsewhere = pace(&broker, "b").await;
    assert_eq!(one.remaining().await, None);

    one.hold(Duration::from_secs(60)).await;
    // A shorter time never replaces a longer one.
    other.hold(Duration::from_secs(1)).await;

    for pace in [&one, &other] {
        let remaining = pace.remaining().await.unwrap();
        assert!(remaining > Duration::from_secs(30), "{remaining:?}");
    }
    assert_eq!(elsewhere.remaining().await, None);
}

#[tokio::test]
async fn who_has_just_looked_hears_of_a_wish_at_once() {
    let broker = Broker::provisioned().await;
    let (one, other) = (pace(&broker, "a").await, pace(&broker, "a").await);
    // It looks again only after a second.
    assert_eq!(other.remaining().await, None);
    let looked_at = now();

    one.hold(Duration::from_secs(60)).await;

    eventually("heard", async || match other.remaining().await {
        Some(remaining) => Ok(remaining),
        None => Err("nothing".to_owned()),
    })
    .await;
    assert!(now() - looked_at < Duration::from_millis(700), "{}", now() - looked_at);
}

#[tokio::test]
async fn what_a_replica_was_told_itself_it_knows_without_the_server() {
    let mut broker = Broker::provisioned().await;
    let pace = pace(&broker, "a").await;

    broker.server.kill().await.unwrap();
    pace.hold(Duration::from_secs(60)).await;

    assert!(pace.remaining().await.is_some());
}

#[tokio::test]
async fn of_ten_replicas_one_has_the_round_of_each_interval() {
    let broker = Broker::provisioned().await;
    let mut replicas = Vec::new();
    for _ in 0..10 {
        replicas.push(pace(&broker, "a").await);
    }
    let rounds = async || {
        let asked = join_all(replicas.iter().map(|pace| pace.begin_round(INTERVAL))).await;
        asked.into_iter().filter(|begun| *begun.as_ref().unwrap()).count()
    };

    let begun_at = now();
    assert_eq!(rounds().await, 1);
    let next = eventually("begun again", async || match rounds().await {
        0 => Err("nobody's turn".to_owned()),
        begun => Ok(begun),
    })
    .await;

    assert_eq!(next, 1);
    // A tenth early is allowed, so that a tick at this very interval is not too early.
    assert!(now() - begun_at >= INTERVAL.mul_f64(0.85));
}
