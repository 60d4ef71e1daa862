//! What telemetry costs: throughput with tracing at 10 % and everything exported, beside that with
//! nothing of it, in turns. Prints the ratio, and fails below the promise.
//!
//! `cargo build --release --workspace --bins && cargo test --release -p proofline-tests --bench telemetry_cost`

#![expect(clippy::unwrap_used, reason = "a measurement that can't be made has failed")]

#[path = "../it/telemetry/collector.rs"]
#[expect(dead_code, reason = "made for the tests, a part of it is used here")]
mod collector;
#[path = "../it/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "made for the tests, a part of it is used here")]
mod harness;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use serde_json::json;

use collector::Collector;
use harness::{SERVICES, Scene, Stage};

const ROUNDS: usize = 6;
const VERIFICATIONS: usize = 200;
const AT_ONCE: usize = 64;
/// The promise.
const LEAST_RATIO: f64 = 0.9;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "that is what it is for")]
async fn main() -> ExitCode {
    let collector = Collector::open().await;
    let (mut with, mut without) = (collector.collecting(Scene::new()), Scene::new());
    for service in SERVICES {
        with = with.with(service, "OTEL_TRACES_SAMPLER", "parentbased_traceidratio").with(
            service,
            "OTEL_TRACES_SAMPLER_ARG",
            "0.1",
        );
        without = without.with(service, "OTEL_TRACES_SAMPLER", "always_off");
    }
    let (with, without) = (with.start().await, without.start().await);
    for stage in [&with, &without] {
        took(stage).await;
    }
    let mut best = [Duration::MAX; 2];
    let mut total = [Duration::ZERO; 2];
    for _ in 0..ROUNDS {
        for (index, stage) in [&with, &without].into_iter().enumerate() {
            let took = took(stage).await;
            best[index] = best[index].min(took);
            total[index] += took;
        }
    }
    let per_second = |took: Duration| VERIFICATIONS as f64 / took.as_secs_f64();
    let ratio = |took: [Duration; 2]| took[1].as_secs_f64() / took[0].as_secs_f64();
    let rounds = u32::try_from(ROUNDS).unwrap();
    println!(
        "{:.0} verifications per second with telemetry, {:.0} without: {:.2} of it (best rounds: {:.2})",
        per_second(total[0] / rounds),
        per_second(total[1] / rounds),
        ratio(total),
        ratio(best),
    );
    println!("{} spans were exported", collector.spans().len());
    if ratio(total) >= LEAST_RATIO { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How long so many verifications take, from their request to their end.
async fn took(stage: &Stage) -> Duration {
    let begun = Instant::now();
    let all = stream::iter(0..VERIFICATIONS).map(async |_| {
        let (given, _, then) = stage.acts();
        let v = given.a_submitted_verification(json!({})).await;
        then.finishes(&v).await;
    });
    all.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    begun.elapsed()
}
