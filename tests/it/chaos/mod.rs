//! Chaos: two of each service, three NATS servers and an Assure in a bad mood, under load, while
//! somebody kills, stops, freezes and cuts off whoever they come by. Then all is mended, and
//! everything that was asked for must come to its one end.
//!
//! [`Chaos::run`] does that and gives the [`Verdict`]. A seed decides who is struck when and how;
//! what that hits is up to the machine. `mood.rs` has what goes wrong at Assure, `nodes.rs` and
//! `services.rs` what happens to whom, `diary.rs` writes it down.

mod diary;
mod mood;
mod nodes;
mod orders;
mod services;
mod strikes;
mod verdict;

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_nats::jetstream;
use futures_util::future::join;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    harness::load::{Config, Load, Pace},
    resilience::harness::{
        Chance, Fleet, INTAKE, NORMALISER, Plan, RECEIVER, SIMULATOR, UPLOAD, VERIFIER,
    },
};
use diary::Diary;
use strikes::Strikes;
pub(crate) use verdict::Verdict;

/// Where diaries are, and what long runs leave behind.
const ARTEFACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/test-artefacts/chaos");

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Chaos {
    /// At least so many verifications.
    pub(crate) verifications: usize,
    /// At least so many processes killed by SIGKILL.
    pub(crate) kills: u64,
    pub(crate) seed: u64,
    /// So many at once.
    pub(crate) callers: usize,
    /// Between two strikes of one kind of victim.
    pub(crate) longest_pause: Duration,
    /// How long somebody is away at most.
    pub(crate) longest_outage: Duration,
    /// How long nothing may have ended, once all is mended, before what has no end is lost.
    pub(crate) settles_within: Duration,
    /// Whether logs and data stay, and progress is printed.
    pub(crate) is_long: bool,
}

impl Chaos {
    /// All of it.
    pub(crate) async fn run(self) -> Verdict {
        let diary = Diary::open(&PathBuf::from(ARTEFACTS), self.seed, self.is_long);
        let fleet = self.plan().start().await;
        diary.note(&format!("everything runs in {}", fleet.folder().display()));
        mood::turns_bad(&fleet.simulator).await;
        let began = Instant::now();
        let load = Load::start(self.load(&fleet));
        let (stopping, stop) = watch::channel(false);
        let struck = self.strikes(&fleet, &diary, stop);
        let watched = async {
            self.enough(&load, &diary).await;
            stopping.send_replace(true);
        };
        Box::pin(join(struck, watched)).await;
        fleet.simulator.recovers().await;
        for member in fleet.members() {
            if !member.is_alive().await {
                diary.complain(format!("{} {} has ended by itself", member.program, member.number));
            }
        }
        diary.note("all is mended");
        let mended = Instant::now();
        let report = load.stop().await.settle(&fleet.nats, self.settles_within).await;
        diary.note("all is settled, or nobody waits any longer");
        let seen = mood::seen(&fleet.simulator).await;
        let dead = jetstream::new(fleet.nats.clone()).get_stream("DEAD_LETTERS").await.unwrap();
        let verdict = Verdict {
            dead_letters: dead.cached_info().state.messages,
            took: began.elapsed(),
            settled_after: mended.elapsed(),
            lost_callbacks: seen.acknowledged.difference(&report.callbacks).cloned().collect(),
            acknowledged_callbacks: seen.acknowledged.len(),
            doubled: seen.doubled,
            strikes: diary.counts(),
            complaints: diary.complaints(),
            report,
        };
        diary.note(&format!("\n{verdict}"));
        verdict
    }

    fn plan(&self) -> Plan {
        let plan = Plan::new()
            .on_a_cluster()
            .balanced()
            .with(SIMULATOR, "SIMULATOR_SEED", self.seed)
            .with(SIMULATOR, "SIMULATOR_CALLBACK_RETRY", "500ms")
            .with(VERIFIER, "PROOFLINE_RECONCILE_INTERVAL", "2s")
            .with(VERIFIER, "PROOFLINE_CALLBACK_GRACE", "5s")
            .with(NORMALISER, "PROOFLINE_CALLBACK_GRACE", "5s");
        let services = [INTAKE, UPLOAD, VERIFIER, RECEIVER, NORMALISER];
        let plan = services.into_iter().fold(plan, |plan, service| plan.replicas(service, 2));
        if self.is_long { plan.kept_in(ARTEFACTS.into()) } else { plan }
    }

    fn load(&self, fleet: &Fleet) -> Config {
        let urls = |program| fleet.all(program).iter().map(|member| member.url.clone()).collect();
        let seed = self.seed;
        Config {
            pace: Pace::Callers(self.callers),
            // Longer than nobody is there, shorter than somebody is frozen.
            timeout: Duration::from_secs(10),
            members: Arc::new(move |number| orders::members(seed, number)),
            ..Config::new("chaos", urls(INTAKE), urls(UPLOAD))
        }
    }

    async fn strikes(&self, fleet: &Fleet, diary: &Diary, stop: watch::Receiver<bool>) {
        let of = |offset| Strikes {
            fleet,
            diary,
            stop: stop.clone(),
            chance: Chance::new(self.seed.wrapping_mul(3) + offset),
            longest_pause: self.longest_pause,
            longest_outage: self.longest_outage,
        };
        // So both replicas of a service may be away at once, and only one server of NATS.
        let services = join(services::suffer(of(0), 0), services::suffer(of(1), 1));
        Box::pin(join(services, nodes::suffer(of(2)))).await;
    }

    /// Waits until as much has happened as was asked for.
    async fn enough(&self, load: &Load, diary: &Diary) {
        let mut pace = interval(Duration::from_secs(1));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for second in 0.. {
            pace.tick().await;
            let (asked, kills) = (load.asked(), diary.kills());
            if asked >= self.verifications && kills >= self.kills {
                return;
            }
            if second % 30 == 0 {
                diary.note(&format!("{asked} verifications asked for, {kills} kills"));
            }
        }
    }
}
