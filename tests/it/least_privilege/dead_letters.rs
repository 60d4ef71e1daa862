//! Each consumer may put aside what it can't read.

use std::collections::BTreeSet;

use async_nats::{HeaderMap, header, jetstream};

use super::{NOBODY, refusals::User, universe::CONSUMERS};
use crate::harness::{Stage, eventually, everything_in};

pub(super) async fn each_consumer_puts_aside_what_it_cannot_read(stage: &Stage) {
    for (user, events, timers) in [
        (
            "intake",
            &["verification-requested", "submission-requested", "erasure-requested"][..],
            &[][..],
        ),
        ("callback-receiver", &["completion-signalled"], &[]),
        ("verifier", &[], &["deadline", "check"]),
        ("result-normaliser", &[], &["delete-in-assure", "expire-result"]),
    ] {
        let mut user = User::of(stage, user).await;
        for event in events {
            publish(&user, format!("proofline.v1.{event}.acme.{NOBODY}"), HeaderMap::new()).await;
        }
        for kind in timers {
            let mut headers = HeaderMap::new();
            headers.insert(header::NATS_SCHEDULE, "@at 2026-01-01T00:00:00Z");
            let due = format!("proofline.timer.v1.due.{kind}.acme.{NOBODY}");
            headers.insert(header::NATS_SCHEDULE_TARGET, due);
            let at = format!("proofline.timer.v1.at.{kind}.acme.{NOBODY}");
            publish(&user, at, headers).await;
        }
        assert_eq!(user.refused(), [""; 0]);
    }

    let ours = CONSUMERS.iter().map(|(_, name)| (*name).to_owned());
    let ours: BTreeSet<_> = ours.collect();
    eventually("each consumer has put something aside", async || {
        let by = who_put_aside(stage).await;
        if by == ours { Ok(()) } else { Err(format!("{by:?}")) }
    })
    .await;
}

async fn publish(user: &User, subject: String, headers: HeaderMap) {
    let jetstream = jetstream::new(user.client.clone());
    let sent = jetstream.publish_with_headers(subject, headers, "garbage".into()).await.unwrap();
    sent.await.unwrap();
}

/// The consumers in whose names there are dead letters.
async fn who_put_aside(stage: &Stage) -> BTreeSet<String> {
    let letters = everything_in(&stage.nats, "DEAD_LETTERS").await;
    let consumer = |letter: &Vec<u8>| {
        let subject = String::from_utf8_lossy(letter).into_owned();
        subject.split('.').nth(3).unwrap().to_owned()
    };
    letters.iter().map(consumer).collect()
}
