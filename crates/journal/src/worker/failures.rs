//! How the handler of a message has failed here so far. Deliveries are no measure of panics: most
//! of them may have been for something that was away.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use super::{Failure, Handled, verdict::MAX_BUGS};

/// Another replica may have handled what failed here, so the oldest are forgotten past so many.
const REMEMBERED: usize = 10_000;

/// By the message's sequence.
#[derive(Debug, Clone, Default)]
pub(super) struct Failures(Arc<Mutex<BTreeMap<u64, Failed>>>);

/// What is known of a message that has failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Failed {
    /// How often in a row its handler has panicked.
    pub(super) bugs: u32,
    /// Why it failed the first time.
    pub(super) first_error: Option<String>,
}

impl Failures {
    /// Counts this time, and answers what there was of the message, this time included. It is
    /// forgotten once nothing more will come of it.
    pub(super) fn count(&self, sequence: u64, result: &Result<Handled, Failure>) -> Failed {
        let mut all = self.0.lock().expect("no panic while held");
        let mut failed = all.remove(&sequence).unwrap_or_default();
        let (error, is_over) = match result {
            Ok(_) => return Failed::default(),
            Err(Failure::Reject(rejection)) => (rejection.detail.clone(), true),
            Err(Failure::Retry { cause, .. }) => {
                failed.bugs = 0;
                (cause.clone(), false)
            }
            Err(Failure::Bug) => {
                failed.bugs += 1;
                ("the handler panicked".to_owned(), failed.bugs >= MAX_BUGS)
            }
        };
        failed.first_error.get_or_insert(error);
        if !is_over {
            all.insert(sequence, failed.clone());
            if all.len() > REMEMBERED {
                all.pop_first();
            }
        }
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_counted_in_a_row_and_the_first_error_stays() {
        let failures = Failures::default();
        let counted = |result| {
            let Failed { bugs, first_error } = failures.count(7, &result);
            (bugs, first_error.unwrap_or_default())
        };
        let (away, bug) = ("NATS is away".to_owned(), "the handler panicked".to_owned());
        assert_eq!(counted(Err(Failure::Bug)), (1, bug.clone()));
        assert_eq!(counted(Err(Failure::retry("NATS is away"))), (0, bug.clone()));
        assert_eq!(counted(Err(Failure::Bug)), (1, bug));
        assert_eq!(counted(Ok(Handled::Done)), (0, String::new()));

        assert_eq!(counted(Err(Failure::retry("NATS is away"))), (0, away.clone()));
        for bugs in 1..=MAX_BUGS {
            assert_eq!(counted(Err(Failure::Bug)), (bugs, away.clone()));
        }
        assert_eq!(counted(Err(Failure::reject("no", "never"))), (0, "never".to_owned()));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let failures = Failures::default();
        for sequence in 0..2 * REMEMBERED as u64 {
            failures.count(sequence, &Err(Failure::retry("away")));
        }
        assert_eq!(failures.0.lock().unwrap().len(), REMEMBERED);
    }
}
