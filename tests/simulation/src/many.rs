//! Many seeds, on all cores.

use std::{
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use crate::{Plant, Verdict, run};

/// Runs all seeds; those that failed, in order.
pub fn run_all(seeds: Range<u64>, after_each: impl Fn(&Verdict) + Sync) -> Vec<Verdict> {
    let failed = Mutex::new(Vec::new());
    on_all_cores(seeds, |seed| {
        let verdict = run(seed, None, false);
        after_each(&verdict);
        if !verdict.violations.is_empty() {
            failed.lock().expect("no panic while held").push(verdict);
        }
        true
    });
    let mut failed = failed.into_inner().expect("no panic while held");
    failed.sort_by_key(|verdict| verdict.seed);
    failed
}

/// The first failure with a bug planted in which the check that is for it has found it.
pub fn first_failure(seeds: Range<u64>, plant: Plant) -> Option<Verdict> {
    let found = Mutex::new(None);
    on_all_cores(seeds, |seed| {
        let verdict = run(seed, Some(plant), false);
        let is_found = verdict.violations.iter().any(|broken| broken.rule == plant.found_by());
        if is_found {
            found.lock().expect("no panic while held").get_or_insert(verdict);
        }
        !is_found
    });
    found.into_inner().expect("no panic while held")
}

/// Goes on as long as `work` says so.
fn on_all_cores(seeds: Range<u64>, work: impl Fn(u64) -> bool + Sync) {
    let next = AtomicU64::new(seeds.start);
    let is_over = AtomicBool::new(false);
    let cores = thread::available_parallelism().map_or(1, Into::into);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    if !work(seed) {
                        is_over.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}
