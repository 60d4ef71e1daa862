//! How often the handler of each event has failed in this process. Deliveries are no measure of
//! it: some never reach a handler, as when a process dies or stops with the event on its way.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// Others may have handled what failed here, so the oldest are forgotten past so many.
const REMEMBERED: usize = 10_000;

/// Counts by the event's sequence in the stream; a replay has one of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failures(Arc<Mutex<BTreeMap<u64, u32>>>);

impl Failures {
    /// Counts one more, and answers how many there are.
    pub(crate) fn count(&self, sequence: u64) -> u32 {
        let mut counts = self.0.lock().expect("no panic while held");
        let count = counts.entry(sequence).or_default();
        *count += 1;
        let count = *count;
        if counts.len() > REMEMBERED {
            counts.pop_first();
        }
        count
    }

    /// The event is done with.
    pub(crate) fn forget(&self, sequence: u64) {
        self.0.lock().expect("no panic while held").remove(&sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_until_the_event_is_done_with_and_only_so_many_events_remembered() {
        let failures = Failures::default();
        assert_eq!([failures.count(7), failures.count(7), failures.count(8)], [1, 2, 1]);
        failures.forget(7);
        assert_eq!(failures.count(7), 1);

        for sequence in 0..2 * REMEMBERED as u64 {
            failures.count(sequence);
        }
        assert_eq!(failures.0.lock().unwrap().len(), REMEMBERED);
    }
}
