//! P10: memory of each service, idle and under load.

use super::callbacks::send;
use crate::{
    callbacks::Callbacks,
    harness::{SERVICES, Scene},
    report::{Goal, Sheet, mib},
    usage::{Usage, resident_bytes},
    venue::{RECEIVER, Sync, Venue},
};

/// Callbacks of each round: of five rounds a million.
const COUNT: usize = 200_000;
const CONNECTIONS: usize = 256;

pub(super) async fn measure(rounds: usize, sheet: &mut Sheet) {
    for _ in 0..rounds {
        let idle = Venue::open(Sync::Default, Scene::new()).await;
        for service in SERVICES {
            let memory = mib(resident_bytes(idle.pid(service)));
            sheet.note(format!("{service}, idle: memory"), "MiB", Goal::AtMost(8.0), memory);
        }
    }
    let venue = Venue::of_the_receiver(Sync::Default).await;
    let (pid, address) = (venue.pid(RECEIVER), venue.address(RECEIVER));
    let (mut first, mut before) = (None, None);
    for _ in 0..=rounds {
        let callbacks = Callbacks::mint(COUNT);
        let used = Usage::begin(pid);
        let mut sent = 0;
        while sent < COUNT {
            let load = send(address, CONNECTIONS, callbacks.clone()).await;
            sent += load.answered.len();
        }
        let what = format!("{RECEIVER}, {CONNECTIONS} connections: peak memory");
        sheet.note(what, "MiB", Goal::AtMost(20.0), mib(used.peak_bytes()));
        let now = mib(resident_bytes(pid));
        if let Some(before) = before {
            let what = format!("{RECEIVER}: growth over {COUNT} callbacks");
            sheet.note(what, "MiB", Goal::Open, now - before);
        }
        before = Some(now);
        first.get_or_insert(now);
    }
    if let (Some(first), Some(last)) = (first, before) {
        let what = format!("{RECEIVER}: growth over {} callbacks after {COUNT}", rounds * COUNT);
        sheet.note(what, "MiB", Goal::AtMost(2.0), last - first);
    }
    sheet.installation(venue.spent());
}
