//! How many connections there are, and how many of one address.

use crate::harness::{Scene, Wire};

const DOOR: &str = "proofline-callback-receiver";
const REQUEST: &str = "GET /return/nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn one_connection_too_many_waits_until_another_ends() {
    let scene = Scene::new().with(DOOR, "PROOFLINE_MAX_CONNECTIONS", 2);
    let stage = scene.with(DOOR, "PROOFLINE_HEADER_TIMEOUT", "2s").start().await;
    let url = &stage.process(DOOR).url;
    let (mut first, mut second) = (Wire::to(url).await, Wire::to(url).await);
    first.send(REQUEST.replace("close", "keep-alive")).await;
    assert!(first.status_line().await.starts_with("HTTP/1.1 404"));
    second.send("GET / HT").await;

    let mut third = Wire::to(url).await;
    third.send(REQUEST).await;

    // Both who were first are idle, and lose their places.
    assert!(third.rest().await.starts_with("HTTP/1.1 404"));
    drop((first, second));
}

#[tokio::test]
async fn an_address_with_as_many_connections_as_it_may_gets_no_more_and_others_do() {
    let scene = Scene::new().with(DOOR, "PROOFLINE_MAX_CONNECTIONS_PER_PEER", 2);
    let stage = scene.start().await;
    let url = &stage.process(DOOR).url;
    let (mut first, mut second) = (Wire::to(url).await, Wire::to(url).await);
    for open in [&mut first, &mut second] {
        open.send(REQUEST.replace("close", "keep-alive")).await;
        assert!(open.status_line().await.starts_with("HTTP/1.1 404"));
    }

    let mut third = Wire::to(url).await;
    third.send(REQUEST).await;
    assert_eq!(third.rest().await, "");
    let mut of_another = Wire::from([127, 0, 0, 2], url).await;
    assert!(of_another.send(REQUEST).await.rest().await.starts_with("HTTP/1.1 404"));

    drop(first);
    crate::harness::eventually("there is a place again", async || {
        let said = Wire::to(url).await.send(REQUEST).await.rest().await;
        if said.starts_with("HTTP/1.1 404") { Ok(()) } else { Err(said) }
    })
    .await;
}
