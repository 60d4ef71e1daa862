//! P1, P2, P3: how many callbacks are made durable in a second.

use std::net::SocketAddr;

use super::TIME;
use crate::{
    callbacks::Callbacks,
    load::{Load, by_waiting},
    report::{Goal, Sheet, mib, ms, us_each},
    usage::Usage,
    venue::{BROKER, RECEIVER, Sync, Venue},
};

/// More than are sent in one load: what is left over is not used.
const ENOUGH: usize = 80_000;
/// Messages in an atomic batch of the anchor.
const BATCH: usize = 256;

pub(super) async fn measure(sync: Sync, connections: &[usize], rounds: usize, sheet: &mut Sheet) {
    let venue = Venue::of_the_receiver(sync).await;
    let naive = venue.naive().await;
    // Connections, pools, caches.
    let warm = Callbacks::mint(2_000);
    for address in [venue.address(RECEIVER), naive.address] {
        send(address, 64, warm.again()).await;
    }
    for _ in 0..rounds {
        for &connections in connections {
            let callbacks = Callbacks::mint(ENOUGH);
            let used = [RECEIVER, BROKER].map(|name| (name, Usage::begin(venue.pid(name))));
            let own = send(venue.address(RECEIVER), connections, callbacks.again()).await;
            note_usage(sheet, connections, &own, used);

            let used = [("naive", Usage::begin(naive.pid()))];
            let beside = send(naive.address, connections, callbacks.again()).await;
            note_usage(sheet, connections, &beside, used);
            compare(sheet, sync, connections, &own, &beside);
            if sync == Sync::Always && connections == 256 {
                let raw = venue.raw().in_batches(BATCH, TIME).await;
                let what = "durable callbacks, syncing always, 256 connections";
                let goal = Goal::AtLeast(0.45);
                sheet.compare(what, "/s", goal, own.per_second(), ("raw batches of 256", raw));
            }
        }
    }
    sheet.installation(venue.spent().into_iter().chain(naive.spent("naive")));
}

/// Sends callbacks for a while, or until there are no more.
pub(super) async fn send(address: SocketAddr, connections: usize, callbacks: Callbacks) -> Load {
    by_waiting(address, connections, TIME, move || callbacks.next()).await
}

fn compare(sheet: &mut Sheet, sync: Sync, connections: usize, own: &Load, naive: &Load) {
    let (syncing, rate, tail) = match (sync, connections) {
        (Sync::Default, _) => ("now and then", Goal::AtLeast(0.95), Goal::Open),
        (Sync::Always, 256) => ("always", Goal::AtLeast(5.0), Goal::Open),
        (Sync::Always, _) => ("always", Goal::AtLeast(2.5), Goal::AtMost(0.5)),
    };
    let what = format!("durable callbacks, syncing {syncing}, {connections} connections");
    sheet.compare(&what, "/s", rate, own.per_second(), ("naive", naive.per_second()));
    let (p99, naive_p99) = (ms(own.answered.p99()), ms(naive.answered.p99()));
    sheet.compare(format!("{what}: p99"), "ms", tail, p99, ("naive", naive_p99));
}

fn note_usage<const N: usize>(
    sheet: &mut Sheet,
    connections: usize,
    load: &Load,
    used: [(&str, Usage); N],
) {
    for (name, used) in used {
        let what = format!("{name}, {connections} connections");
        let cpu = us_each(used.cpu(), load.answered.len());
        sheet.note(format!("{what}: CPU for each"), "us", Goal::Open, cpu);
        sheet.note(format!("{what}: peak memory"), "MiB", Goal::Open, mib(used.peak_bytes()));
    }
}
