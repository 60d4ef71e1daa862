//! What those who strike have in common.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

use super::Diary;
use crate::resilience::harness::{Chance, Fleet};

const SECOND: Duration = Duration::from_secs(1);

/// One after the other, until told to stop.
pub(super) struct Strikes<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) diary: &'a Diary,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) chance: Chance,
    pub(super) longest_pause: Duration,
    pub(super) longest_outage: Duration,
}

impl Strikes<'_> {
    /// A pause before the next one; whether there is one.
    pub(super) async fn go_on(&mut self) -> bool {
        let pause = self.chance.between(SECOND / 4, self.longest_pause);
        self.passes(pause).await
    }

    /// How long somebody is away: mostly shortly, at times longer than claims and leases, and
    /// than a message waits for whoever has it.
    pub(super) async fn outage(&mut self) {
        let longest = *self.chance.pick(&[1, 1, 3, 3, 8, 20]) * SECOND;
        let outage = self.chance.between(SECOND / 10, longest.min(self.longest_outage));
        self.passes(outage).await;
    }

    /// Waits so long, at most until the stop; whether that has not come.
    async fn passes(&mut self, time: Duration) -> bool {
        timeout(time, self.stop.wait_for(|stopped| *stopped)).await.is_err()
    }
}
