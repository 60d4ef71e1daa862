//! `simulate`: runs seeds, and shows what happened in those that fail.

use std::{
    io::Write,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use clap::Parser;
use proofline_simulation::{Plant, Violation, first_failure, run, run_all};

/// Runs the whole pipeline over models of JetStream and Assure, once for each seed.
#[derive(Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    start: u64,
    /// Shows everything that happens in the first seed, whether or not it fails.
    #[arg(long)]
    trace: bool,
    /// Plants each known bug in turn, and says in which seed its own check finds it.
    #[arg(long)]
    plant: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let Arguments { seeds, start, trace, plant } = Arguments::parse();
    let mut out = std::io::stdout();
    if plant {
        let mut are_found = true;
        for plant in Plant::ALL {
            let found = first_failure(start..start + seeds, plant);
            are_found &= found.is_some();
            let told = found.map(|v| format!("seed {}: {}", v.seed, told(&v.violations)));
            let (by, told) = (plant.found_by(), told.as_deref().unwrap_or("not found"));
            writeln!(out, "{plant:?}, to be found by {by:?}: {told}")?;
        }
        return Ok(exit_code(are_found));
    }
    if trace {
        let verdict = run(start, None, true);
        for line in &verdict.trace {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "{}", told(&verdict.violations))?;
        return Ok(exit_code(verdict.violations.is_empty()));
    }
    let begun = Instant::now();
    let verifications = AtomicU64::new(0);
    let failed = run_all(start..start + seeds, |verdict| {
        verifications.fetch_add(verdict.requested as u64, Ordering::Relaxed);
    });
    for verdict in &failed {
        writeln!(out, "seed {}: {}", verdict.seed, told(&verdict.violations))?;
    }
    if let Some(first) = failed.first() {
        writeln!(out, "\nseed {}, step by step:", first.seed)?;
        for line in run(first.seed, None, true).trace {
            writeln!(out, "{line}")?;
        }
    }
    let (failures, verifications) = (failed.len(), verifications.into_inner());
    let took = begun.elapsed().as_secs_f64();
    writeln!(out, "{seeds} seeds, {verifications} verifications, {failures} failed, {took:.1} s")?;
    Ok(exit_code(failed.is_empty()))
}

fn told(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn exit_code(is_well: bool) -> ExitCode {
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
