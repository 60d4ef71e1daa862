use proofline_broker::Cluster;

use crate::{facts_stream, publish, stored};

#[tokio::test]
async fn a_cluster_of_three_survives_the_loss_of_its_leader() {
    let dir = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(dir.path(), 3).await.unwrap();
    assert_eq!(cluster.urls().len(), 3);
    let leader = cluster.leader().await.expect("a ready cluster has a leader");
    let survivor = (leader + 1) % 3;
    let context = facts_stream(&cluster.urls()[survivor], 3).await;
    publish(&context, "with three").await;

    cluster.kill(leader).await.unwrap();
    cluster.wait_until_ready().await.unwrap();
    publish(&context, "with two").await;
    assert_ne!(cluster.leader().await, Some(leader));

    cluster.restart(leader).await.unwrap();
    let returned = facts_stream(&cluster.member(leader).url(), 3).await;
    assert!(stored(&returned).await >= 2);
}
