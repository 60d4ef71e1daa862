//! P5: one callback at a time, beside one acknowledged publish at a time.

use super::TIME;
use crate::{
    callbacks::Callbacks,
    load::by_waiting,
    report::{Goal, Sheet, ms},
    venue::{RECEIVER, Sync, Venue},
};

/// More than one connection sends in one load.
const ENOUGH: usize = 20_000;

pub(super) async fn measure(rounds: usize, sheet: &mut Sheet) {
    let venue = Venue::of_the_receiver(Sync::Always).await;
    let naive = venue.naive().await;
    for _ in 0..rounds {
        let callbacks = Callbacks::mint(ENOUGH);
        let send = async |address| {
            let callbacks = callbacks.again();
            by_waiting(address, 1, TIME, move || callbacks.next()).await.answered
        };
        let own = send(venue.address(RECEIVER)).await;
        let raw = venue.raw().one_at_a_time(TIME).await;
        let naive = send(naive.address).await;
        for (anchor, beside, goals) in [
            ("raw publish", raw, [Goal::AtMost(1.2), Goal::AtMost(1.5)]),
            ("naive", naive, [Goal::Open, Goal::Open]),
        ] {
            let what = "one connection, syncing always";
            let [median, p99] = goals;
            let (own_ms, beside_ms) = (ms(own.median()), ms(beside.median()));
            sheet.compare(format!("{what}: p50"), "ms", median, own_ms, (anchor, beside_ms));
            let (own_ms, beside_ms) = (ms(own.p99()), ms(beside.p99()));
            sheet.compare(format!("{what}: p99"), "ms", p99, own_ms, (anchor, beside_ms));
        }
    }
    sheet.installation(venue.spent().into_iter().chain(naive.spent("naive")));
}
