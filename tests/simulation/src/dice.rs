//! The one source of everything that is left to chance in a run.

use std::{ops::Range, sync::Mutex, time::Duration};

use rand::{RngExt, SeedableRng, rngs::SmallRng};

/// Seeded, so that a seed repeats a run.
#[derive(Debug)]
pub(crate) struct Dice(Mutex<SmallRng>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(SmallRng::seed_from_u64(seed)))
    }

    /// Whether something of this probability happens.
    pub(crate) fn chance(&self, probability: f64) -> bool {
        probability > 0.0 && self.rolled(|random| random.random_bool(probability))
    }

    pub(crate) fn number(&self, range: Range<u64>) -> u64 {
        self.rolled(|random| random.random_range(range))
    }

    pub(crate) fn pick<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.rolled(|random| random.random_range(0..all.len()))]
    }

    /// A time within these milliseconds.
    pub(crate) fn milliseconds(&self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.number(range))
    }

    fn rolled<T>(&self, roll: impl FnOnce(&mut SmallRng) -> T) -> T {
        roll(&mut self.0.lock().expect("no panic while held"))
    }
}

/// Lets time pass. The time of a run is not the real one, and costs nothing.
#[expect(clippy::disallowed_methods, reason = "how long everything takes is what a run is made of")]
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
