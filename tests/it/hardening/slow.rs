//! Who sends slowly is cut off, and nobody else waits for them.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::DOORS;
use crate::harness::{Scene, Stage, Wire};

const TIMEOUT: Duration = Duration::from_secs(1);

/// Everybody gives up a sender after a second.
async fn an_impatient_stage() -> Stage {
    let scene = DOORS.into_iter().fold(Scene::new().catching_callbacks(), |scene, door| {
        scene.with(door, "PROOFLINE_HEADER_TIMEOUT", "1s").with(
            door,
            "PROOFLINE_BODY_TIMEOUT",
            "1s",
        )
    });
    scene.start().await
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let stage = an_impatient_stage().await;
    for door in DOORS {
        let url = &stage.process(door).url;
        for (begin, drop) in [("", ""), ("GET / HT", ""), ("GET / HTTP/1.1\r\n", "x-a: b\r\n")] {
            let begun = Instant::now();
            let mut slow = Wire::to(url).await;
            slow.send(begin).await;
            let said =
                if drop.is_empty() { slow.rest().await } else { slow.drip(drop.as_bytes()).await };

            assert!(begun.elapsed() >= TIMEOUT, "{door}: {begin}");
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{door}: {said}");
        }
    }
}

#[tokio::test]
async fn a_body_that_drips_is_cut_off_and_changes_nothing() {
    let stage = an_impatient_stage().await;
    let (given, when, then) = stage.acts();
    let v = given.a_submitted_verification(json!({})).await;
    let callback = when.a_callback_is_caught().await;
    let another = given.a_verification(json!({})).await;
    let upload = another.upload_url("front").strip_prefix(&stage.caller.uploads).unwrap();
    let requests = [
        (
            DOORS[0],
            format!(
                "POST /v1/verifications HTTP/1.1\r\nauthorization: Bearer {}",
                stage.caller.key
            ),
        ),
        (DOORS[1], format!("PUT {upload} HTTP/1.1")),
        (
            DOORS[2],
            format!(
                "POST /callbacks/{} HTTP/1.1\r\nauthorization: {}",
                callback.token,
                callback.authorization.as_deref().unwrap()
            ),
        ),
    ];

    for (door, head) in requests {
        let begun = Instant::now();
        let mut slow = Wire::to(&stage.process(door).url).await;
        slow.send(format!("{head}\r\nhost: x\r\ncontent-length: 60000\r\n\r\n")).await;
        slow.send(b"\xff\xd8\xff\xe0 {").await;
        let said = slow.drip(b" ").await;

        assert!(begun.elapsed() >= TIMEOUT, "{door}");
        assert!(said.starts_with("HTTP/1.1 400"), "{door}: {said}");
    }

    assert!(then.told(&v, "completion-signalled").await.is_empty());
    when.calls_back(&callback).await.says_nothing(200);
    then.ends_as(&v, "accepted", "").await;
    assert_eq!(then.shows(&another).await["images"], json!([]));
    assert_eq!(stage.simulator.count_of("createDossier").await, 2);
}
