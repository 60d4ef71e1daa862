//! How verifications are carried from their callback to their end.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;

use crate::{
    callbacks,
    load::{Latencies, Pool, at_rate},
    ticker::Ticker,
    usage::Usage,
    venue::{RECEIVER, Venue},
    verifications,
    watch::Watch,
};

/// So seldom that it costs the broker next to nothing.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Longer than it takes to remove what nobody needs any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of a number of callbacks.
pub(super) struct Ends {
    /// From when each callback was due to when its `ProcessFinished` was at a consumer.
    pub(super) latencies: Latencies,
    /// From the first callback to the last end.
    pub(super) took: Duration,
    /// CPU time of each process that was watched, with what is left to do after the last end.
    pub(super) cpu: Vec<Duration>,
}

/// Makes so many verifications, then calls back for them at this rate per second.
pub(super) async fn at(venue: &Venue, count: usize, per_second: f64, watched: &[&str]) -> Ends {
    let open_before = if watched.is_empty() { 0 } else { open(venue).await };
    let verifications = verifications::finished_at_assure(&venue.stage, count).await;
    let subject = "proofline.v1.process-finished.*.*";
    let mut watch = Watch::begin(&venue.jetstream, "VERIFICATIONS", subject).await;
    let calls: Vec<_> = verifications.into_iter().map(|v| (callbacks::of(&v), v.id)).collect();
    let pool = Pool::new(venue.address(RECEIVER));
    let usages: Vec<_> = watched.iter().map(|name| Usage::begin(venue.pid(name))).collect();
    let begun = Instant::now();
    let sent = at_rate(per_second, calls, |(call, id), due| {
        let pool = pool.clone();
        async move {
            let status = pool.send(call).await;
            assert!(status.is_success(), "{status}");
            (id, due)
        }
    })
    .await;
    watch.reaches(count).await;
    if !watched.is_empty() {
        let (mut pace, begun) = (Ticker::new(LOOK_EVERY), Instant::now());
        while open(venue).await > open_before {
            assert!(begun.elapsed() < PATIENCE, "deadlines stay although all have ended");
            pace.next().await;
        }
    }
    let cpu = usages.iter().map(Usage::cpu).collect();
    let mut latencies = Latencies::default();
    for (id, due) in sent {
        latencies.add(watch.came(&id) - due);
    }
    Ends { latencies, took: watch.last() - begun, cpu }
}

/// How many verifications have a deadline that is still to come: with an end it goes.
async fn open(venue: &Venue) -> usize {
    let timers = venue.jetstream.get_stream_no_info("TIMERS").await.unwrap();
    let deadlines = timers.info_with_subjects("proofline.timer.v1.at.deadline.>").await.unwrap();
    deadlines.count().await
}

/// The same of plain messages: published at this rate, and seen at a consumer.
pub(super) async fn of_raw(venue: &Venue, count: usize, per_second: f64) -> Latencies {
    let raw = venue.raw();
    let mut watch = Watch::begin(&venue.jetstream, "ANCHOR", "ANCHOR.raw.>").await;
    let sent = at_rate(per_second, 0..count, |_, due| {
        let raw = raw.clone();
        async move { (raw.publish().await, due) }
    })
    .await;
    watch.reaches(count).await;
    let mut latencies = Latencies::default();
    for (subject, due) in sent {
        latencies.add(watch.came(subject.rsplit('.').next().unwrap_or_default()) - due);
    }
    latencies
}
