//! How long NATS takes to make something durable, and what time it has: tried on a stream of its
//! own, which is made for it and deleted after it.

use proofline_ambient::clock;
use std::time::Duration;

use async_nats::jetstream::{self, stream::Config};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::finding::{Check, Finding, Verdict};

const STREAM: &str = "PROOFLINE_PROBE";
const SUBJECT: &str = "proofline.probe.v1";
const MESSAGES: usize = 50;
/// Assure waits 10 s for the answer to a callback. Many wait at once, each for one like this.
const SLOW: Duration = Duration::from_secs(1);
/// Deadlines are set by one clock and come due by another.
const SKEW: Duration = Duration::from_secs(2);

/// Both checks.
pub(super) async fn examine(jetstream: &jetstream::Context, replicas: usize) -> Vec<Finding> {
    let config = Config {
        name: STREAM.to_owned(),
        subjects: vec![SUBJECT.to_owned()],
        description: Some("Made and deleted by proofline doctor".to_owned()),
        num_replicas: replicas,
        max_age: Duration::from_secs(600),
        ..Default::default()
    };
    // A doctor that was killed has left its own, which tells the time of then.
    let _ = jetstream.delete_stream(STREAM).await;
    let before = clock::now();
    let created = match jetstream.create_stream(config).await {
        Ok(stream) => stream.cached_info().created,
        Err(error) => {
            let why = format!("this user can't make a stream {STREAM} to try it on: {error}");
            return [Check::StorageSpeed, Check::NatsClock]
                .map(|check| Verdict::Unchecked(why.clone()).of(check))
                .into();
        }
    };
    let clocks = skew(created, before, clock::now());
    let speed = speed(jetstream).await;
    if let Err(error) = jetstream.delete_stream(STREAM).await {
        let found = format!("{STREAM} could not be deleted again: {error}");
        let advice = "Delete that stream by hand.";
        return vec![
            Verdict::problem(found, advice).of(Check::StorageSpeed),
            clocks.of(Check::NatsClock),
        ];
    }
    vec![speed.of(Check::StorageSpeed), clocks.of(Check::NatsClock)]
}

async fn speed(jetstream: &jetstream::Context) -> Verdict {
    let mut taken = Vec::with_capacity(MESSAGES);
    for _ in 0..MESSAGES {
        let begun = Instant::now();
        let published = async { jetstream.publish(SUBJECT, "probe".into()).await?.await };
        if let Err(error) = published.await {
            return Verdict::problem(
                format!("a message was not acknowledged: {error}"),
                "Look at the NATS servers' logs; does the cluster have a leader?",
            );
        }
        taken.push(begun.elapsed());
    }
    taken.sort_unstable();
    let (median, slowest) = (taken[MESSAGES / 2], taken[MESSAGES - 1]);
    let found = format!("durable in {median:.1?}, the slowest of {MESSAGES} in {slowest:.1?}");
    if slowest < SLOW {
        return Verdict::Fine(found);
    }
    Verdict::problem(
        found,
        "Give NATS faster disks: Assure waits 10 s for the answer to a callback, in which it must be durable.",
    )
}

/// How far a time that was told lies outside of the time in which it was asked.
fn skew(told: OffsetDateTime, before: OffsetDateTime, after: OffsetDateTime) -> Verdict {
    let apart = if told < before { before - told } else { told - after };
    let found = format!("{:.1} s apart at most", apart.as_seconds_f64().max(0.0));
    if apart <= SKEW {
        return Verdict::Fine(found);
    }
    Verdict::problem(found, "Let every machine take its time from the same source (NTP).")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_clock_is_wrong_in_either_direction() {
        let (before, after) =
            (datetime!(2026-02-03 08:15:00 UTC), datetime!(2026-02-03 08:15:01 UTC));
        for (told, is_fine) in [
            (datetime!(2026-02-03 08:15:00.5 UTC), true),
            (datetime!(2026-02-03 08:15:03 UTC), true),
            (datetime!(2026-02-03 08:15:03.1 UTC), false),
            (datetime!(2026-02-03 08:14:57 UTC), false),
        ] {
            let verdict = skew(told, before, after);
            assert_eq!(matches!(verdict, Verdict::Fine(_)), is_fine, "{told}: {verdict:?}");
        }
    }
}
