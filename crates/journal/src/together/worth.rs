//! Whether those who wait are served sooner by batches than each by its own message.
//!
//! How long a message takes cannot tell: a wait for processors looks like a wait for a disk. So both
//! ways are tried, and what counts is how many are answered in a time while many wait.

use std::time::Duration;

use tokio::time::Instant;

/// With fewer in flight everything goes at once, and nothing is learnt; no batch is of fewer.
pub(super) const FEW: usize = 8;
/// How long a way is watched at a time, at least, not counting when few were in flight …
const WINDOW: Duration = Duration::from_millis(100);
/// … and for how many answers.
const ANSWERS: usize = 128;
/// Batches cost a broker more than they cost us, so they must be better by this.
const BETTER: f64 = 1.1;
/// The other way is tried after so many windows; each time it loses so many times as late, for who
/// comes during a trial is among the slowest, …
const FIRST_TRIAL: u32 = 4;
const LATER: u32 = 4;
/// … up to this, which is some ten seconds.
const LAST_TRIAL: u32 = 128;

/// How those who wait go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Alone,
    Together,
}

/// What was seen.
#[derive(Debug)]
pub(super) struct Worth {
    /// The one that is better, as far as is known.
    better: Way,
    /// The one in use: now and then the other.
    way: Way,
    /// Answers in a second, of each way.
    alone: Option<f64>,
    together: Option<f64>,
    /// What was seen of the way in use: for how long, and how many were answered.
    took: Duration,
    answers: usize,
    /// So many answers are still those of the way before.
    stale: usize,
    /// Since when it is waited for the next answer; `None` while nobody is in flight.
    since: Option<Instant>,
    /// Windows until the other way is tried.
    trial_in: u32,
    next_trial_in: u32,
}

impl Default for Worth {
    fn default() -> Self {
        Self {
            better: Way::Alone,
            way: Way::Alone,
            alone: None,
            together: None,
            took: Duration::ZERO,
            answers: 0,
            stale: 0,
            since: None,
            trial_in: 1,
            next_trial_in: FIRST_TRIAL,
        }
    }
}

impl Worth {
    /// Whether those who wait should go together, if they are enough.
    pub(super) fn is_better_together(&self) -> bool {
        self.way == Way::Together
    }

    /// The first of all that are in flight begins. What passed before counts for neither way.
    pub(super) fn begins(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// So many were answered now, of so many that were in flight or waiting.
    pub(super) fn answered(&mut self, count: usize, in_flight: usize, now: Instant) {
        let left = in_flight.saturating_sub(count);
        let Some(since) = self.since.replace(now) else { return };
        if left == 0 {
            self.since = None;
        }
        if in_flight < FEW {
            return;
        }
        if self.stale > 0 {
            self.stale = self.stale.saturating_sub(count);
            return;
        }
        self.took += now.duration_since(since);
        self.answers += count;
        if self.took < WINDOW || self.answers < ANSWERS {
            return;
        }
        let rate = self.answers as f64 / self.took.as_secs_f64();
        self.forgets();
        if self.learn(rate) {
            self.stale = left;
        }
    }

    /// What was seen of late counts for neither way.
    pub(super) fn forgets(&mut self) {
        (self.took, self.answers) = (Duration::ZERO, 0);
    }

    /// A window of the way in use is over. Whether another way is in use from now on.
    fn learn(&mut self, rate: f64) -> bool {
        let known = match self.way {
            Way::Alone => &mut self.alone,
            Way::Together => &mut self.together,
        };
        *known = Some(known.map_or(rate, |known| f64::midpoint(known, rate)));
        let before = self.way;
        if self.way != self.better {
            // The trial is over.
            let better = self.which_is_better();
            self.next_trial_in = match better == self.better {
                true => (self.next_trial_in * LATER).min(LAST_TRIAL),
                false => FIRST_TRIAL,
            };
            self.trial_in = self.next_trial_in;
            (self.better, self.way) = (better, better);
        } else {
            self.trial_in = self.trial_in.saturating_sub(1);
            if self.trial_in == 0 {
                self.way = match self.way {
                    Way::Alone => Way::Together,
                    Way::Together => Way::Alone,
                };
            }
        }
        self.way != before
    }

    fn which_is_better(&self) -> Way {
        match (self.alone, self.together) {
            (Some(alone), Some(together)) if together > alone * BETTER => Way::Together,
            _ => Way::Alone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Callers who are answered at a rate that depends on the way, always 64 of them left.
    struct Callers {
        worth: Worth,
        now: Instant,
    }

    impl Callers {
        fn new() -> Self {
            let (mut worth, now) = (Worth::default(), Instant::now());
            worth.begins(now);
            Self { worth, now }
        }

        /// For so long; which share of the answers were batches'.
        fn are_answered(&mut self, alone: f64, together: f64, seconds: u64) -> f64 {
            let until = self.now + Duration::from_secs(seconds);
            let (mut in_batches, mut all) = (0_u32, 0_u32);
            while self.now < until {
                let is_batch = self.worth.is_better_together();
                self.now += Duration::from_secs_f64(1.0 / if is_batch { together } else { alone });
                self.worth.answered(1, 64, self.now);
                in_batches += u32::from(is_batch);
                all += 1;
            }
            f64::from(in_batches) / f64::from(all)
        }
    }

    #[test]
    fn where_batches_are_better_nearly_all_go_so() {
        let share = Callers::new().are_answered(4_000.0, 15_000.0, 60);
        assert!(share > 0.98, "{share}");
    }

    #[test]
    fn where_they_are_not_hardly_any_do() {
        for together in [6_000.0, 12_000.0] {
            let share = Callers::new().are_answered(12_000.0, together, 60);
            assert!(share < 0.04, "{share}");
        }
    }

    #[test]
    fn a_change_is_noticed() {
        let mut callers = Callers::new();
        callers.are_answered(12_000.0, 6_000.0, 60);
        callers.are_answered(1_000.0, 15_000.0, 60);
        let share = callers.are_answered(1_000.0, 15_000.0, 60);
        assert!(share > 0.98, "{share}");
    }

    #[test]
    fn waves_with_pauses_between_them_are_carried_by_what_is_better() {
        let mut worth = Worth::default();
        let mut now = Instant::now();
        for _ in 0..60 {
            worth.begins(now);
            let mut left: usize = 200;
            while left > 0 {
                // A batch takes 5 ms, and a message alone a quarter of one.
                let (count, took) = match worth.is_better_together() {
                    true => (left.min(256), Duration::from_millis(5)),
                    false => (1, Duration::from_micros(250)),
                };
                now += took;
                worth.answered(count, left, now);
                left -= count;
            }
            now += Duration::from_secs(1);
        }
        assert!(worth.is_better_together());
    }

    #[test]
    fn nothing_is_learnt_while_few_wait() {
        let mut worth = Worth::default();
        let begun = Instant::now();
        worth.begins(begun);
        for number in 0..10_000 {
            worth.answered(1, FEW - 1, begun + Duration::from_millis(number));
        }
        assert!(worth.alone.is_none() && !worth.is_better_together());
    }
}
