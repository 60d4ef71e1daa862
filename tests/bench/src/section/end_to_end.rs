//! P6: from the callback to `ProcessFinished` at a consumer, at a steady rate.

use super::ends;
use crate::{
    harness::Scene,
    report::{Goal, Sheet, ms},
    venue::{Sync, Venue},
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
}
