//! Waiting and coming again, each with an end.

use std::{
    hash::{BuildHasher, RandomState},
    ops::Range,
    time::Duration,
};

use reqwest::RequestBuilder;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::harness::{Answer, Ask};

/// How long anything may take before a test gives up: longer than a crash can delay it by design,
/// which is 30 s for what a dead process had claimed.
const PATIENCE: Duration = Duration::from_secs(75);
/// A caller that is told to come again later comes after this at the latest, as none of the
/// promises depends on its obedience.
const IMPATIENCE: Duration = Duration::from_millis(200);

/// Looks until the answer is `Ok`; at the time-out it tells what was seen last.
pub(crate) async fn soon<T>(fact: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut pace = interval(Duration::from_millis(10));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        match look().await {
            Ok(found) => return found,
            Err(seen) => {
                assert!(Instant::now() < deadline, "never came true: {fact}; last seen: {seen}");
            }
        }
    }
}

/// Sends a request as a real caller does: again after a broken connection, after a 503, and after
/// a 409 that says when to come again. Any other answer is the answer.
pub(crate) async fn persist(what: &str, mut request: impl FnMut() -> RequestBuilder) -> Answer {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = match try_ask(request()).await {
            None => "no answer".to_owned(),
            Some(answer) if is_for_later(&answer) => format!("{} {}", answer.status, answer.body),
            Some(answer) => return answer,
        };
        assert!(Instant::now() < deadline, "in vain: {what}; last seen: {seen}");
        let mut pause = interval(IMPATIENCE);
        pause.tick().await;
        pause.tick().await;
    }
}

fn is_for_later(answer: &Answer) -> bool {
    let says_when = answer.header("retry-after").is_some();
    match answer.status {
        503 => {
            assert!(says_when, "a 503 that does not say when to come again: {}", answer.body);
            true
        }
        409 => says_when,
        _ => false,
    }
}

/// Sends a request once; `None` when there is no answer, or only a part of one.
pub(crate) async fn try_ask(request: RequestBuilder) -> Option<Answer> {
    request.try_ask().await.ok()
}

/// Choices that a seed makes, the same every time.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// So many seeds to try: other ones in each run, or those from `PROOFLINE_TEST_SEED` on.
    #[expect(clippy::disallowed_methods, reason = "whoever repeats a test gives the seed by hand")]
    pub(crate) fn seeds(count: u64) -> Range<u64> {
        let given = std::env::var("PROOFLINE_TEST_SEED").ok();
        let first = given.map(|text| text.parse().expect("PROOFLINE_TEST_SEED is a number"));
        // Small enough to be typed.
        let first = first.unwrap_or_else(|| RandomState::new().hash_one(count) % 1_000_000);
        first..first + count
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A time between these two.
    pub(crate) fn between(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let range = u64::try_from((longest - shortest).as_millis()).unwrap();
        shortest + Duration::from_millis(self.next() % (range + 1))
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.next() % u64::try_from(from.len()).unwrap();
        &from[usize::try_from(at).unwrap()]
    }
}
