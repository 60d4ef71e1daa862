use std::sync::{Arc, Mutex};

use proofline_broker::{Cluster, Detour, Options};

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

#[tokio::test]
async fn members_find_each_other_by_the_detour_and_all_return_with_their_data() {
    let dir = tempfile::tempdir().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let record = asked.clone();
    let detour = Detour::new(move |from, to, port| {
        record.lock().unwrap().push((from, to));
        port
    });
    let options =
        Options { dir: dir.path().to_owned(), detour: Some(detour), ..Options::default() };
    let mut cluster = Cluster::start_with(options, 3).await.unwrap();
    let context = facts_stream(&cluster.urls()[0], 3).await;
    let before = publish(&context, "before").await;
    let told = context.client().server_info().connect_urls;
    assert!(told.len() <= 1, "clients are told of others: {told:?}");

    cluster.restart_all().await.unwrap();

    let returned = facts_stream(&cluster.urls()[1], 3).await;
    assert!(publish(&returned, "after").await > before);
    asked.lock().unwrap().truncate(6);
    assert_eq!(*asked.lock().unwrap(), [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]);
}
