//! How often the handler of each event has failed in this process. Deliveries are no measure of
//! it: some never reach a handler, as when a process dies or stops with the event on its way.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use crate::Failure;

/// Others may have handled what failed here, so the oldest are forgotten past so many.
const REMEMBERED: usize = 10_000;

/// By the event's sequence in the stream; a replay has one of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failures(Arc<Mutex<BTreeMap<u64, Failed>>>);

/// What is known of an event that has failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Failed {
    /// How often.
    pub(crate) count: u32,
    /// Why the first time, as a dead letter may tell it.
    pub(crate) first_error: String,
}

impl Failures {
    /// Counts one more, and answers what there was of the event so far.
    pub(crate) fn count(&self, sequence: u64, failure: &Failure) -> Failed {
        let mut all = self.0.lock().expect("no panic while held");
        let unfailed = || Failed { count: 0, first_error: failure.told().to_owned() };
        let failed = all.entry(sequence).or_insert_with(unfailed);
        failed.count += 1;
        let failed = failed.clone();
        if all.len() > REMEMBERED {
            all.pop_first();
        }
        failed
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
        let count = |sequence, failure| {
            let Failed { count, first_error } = failures.count(sequence, &failure);
            (count, first_error)
        };
        let panic = "a panic of the handler".to_owned();
        assert_eq!(count(7, Failure::panic()), (1, panic.clone()));
        assert_eq!(count(7, Failure::reject("no", "never heard of it")), (2, panic));
        assert_eq!(count(8, Failure::reject("no", "never")), (1, "never".to_owned()));
        failures.forget(7);
        assert_eq!(count(7, Failure::reject("no", "never")), (1, "never".to_owned()));

        for sequence in 0..2 * REMEMBERED as u64 {
            count(sequence, Failure::panic());
        }
        assert_eq!(failures.0.lock().unwrap().len(), REMEMBERED);
    }
}
