//! How often something may happen.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock};
use proofline_settings::Reader;

/// So many seconds' worth may come at once: honest requests come in waves.
const BURST: NonZeroU32 = NonZeroU32::new(5).expect("it is more than zero");

/// How often each caller may ask, and how often strangers are told why not.
#[derive(Debug, Clone, Copy)]
pub struct RateSettings {
    /// Requests of one tenant in a second.
    pub requests: NonZeroU32,
    /// Requests in a second that nobody could be found for.
    pub refusals: NonZeroU32,
}

impl RateSettings {
    /// Reads and documents both.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let requests = per_second(
            r,
            "PROOFLINE_REQUESTS_PER_SECOND",
            20_000,
            "So many requests of one tenant are answered by one replica, five seconds' worth of \
             them at once; more are 429 with Retry-After.",
        );
        let refusals = Self::read_refusals(r);
        Some(Self { requests: requests?, refusals: refusals? })
    }

    /// Reads and documents the second alone.
    pub fn read_refusals(r: &mut Reader) -> Option<NonZeroU32> {
        per_second(
            r,
            "PROOFLINE_REFUSALS_PER_SECOND",
            1000,
            "So many requests that are not authentic are told so by one replica, five seconds' \
             worth of them at once; more are 429 with Retry-After, and not logged. Authentic ones \
             do not count.",
        )
    }
}

fn per_second(r: &mut Reader, name: &'static str, default: u32, about: &str) -> Option<NonZeroU32> {
    r.integer(name, default, "requests", 1..=1_000_000, about).and_then(NonZeroU32::new)
}

/// A token bucket; clones share it.
#[derive(Debug, Clone)]
pub struct Rate(Arc<DefaultDirectRateLimiter>);

impl Rate {
    /// A full bucket, which holds five seconds' worth.
    pub fn per_second(number: NonZeroU32) -> Self {
        let burst = number.saturating_mul(BURST);
        Self(Arc::new(RateLimiter::direct(Quota::per_second(number).allow_burst(burst))))
    }

    /// Takes one.
    ///
    /// # Errors
    ///
    /// When there will be one, if there is none now.
    pub fn take(&self) -> Result<(), Duration> {
        self.0.check().map_err(|not_until| not_until.wait_time_from(self.0.clock().now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_seconds_worth_may_come_at_once_and_then_it_is_told_when() {
        let rate = Rate::per_second(NonZeroU32::MIN);
        let clone = rate.clone();
        for _ in 0..5 {
            assert_eq!(clone.take(), Ok(()));
        }
        let wait = rate.take().unwrap_err();
        assert!(wait <= Duration::from_secs(1) && !wait.is_zero(), "{wait:?}");
    }
}
