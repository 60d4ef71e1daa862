//! Replacing what runs, as an orchestrator does it: one process after the other.

use std::{sync::Arc, time::Duration};

use super::{Fleet, INTAKE, NORMALISER, Plan, RECEIVER, UPLOAD, VERIFIER, soon};
use crate::harness::{
    Build,
    load::{Config, Load, Pace, Report, every_flow},
};

/// In the order in which they are replaced.
const SERVICES: [&str; 5] = [VERIFIER, NORMALISER, RECEIVER, UPLOAD, INTAKE];

/// How long the last verification may take to its end once nobody begins any more.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many verifications must get through between two replacements, so that both see some.
const BETWEEN: usize = 10;

/// Two of each service, behind one address where they are called.
pub(crate) async fn two_of_each(build: Build) -> Fleet {
    let plan = Plan::new().of(build).balanced();
    SERVICES.into_iter().fold(plan, |plan, program| plan.replicas(program, 2)).start().await
}

/// Callers of every flow, each request on a connection of its own.
pub(crate) fn callers(fleet: &Fleet, name: &str) -> Load {
    Load::start(Config {
        pace: Pace::Callers(6),
        members: Arc::new(every_flow),
        keep_alive: false,
        ..Config::new(name, vec![fleet.door(INTAKE)], vec![fleet.door(UPLOAD)])
    })
}

/// Replaces every process by one of this build while the callers of a load go on, each behind the
/// door of its program: out of rotation, asked to stop, started, in rotation once it is ready.
pub(crate) async fn roll(fleet: &Fleet, load: Load, build: &Build) -> Report {
    replace_all(fleet, &load, build).await;
    settle(fleet, load).await
}

/// The same, and the load goes on.
pub(crate) async fn replace_all(fleet: &Fleet, load: &Load, build: &Build) {
    for program in SERVICES {
        for member in fleet.all(program) {
            get_through(load).await;
            fleet.leaves(member);
            member.stop().await;
            member.restart_as(build).await;
            fleet.is_ready(member).await;
            fleet.joins(member);
        }
    }
    get_through(load).await;
}

/// Lets the last callers go, and waits for the ends of all.
pub(crate) async fn settle(fleet: &Fleet, load: Load) -> Report {
    load.stop().await.settle(&fleet.nats, PATIENCE).await
}

async fn get_through(load: &Load) {
    let before = load.so_far().done_count();
    soon("some get through", async || {
        let done = load.so_far().done_count() - before;
        if done >= BETWEEN { Ok(()) } else { Err(format!("{done}")) }
    })
    .await;
}
