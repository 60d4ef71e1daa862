//! P6: from the callback to `ProcessFinished` at a consumer, at a steady rate.

use super::ends;
use crate::{
    harness::Scene,
    load::Latencies,
    report::{Goal, Sheet, ms},
    venue::{Sync, Venue},
    watch::Watch,
};

const PER_SECOND: f64 = 500.0;
/// Three seconds' worth.
const COUNT: usize = 1_500;

pub(super) async fn measure(rounds: usize, sheet: &mut Sheet) {
    let venue = Venue::open(Sync::Always, Scene::new()).await;
    ends::at(&venue, 100, PER_SECOND, &[]).await;
    for _ in 0..rounds {
        let own = ends::at(&venue, COUNT, PER_SECOND, &[]).await.latencies;
        let raw = ends::of_raw(&venue, COUNT, PER_SECOND).await;
        let what = "callback to ProcessFinished, 500/s, syncing always";
        let anchor = "publish to consumer";
        let (own_ms, raw_ms) = (ms(own.median()), ms(raw.median()));
        sheet.compare(format!("{what}: p50"), "ms", Goal::AtMost(1.7), own_ms, (anchor, raw_ms));
        let (own_ms, raw_ms) = (ms(own.p99()), ms(raw.p99()));
        sheet.compare(format!("{what}: p99"), "ms", Goal::AtMost(2.0), own_ms, (anchor, raw_ms));
    }
    for _ in 0..rounds {
        parts(&venue, sheet).await;
    }
    sheet.installation(venue.spent());
}

/// Where the time goes. Not in the rounds above, as two more consumers take their part of the broker.
async fn parts(venue: &Venue, sheet: &mut Sheet) {
    let watch = |kind| Watch::begin(&venue.jetstream, "VERIFICATIONS", kind);
    let mut signals = watch("proofline.v1.completion-signalled.*.*").await;
    let mut ends = watch("proofline.v1.process-finished.*.*").await;
    let whole = ends::at(venue, COUNT, PER_SECOND, &[]).await.latencies;
    signals.reaches(COUNT).await;
    ends.reaches(COUNT).await;
    let mut after_signal = Latencies::default();
    for (id, end) in ends.all() {
        after_signal.add(end.saturating_duration_since(signals.came(&id)));
    }
    let what = "signals and ends watched";
    sheet.note(format!("{what}: callback to end, p50"), "ms", Goal::Open, ms(whole.median()));
    let median = ms(after_signal.median());
    sheet.note(format!("{what}: of which signal to end, p50"), "ms", Goal::Open, median);
    sheet.note(format!("{what}: callback to end, p99"), "ms", Goal::Open, ms(whole.p99()));
    let p99 = ms(after_signal.p99());
    sheet.note(format!("{what}: of which signal to end, p99"), "ms", Goal::Open, p99);
}
