//! How often something may happen.

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock,
};
use proofline_settings::Reader;

/// So many seconds' worth may come at once: honest requests come in waves.
const BURST: NonZeroU32 = NonZeroU32::new(5).expect("it is more than zero");

/// After so many requests it is looked which buckets are full again.
const SWEEP: u32 = 1024;

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
        Self(Arc::new(RateLimiter::direct(quota(number))))
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

/// A token bucket for each of many.
#[derive(Debug)]
pub struct Shares<K: Hash + Eq + Clone> {
    buckets: DefaultKeyedRateLimiter<K>,
    taken: AtomicU32,
}

impl<K: Hash + Eq + Clone> Shares<K> {
    /// Full buckets, each of which holds five seconds' worth.
    pub fn per_second(number: NonZeroU32) -> Self {
        Self { buckets: RateLimiter::keyed(quota(number)), taken: AtomicU32::new(0) }
    }

    /// Takes one from a bucket.
    ///
    /// # Errors
    ///
    /// When there will be one, if there is none now.
    pub fn take(&self, of: &K) -> Result<(), Duration> {
        // A bucket that is full again is as good as none.
        if self.taken.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.buckets.retain_recent();
        }
        self.buckets
            .check_key(of)
            .map_err(|not_until| not_until.wait_time_from(self.buckets.clock().now()))
    }
}

fn quota(number: NonZeroU32) -> Quota {
    Quota::per_second(number).allow_burst(number.saturating_mul(BURST))
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

    #[test]
    fn each_has_a_share_of_its_own_and_those_of_the_past_are_forgotten() {
        let shares = Shares::per_second(NonZeroU32::MIN);
        for _ in 0..5 {
            assert_eq!(shares.take(&"mine"), Ok(()));
        }
        assert!(shares.take(&"mine").is_err());
        assert_eq!(shares.take(&"yours"), Ok(()));
        assert_eq!(shares.buckets.len(), 2);

        let quick = Shares::per_second(NonZeroU32::MAX);
        for number in 0..SWEEP {
            assert_eq!(quick.take(&number), Ok(()));
        }
        assert!(quick.buckets.len() < 10, "{}", quick.buckets.len());
    }
}
