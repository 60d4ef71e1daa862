//! Ids and jitter. Nothing secret is made of these.

use std::{ops::Range, time::Duration};

use uuid::{Builder, Uuid};

use crate::{clock, replaced};

/// A new id.
pub fn id() -> Uuid {
    Builder::from_random_bytes(bytes()).into_uuid()
}

/// A new id that sorts by the time of its making.
pub fn id_by_time() -> Uuid {
    let milliseconds = clock::now().unix_timestamp_nanos() / 1_000_000;
    let milliseconds = u64::try_from(milliseconds).unwrap_or(0);
    let [random @ .., _, _, _, _, _, _] = bytes::<16>();
    Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}

/// The duration, times a factor within these bounds: so that what began together comes apart.
pub fn jittered(duration: Duration, factors: Range<f64>) -> Duration {
    let factor = replaced::random(|random| rand::RngExt::random_range(random, factors.clone()));
    duration.mul_f64(factor.unwrap_or_else(|| rand::random_range(factors)))
}

fn bytes<const N: usize>() -> [u8; N] {
    replaced::random(rand::RngExt::random).unwrap_or_else(rand::random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_by_time_are_of_version_7_and_begin_with_the_time() {
        let id = id_by_time();
        assert_eq!(id.get_version_num(), 7);
        let (seconds, _) = id.get_timestamp().unwrap().to_unix();
        assert!(clock::now().unix_timestamp().abs_diff(seconds.cast_signed()) < 60);
        assert_ne!(id, id_by_time());
    }

    #[test]
    fn jitter_keeps_to_its_bounds() {
        let second = Duration::from_secs(1);
        for _ in 0..1000 {
            let jittered = jittered(second, 0.5..1.0);
            assert!((second / 2..=second).contains(&jittered), "{jittered:?}");
        }
    }
}
