//! Whether those who wait are served sooner by batches than each by its own message.
//!
//! How long a message takes cannot tell: a wait for processors looks like a wait for a disk. So both
//! ways are tried, and what counts is how many are answered in a time while many wait.

use std::time::Duration;

use tokio::time::Instant;

/// With fewer in flight everything goes at once, and nothing is learnt.
const FEW: usize = 4;
/// A batch of fewer is never worth it.
const LEAST: usize = 8;
/// How long a way is watched at a time, at least …
const WINDOW: Duration = Duration::from_millis(100);
/// … and for how many answers.
const ANSWERS: usize = 128;
/// When nobody was answered for so long, nobody waited.
const PAUSE: Duration = Duration::from_millis(500);
/// Batches cost a broker more than they cost us, so they must be better by this.
const BETTER: f64 = 1.1;
/// The other way is tried after so many windows; ever later where it loses, up to …
const FIRST_TRIAL: u32 = 4;
/// … this, which is some ten seconds.
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
    window: Option<Window>,
    /// Windows until the other way is tried.
    trial_in: u32,
    next_trial_in: u32,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    /// When somebody was last answered in it.
    last: Instant,
    answers: usize,
    /// Answers that are still those of the way before.
    stale: usize,
}

impl Default for Worth {
    fn default() -> Self {
        Self {
            better: Way::Alone,
            way: Way::Alone,
            alone: None,
            together: None,
            window: None,
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

    /// Whether so many are enough for a batch.
    pub(super) fn is_worth_a_batch(&self, count: usize) -> bool {
        count >= LEAST
    }

    /// Whether so many are enough for it to matter.
    pub(super) fn is_crowded(&self, in_flight: usize) -> bool {
        in_flight >= FEW
    }

    /// So many were answered now, of so many that were in flight or waiting.
    pub(super) fn answered(&mut self, count: usize, in_flight: usize, now: Instant) {
        if !self.is_crowded(in_flight) {
            self.window = None;
            return;
        }
        let begin = |stale| Window { since: now, last: now, answers: 0, stale };
        let Some(window) = &mut self.window else {
            // How long these took is not known.
            self.window = Some(begin(0));
            return;
        };
        if window.stale > 0 || now.duration_since(window.last) > PAUSE {
            // After a pause it begins anew: nobody waited in it.
            *window = begin(window.stale.saturating_sub(count));
            return;
        }
        window.answers += count;
        window.last = now;
        let took = now.duration_since(window.since);
        if took < WINDOW || window.answers < ANSWERS {
            return;
        }
        let rate = window.answers as f64 / took.as_secs_f64();
        let changed = self.learn(rate);
        let left = in_flight.saturating_sub(count);
        self.window = Some(begin(if changed { left } else { 0 }));
    }

    /// What is answered now goes neither way.
    pub(super) fn looks_away(&mut self) {
        self.window = None;
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
                true => (self.next_trial_in * 2).min(LAST_TRIAL),
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
            Self { worth: Worth::default(), now: Instant::now() }
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
            let mut left: usize = 1_000;
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
        for number in 0..10_000 {
            worth.answered(1, FEW - 1, begun + Duration::from_millis(number));
        }
        assert!(worth.alone.is_none() && !worth.is_better_together());
    }
}
