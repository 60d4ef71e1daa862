//! P7, P8: how many verifications are ended in a second, and what each costs.
//!
//! First a burst of callbacks that fills one or two seconds: what comes out at the other end is the rate
//! at saturation, at which the CPU is measured. Then callbacks at shares of that rate, each for a little
//! more than a second, until one is found at which the slowest ends come soon enough.

use std::time::Duration;

use super::{TIME, ends};
use crate::{
    harness::Scene,
    report::{Goal, Sheet, us_each},
    venue::{BROKER, NORMALISER, RECEIVER, SIMULATOR, Sync, VERIFIER, Venue},
};

/// Ended before anything is measured.
pub(super) const WARM_UP: usize = 200;
/// All at once.
const BURST: usize = 1_500;
/// Who ends verifications.
const WHO: [&str; 3] = [RECEIVER, NORMALISER, BROKER];
const SOON: Duration = Duration::from_millis(50);
/// Of the rate at saturation, the highest first.
const SHARES: [f64; 3] = [0.9, 0.7, 0.5];
/// How long a share is held.
const HELD_SECONDS: f64 = 1.2;

/// P7.
pub(super) async fn rate(rounds: usize, sheet: &mut Sheet) {
    for (sync, syncing, in_flight, goal) in [
        (Sync::Default, "now and then", 1024, Goal::AtLeast(0.09)),
        (Sync::Always, "always", 64, Goal::AtLeast(1.5)),
    ] {
        let venue = Venue::open(sync, Scene::new()).await;
        ends::at(&venue, WARM_UP, f64::INFINITY, &[]).await;
        for _ in 0..rounds {
            let saturated = saturation(&venue).await;
            let raw = venue.raw().in_flight(in_flight, TIME).await;
            let sustained = sustained(&venue, saturated).await;
            let what = format!("verifications with p99 under 50 ms, syncing {syncing}");
            let anchor = format!("raw, {in_flight} in flight");
            sheet.compare(what, "/s", goal, sustained, (&anchor, raw));
            let what = format!("verifications at saturation, syncing {syncing}");
            sheet.note(what, "/s", Goal::Open, saturated);
        }
        sheet.installation(venue.spent());
    }
}

/// The highest share of the rate at saturation that is carried soon enough; 0 when none is.
async fn sustained(venue: &Venue, saturated: f64) -> f64 {
    for share in SHARES {
        let rate = saturated * share;
        let count = (rate * HELD_SECONDS) as usize;
        if ends::at(venue, count, rate, &[]).await.latencies.p99() < SOON {
            return rate;
        }
    }
    0.0
}

pub(super) async fn saturation(venue: &Venue) -> f64 {
    let burst = ends::at(venue, BURST, f64::INFINITY, &[]).await;
    BURST as f64 / burst.took.as_secs_f64()
}

/// P8.
pub(super) async fn cost(rounds: usize, sheet: &mut Sheet) {
    for (sync, syncing, most) in
        [(Sync::Default, "now and then", 120.0), (Sync::Always, "always", 180.0)]
    {
        let venue = Venue::open(sync, Scene::new()).await;
        ends::at(&venue, WARM_UP, f64::INFINITY, &[]).await;
        for _ in 0..rounds {
            let watched = [WHO.as_slice(), &[VERIFIER, SIMULATOR]].concat();
            let burst = ends::at(&venue, BURST, f64::INFINITY, &watched).await;
            let total = burst.cpu[..WHO.len()].iter().sum();
            let what = format!("a verification at saturation, syncing {syncing}");
            let goal = Goal::AtMost(most);
            sheet.note(format!("{what}: CPU"), "us", goal, us_each(total, BURST));
            for (name, cpu) in watched.iter().zip(burst.cpu) {
                let part = format!("{what}: CPU of {name}");
                sheet.note(part, "us", Goal::Open, us_each(cpu, BURST));
            }
        }
        sheet.installation(venue.spent());
    }
}
