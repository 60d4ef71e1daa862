//! How often the handler of a message has panicked here. Deliveries are no measure of it: most of
//! them may have been for something that was away.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::verdict::MAX_BUGS;

/// Counts by the message's sequence.
#[derive(Debug, Clone, Default)]
pub(super) struct Bugs(Arc<Mutex<HashMap<u64, u32>>>);

impl Bugs {
    /// Counts one more, or forgets the message when it was no bug this time. Answers the count.
    pub(super) fn count(&self, sequence: u64, is_bug: bool) -> u32 {
        let mut counts = self.0.lock().expect("no panic while held");
        if !is_bug {
            counts.remove(&sequence);
            return 0;
        }
        let count = counts.entry(sequence).or_default();
        *count += 1;
        let count = *count;
        if count >= MAX_BUGS {
            // It is given up now.
            counts.remove(&sequence);
        }
        count
    }
}
