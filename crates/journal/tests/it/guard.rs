//! The guard: however many write, and whatever dies meanwhile, each verification ends once.

use async_nats::jetstream::response::Response;
use proofline_broker::Cluster;
use proofline_events::Service;
use proofline_journal::Journal;

use crate::{
    harness::{Broker, connect, eventually, provision, raw},
    race::Race,
};

#[tokio::test]
async fn twenty_writers_make_one_end_each_while_the_server_is_killed() {
    let mut broker = Broker::provisioned().await;
    let race = Race::begin(&[broker.server.url()]).await;

    race.is_run_to(20).await;
    broker.server.kill().await.unwrap();
    race.is_still_on();
    broker.server.restart().await.unwrap();
    race.is_run_to(60).await;
    broker.crash().await;
    race.is_still_on();

    race.has_one_end_each_and_lost_nothing(broker.journal(Service::Intake).await).await;
}

#[tokio::test]
async fn twenty_writers_make_one_end_each_while_a_cluster_loses_its_leaders() {
    let dir = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(dir.path(), 3).await.unwrap();
    let urls = cluster.urls();
    eventually("provisioned", async || {
        provision(&connect(&urls).await, 3).await.map_err(|error| error.to_string())
    })
    .await;
    let race = Race::begin(&urls).await;
    let raw = raw(&urls).await;

    race.is_run_to(20).await;
    let stepped_down: Response<serde_json::Value> =
        raw.request("STREAM.LEADER.STEPDOWN.VERIFICATIONS", &()).await.unwrap();
    assert!(matches!(stepped_down, Response::Ok(_)), "{stepped_down:?}");
    race.is_still_on();
    race.is_run_to(50).await;
    let leader = eventually("led", async || {
        let stream = raw.get_stream("VERIFICATIONS").await.map_err(|error| error.to_string())?;
        let leader = stream.cached_info().cluster.as_ref().and_then(|c| c.leader.clone());
        let leader = leader.ok_or("by nobody")?;
        leader.strip_prefix("broker-").and_then(|n| n.parse().ok()).ok_or(leader)
    });
    let leader: usize = leader.await;
    cluster.kill(leader).await.unwrap();
    race.is_still_on();

    let journal = Journal::new(connect(&urls).await, Service::Intake);
    race.has_one_end_each_and_lost_nothing(journal).await;
}
