//! What TLS with users, and what three servers cost, each of which syncs always.

use super::{callbacks, ends};
use crate::{
    callbacks::Callbacks,
    harness::{Bus, Scene},
    report::{Goal, Sheet, ms, us_each},
    usage::Usage,
    venue::{RECEIVER, Venue},
};

/// Callbacks before anything is measured.
const WARM: usize = 2_000;
/// More than are sent in one load: what is left over is not used.
const ENOUGH: usize = 40_000;
const CONNECTIONS: usize = 64;
/// So few that no broker is at its limit.
const PER_SECOND: f64 = 50.0;
const ENDS: usize = 100;

/// What is measured on each.
const FIGURES: [(&str, &str); 6] = [
    ("durable callbacks, 64 connections", "/s"),
    ("durable callbacks, 64 connections: CPU of callback-receiver for each", "us"),
    ("durable callbacks, 64 connections: CPU of the broker for each", "us"),
    ("durable callbacks, one connection: p50", "ms"),
    ("callback to ProcessFinished, 50/s: p50", "ms"),
    ("callback to ProcessFinished, 50/s: p99", "ms"),
];

/// One broker after the other, as three installations at once would take each other's processors.
pub(super) async fn measure(rounds: usize, sheet: &mut Sheet) {
    let open = figures(Bus::Synced, rounds, sheet).await;
    let guarded = figures(Bus::Alone, rounds, sheet).await;
    let cluster = figures(Bus::Cluster, rounds, sheet).await;
    for round in 0..rounds {
        for (index, (what, unit)) in FIGURES.into_iter().enumerate() {
            let [open, guarded, cluster] = [&open, &guarded, &cluster].map(|all| all[round][index]);
            let beside = ("one server, neither TLS nor users", open);
            sheet.compare(format!("TLS and users: {what}"), unit, Goal::Open, guarded, beside);
            let beside = ("one server, TLS and users", guarded);
            sheet.compare(format!("three servers: {what}"), unit, Goal::Open, cluster, beside);
        }
    }
}

async fn figures(bus: Bus, rounds: usize, sheet: &mut Sheet) -> Vec<[f64; FIGURES.len()]> {
    let venue = Venue::on(bus, Scene::new()).await;
    ends::at(&venue, ENDS, PER_SECOND, &[]).await;
    let mut all_ends = Vec::new();
    for _ in 0..rounds {
        all_ends.push(ends::at(&venue, ENDS, PER_SECOND, &[]).await.latencies);
    }
    venue.leave_the_receiver_alone().await;
    let receiver = venue.address(RECEIVER);
    callbacks::send(receiver, CONNECTIONS, Callbacks::mint(WARM)).await;
    let mut all = Vec::new();
    for ends in all_ends {
        let lone = callbacks::send(receiver, 1, Callbacks::mint(ENOUGH)).await;
        let own = Usage::begin(venue.pid(RECEIVER));
        let servers: Vec<_> = venue.broker_pids().iter().map(|pid| Usage::begin(*pid)).collect();
        let many = callbacks::send(receiver, CONNECTIONS, Callbacks::mint(ENOUGH)).await;
        let count = many.answered.len();
        all.push([
            many.per_second(),
            us_each(own.cpu(), count),
            us_each(servers.iter().map(Usage::cpu).sum(), count),
            ms(lone.answered.median()),
            ms(ends.median()),
            ms(ends.p99()),
        ]);
    }
    sheet.installation(venue.spent());
    all
}
