//! One run, from its seed to its verdict.

use std::time::Duration;

use tokio::{runtime, task::JoinSet, time::Instant};

use crate::{
    Plant, Rule, Violation, caller::Caller, checks, dice::pass, ledger, panics, world::World,
};

/// How a run went.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The seed.
    pub seed: u64,
    /// What must not be; empty when all is well.
    pub violations: Vec<Violation>,
    /// What happened, if that was wanted.
    pub trace: Vec<String>,
    /// How many verifications were requested.
    pub requested: usize,
}

/// How long things go wrong.
const TROUBLE: u64 = 120;
/// How long after that, and after the last deadline, all must be at rest.
const REST: Duration = Duration::from_secs(660);
/// How long it must stay so: for what must not come any more, and for a request that comes late.
const REMAINS: Duration = Duration::from_secs(60);
/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Runs a seed.
///
/// # Panics
/// When the runtime can't be made.
pub fn run(seed: u64, plant: Option<Plant>, is_traced: bool) -> Verdict {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime can be made");
    let panics_before = panics::seen();
    let mut verdict = runtime.block_on(Box::pin(live(seed, plant, is_traced)));
    // Dropped while the clock is still ours.
    drop(runtime);
    let panics = panics::seen() - panics_before;
    if panics > 0 {
        verdict.violations.push(Rule::NoPanic.broken(format!("{panics} panics")));
    }
    verdict
}

async fn live(seed: u64, plant: Option<Plant>, is_traced: bool) -> Verdict {
    let world = World::new(seed, plant, is_traced);
    let clock = world.clone();
    let _replaced = proofline_ambient::replace(move || clock.service_time(), seed);
    let firing = tokio::spawn(world.clone().fire_timers());
    world.fleet.start_all(&world);
    let mut callers = JoinSet::new();
    for number in 0..world.dice.number(1..6) {
        callers.spawn(Caller::new(&world, number).live_and_again());
    }
    let trouble = Instant::now() + Duration::from_secs(world.dice.number(20..TROUBLE));
    while Instant::now() < trouble {
        pass(world.dice.milliseconds(500..20_000)).await;
        ledger::check(&world);
        match world.dice.number(0..8) {
            0 if !world.profile().is_word_spread => world.fleet.roll(&world),
            1 => world.jump(),
            2 if world.profile().has_outages => world.goes_away(),
            _ => {}
        }
    }
    world.calm_down();
    while let Some(done) = callers.join_next().await {
        if let Err(broken) = done {
            world.judge.accuse(Rule::NoPanic, format!("a caller broke: {broken}"));
        }
    }
    let until = Instant::now() + REST;
    let mut at_rest_for = Duration::ZERO;
    while at_rest_for < REMAINS && Instant::now() < until {
        pass(LOOK).await;
        ledger::check(&world);
        at_rest_for = if checks::is_at_rest(&world) { at_rest_for + LOOK } else { Duration::ZERO };
    }
    checks::check(&world);
    firing.abort();
    world.fleet.disband();
    let requested = world.judge.known().logs.len();
    let (violations, trace) = (world.judge.violations(), world.trace.lines());
    Verdict { seed, violations, trace, requested }
}
