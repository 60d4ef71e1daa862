//! The simulation itself: that it passes, that it repeats, that it finds what is wrong.

use proofline_simulation::{Plant, first_failure, run, run_all};

/// Seeds that have failed once, each with what it found.
const FAILED_ONCE: &str = include_str!("../seeds.txt");

#[test]
fn a_thousand_seeds_run_without_a_failure() {
    let failed = run_all(0..1000, |_| {});
    let told: Vec<_> = failed.iter().map(|v| (v.seed, &v.violations)).collect();
    assert!(told.is_empty(), "make simulate START=<seed> SEEDS=1 shows the steps: {told:#?}");
}

#[test]
fn every_seed_that_failed_once_passes() {
    let seeds = FAILED_ONCE.lines().filter(|line| !line.starts_with('#'));
    for line in seeds {
        let seed = line.split_whitespace().next().expect("a seed stands first");
        let verdict = run(seed.parse().expect("it is a number"), None, false);
        assert_eq!(verdict.violations, [], "{line}");
    }
}

#[test]
fn a_seed_repeats_a_run_exactly() {
    for seed in 0..10 {
        let [first, second] = [(); 2].map(|()| run(seed, None, true).trace);
        assert!(first.len() > 50, "{first:#?}");
        let difference = first.iter().zip(&second).find(|(first, second)| first != second);
        assert_eq!((difference, first.len()), (None, second.len()), "seed {seed}");
    }
}

#[test]
fn each_planted_bug_is_found_by_its_own_check_within_a_thousand_seeds() {
    for plant in Plant::ALL {
        let found = first_failure(0..1000, plant);
        assert!(found.is_some(), "{plant:?} was not found by {:?}", plant.found_by());
    }
}
