//! P4: CPU time of callback-receiver for each callback, beside a server that only answers.

use super::TIME;
use crate::{
    callbacks::Callbacks,
    load::by_waiting,
    report::{Goal, Sheet, us_each},
    usage::Usage,
    venue::{RECEIVER, Sync, Venue},
};

const CONNECTIONS: usize = 64;
/// A bare server takes more than anybody else.
const ENOUGH: usize = 160_000;

pub(super) async fn measure(rounds: usize, sheet: &mut Sheet) {
    let venue = Venue::of_the_receiver(Sync::Default).await;
    let (bare, naive) = (venue.bare().await, venue.naive().await);
    for _ in 0..rounds {
        let callbacks = Callbacks::mint(ENOUGH);
        let mut costs = Vec::new();
        for (pid, address) in [
            (venue.pid(RECEIVER), venue.address(RECEIVER)),
            (bare.pid(), bare.address),
            (naive.pid(), naive.address),
        ] {
            let callbacks = callbacks.again();
            let used = Usage::begin(pid);
            let load = by_waiting(address, CONNECTIONS, TIME, move || callbacks.next()).await;
            costs.push(us_each(used.cpu(), load.answered.len()));
        }
        let what = "callback-receiver: CPU for each callback";
        sheet.compare(what, "us", Goal::AtMost(2.2), costs[0], ("bare axum", costs[1]));
        sheet.compare(what, "us", Goal::Open, costs[0], ("naive", costs[2]));
    }
    let anchors = bare.spent("bare axum").into_iter().chain(naive.spent("naive"));
    sheet.installation(venue.spent().into_iter().chain(anchors));
}
