//! Warnings and errors that repeat: while something is away each request that needs it fails, and
//! the thousandth line of a kind says no more than the tenth.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::{Level, Metadata, callsite::Identifier};

/// So many lines of a kind are told …
const TOLD: u32 = 10;
/// … in this time.
const WINDOW: Duration = Duration::from_secs(30);

/// What was told lately, by the place in the code that tells it.
#[derive(Debug, Default)]
pub(super) struct Repeats(Mutex<HashMap<Identifier, Kind>>);

#[derive(Debug)]
struct Kind {
    since: Instant,
    told: u32,
    left_out: u64,
}

impl Repeats {
    /// How many lines like this were left out before it; `None` when it is left out as well.
    pub(super) fn tell(&self, line: &Metadata<'_>, now: Instant) -> Option<u64> {
        // Business steps are told one by one.
        if *line.level() > Level::WARN {
            return Some(0);
        }
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.entry(line.callsite()).or_insert_with(|| Kind::begin(now)).tell(now)
    }
}

impl Kind {
    fn begin(now: Instant) -> Self {
        Self { since: now, told: 0, left_out: 0 }
    }

    fn tell(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.since) >= WINDOW {
            (self.since, self.told) = (now, 0);
        }
        if self.told == TOLD {
            self.left_out += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_in_a_row_ten_are_told_and_the_next_window_says_how_many_were_not() {
        let begin = Instant::now();
        let mut kind = Kind::begin(begin);
        let told = (0..35).filter(|_| kind.tell(begin).is_some()).count();
        assert_eq!(told, 10);
        assert_eq!(kind.tell(begin + WINDOW / 2), None);
        assert_eq!(kind.tell(begin + WINDOW), Some(26));
        assert_eq!(kind.tell(begin + WINDOW), Some(0));
    }
}
