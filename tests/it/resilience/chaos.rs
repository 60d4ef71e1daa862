//! A short run with every test; `make chaos` makes longer ones.

use std::time::Duration;

use super::harness::Chance;
use crate::chaos::Chaos;

#[tokio::test]
async fn whoever_is_killed_stopped_frozen_or_cut_off_everything_comes_to_its_one_end() {
    let seed = Chance::seeds(1).start;
    let chaos = Chaos {
        verifications: 40,
        kills: 4,
        seed,
        callers: 8,
        longest_pause: Duration::from_secs(3),
        longest_outage: Duration::from_secs(4),
        settles_within: Duration::from_secs(150),
        is_long: false,
    };

    let verdict = Box::pin(chaos.run()).await;

    assert!(verdict.is_kept(), "PROOFLINE_TEST_SEED={seed}\n{verdict}");
}
