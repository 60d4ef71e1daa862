//! P13: Assure is away while callbacks come, then back.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{
    ends,
    sustained::{WARM_UP, saturation},
};
use crate::{
    callbacks,
    harness::{Scene, Verification},
    load::{Latencies, Pool, at_rate},
    report::{Goal, Sheet, mib, ms},
    usage::{Usage, resident_bytes},
    venue::{BROKER, NORMALISER, RECEIVER, Sync, Venue},
    verifications,
    watch::Watch,
};

const PER_SECOND: f64 = 500.0;
/// A minute's worth.
const COUNT: usize = 30_000;
/// Callbacks that are answered before, to compare with.
const BEFORE: usize = 5_000;

/// Every round in an installation of its own.
pub(super) async fn measure(rounds: usize, sheet: &mut Sheet) {
    for _ in 0..rounds {
        Box::pin(outage(sheet)).await;
    }
}

async fn outage(sheet: &mut Sheet) {
    let venue = Venue::open(Sync::Default, Scene::new()).await;
    let stage = &venue.stage;
    ends::at(&venue, WARM_UP, f64::INFINITY, &[]).await;
    let saturated = saturation(&venue).await;
    let all = verifications::finished_at_assure(stage, BEFORE + COUNT).await;
    let (before, meanwhile) = all.split_at(BEFORE);

    let subject = "proofline.v1.process-finished.*.*";
    let mut watch = Watch::begin(&venue.jetstream, "VERIFICATIONS", subject).await;
    let usual_answers = call_back(&venue, before).await;
    watch.reaches(BEFORE).await;

    stage.simulator.goes_wrong("*", json!({ "status": { "code": 503 } }), json!({})).await;
    let settled = [RECEIVER, NORMALISER, BROKER].map(|name| resident_bytes(venue.pid(name)));
    let used = [RECEIVER, NORMALISER, BROKER].map(|name| (name, Usage::begin(venue.pid(name))));
    let answers = call_back(&venue, meanwhile).await;
    stage.simulator.recovers().await;
    let back = Instant::now();
    watch.reaches_within(BEFORE + COUNT, Duration::from_secs(600)).await;
    let took = watch.last() - back;
    // What might come twice has come then.
    venue.settles().await;

    let what = "Assure away for 60 s, 500/s: answer to a callback, p99";
    let (own, usual) = (ms(answers.p99()), ms(usual_answers.p99()));
    sheet.compare(what, "ms", Goal::AtMost(1.2), own, ("before", usual));
    let drained = COUNT as f64 / took.as_secs_f64();
    let what = "Assure back: ends";
    sheet.compare(what, "/s", Goal::AtLeast(0.8), drained, ("at saturation", saturated));
    for (which, nth) in
        [("first", 1), ("half", COUNT / 2), ("nine tenths", COUNT / 10 * 9), ("last", COUNT)]
    {
        let until = watch.nth(BEFORE + nth) - back;
        sheet.note(
            format!("Assure back: until ends, {which}"),
            "s",
            Goal::Open,
            until.as_secs_f64(),
        );
    }
    let doubled = watch.count() - watch.distinct();
    sheet.note("Assure back: ends that came twice", "", Goal::AtMost(0.0), doubled as f64);
    for ((name, used), settled) in used.into_iter().zip(settled) {
        let what = format!("Assure away, then back: growth of {name} at its peak");
        let goal = if name == BROKER { Goal::Open } else { Goal::AtMost(2.0) };
        sheet.note(what, "MiB", goal, mib(used.peak_bytes().saturating_sub(settled)));
    }
    sheet.installation(venue.spent());
}

/// From when each callback was due to when it was answered.
async fn call_back(venue: &Venue, verifications: &[Verification]) -> Latencies {
    let pool = Pool::new(venue.address(RECEIVER));
    let calls: Vec<_> = verifications.iter().map(callbacks::of).collect();
    let took = at_rate(PER_SECOND, calls, |call, due| {
        let pool = pool.clone();
        async move {
            let status = pool.send(call).await;
            assert!(status.is_success(), "{status}");
            due.elapsed()
        }
    })
    .await;
    let mut latencies = Latencies::default();
    took.into_iter().for_each(|took| latencies.add(took));
    latencies
}
