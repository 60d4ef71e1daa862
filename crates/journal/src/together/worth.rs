//! Whether a batch serves those who wait sooner than each its own message.

use std::time::Duration;

/// What a message costs the broker no more than, unless it goes to the disk for each: below this
/// the processors are what is waited for, and a batch gains nothing.
const SURELY_A_DISK: Duration = Duration::from_micros(100);
/// What a batch takes, as long as none was measured.
const BATCH: Duration = Duration::from_micros(2500);
/// How much of an estimate the newest measurement makes up: one of so many.
const WEIGHT: u32 = 16;
/// A measurement counts for no more than so many times the estimate: one hiccup of a disk is no rule.
const HICCUP: u32 = 4;
/// So many always go at once: of one alone nobody can tell a slow disk from a long way.
const FEW: usize = 4;
/// With each batch what a single message takes is trusted a little less, until some go alone again
/// and tell.
const DOUBT: f64 = 0.998;

/// What was measured, as moving means.
#[derive(Debug)]
pub(super) struct Worth {
    /// What one message adds to the wait of those behind it.
    single: Duration,
    /// From the first publish of a batch to its acknowledgement.
    batch: Duration,
}

impl Default for Worth {
    fn default() -> Self {
        Self { single: Duration::ZERO, batch: BATCH }
    }
}

impl Worth {
    /// So many went at once, and one of them took so long: each of them has added its share.
    pub(super) fn single_took(&mut self, time: Duration, at_once: usize) {
        let at_once = u32::try_from(at_once.max(1)).unwrap_or(u32::MAX);
        let most = if self.single.is_zero() { Duration::MAX } else { self.single * HICCUP };
        self.single = blend(self.single, (time / at_once).min(most));
    }

    /// A batch took so long.
    pub(super) fn batch_took(&mut self, time: Duration) {
        self.batch = blend(self.batch, time.min(self.batch * HICCUP));
        self.single = self.single.mul_f64(DOUBT);
    }

    /// Whether so many are served sooner by a batch.
    pub(super) fn is_worth_a_batch(&self, count: usize) -> bool {
        count > 1 && self.takes(count) > self.batch
    }

    /// With so many in flight one more waits longer for them than for a batch.
    pub(super) fn is_crowded(&self, in_flight: usize) -> bool {
        in_flight >= FEW && self.takes(in_flight) > self.batch
    }

    /// What so many single messages take; nothing worth counting on a broker that does not sync always.
    fn takes(&self, count: usize) -> Duration {
        if self.single < SURELY_A_DISK {
            return Duration::ZERO;
        }
        self.single.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

fn blend(estimate: Duration, measured: Duration) -> Duration {
    (estimate * (WEIGHT - 1) + measured) / WEIGHT
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);
    const MICROSECOND: Duration = Duration::from_micros(1);

    /// After many singles of which each takes its turn at the disk for so long.
    fn measured(each: Duration, at_once: u32) -> Worth {
        let mut worth = Worth::default();
        for _ in 0..200 {
            worth.single_took(each * at_once, at_once as usize);
        }
        worth
    }

    #[test]
    fn a_batch_is_worth_it_from_the_number_on_whose_turns_at_the_disk_take_longer() {
        let worth = measured(200 * MICROSECOND, 8);
        assert!(!worth.is_worth_a_batch(12) && worth.is_worth_a_batch(14));
        assert!(!worth.is_crowded(12) && worth.is_crowded(14));
    }

    #[test]
    fn one_alone_never_is_a_batch_however_slow_the_disk() {
        assert!(!measured(50 * MILLISECOND, 1).is_worth_a_batch(1));
    }

    #[test]
    fn it_never_is_where_messages_take_no_turns_at_the_disk() {
        let worth = measured(30 * MICROSECOND, 256);
        assert!(!worth.is_worth_a_batch(1000) && !worth.is_crowded(1000));
    }

    #[test]
    fn batches_that_take_long_are_worth_it_for_more_and_one_hiccup_says_little() {
        let mut worth = measured(200 * MICROSECOND, 8);
        worth.batch_took(2 * Duration::from_secs(1));
        assert!(worth.is_worth_a_batch(18));
        for _ in 0..50 {
            worth.batch_took(20 * MILLISECOND);
            worth.single_took(200 * MICROSECOND, 1);
        }
        assert!(!worth.is_worth_a_batch(64) && worth.is_worth_a_batch(128));
    }

    #[test]
    fn after_many_batches_some_go_alone_again() {
        let mut worth = measured(200 * MICROSECOND, 8);
        let batches = (0..2000).take_while(|_| {
            worth.batch_took(3 * MILLISECOND);
            worth.is_worth_a_batch(64)
        });
        assert!((100..1000).contains(&batches.count()));
    }
}
