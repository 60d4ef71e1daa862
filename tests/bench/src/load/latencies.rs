//! How long each of many things took.

use std::time::Duration;

/// Durations, in no order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What so many of a thousand did not exceed.
    pub(crate) fn per_mille(&self, wanted: usize) -> Duration {
        assert!(!self.0.is_empty(), "nothing was measured");
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let index = (sorted.len() * wanted).div_ceil(1000).saturating_sub(1);
        sorted[index]
    }

    pub(crate) fn median(&self) -> Duration {
        self.per_mille(500)
    }

    pub(crate) fn p99(&self) -> Duration {
        self.per_mille(990)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_99th_of_a_hundred_is_the_99th() {
        let mut latencies = Latencies::default();
        (1..=100).rev().for_each(|ms| latencies.add(Duration::from_millis(ms)));
        assert_eq!(latencies.p99(), Duration::from_millis(99));
        assert_eq!(latencies.median(), Duration::from_millis(50));
        assert_eq!(latencies.per_mille(1000), Duration::from_millis(100));
    }
}
