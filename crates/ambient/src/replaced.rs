//! Another clock and another chance, for one thread.

use std::{cell::RefCell, marker::PhantomData};

use rand::{SeedableRng, rngs::StdRng};
use time::OffsetDateTime;

thread_local! {
    static REPLACED: RefCell<Option<Sources>> = const { RefCell::new(None) };
}

struct Sources {
    now: Box<dyn Fn() -> OffsetDateTime>,
    random: StdRng,
}

/// While this lives, its thread has another clock and another chance.
#[derive(Debug)]
pub struct Replaced(PhantomData<*const ()>);

/// Puts a clock and a seeded chance in the place of the real ones, for this thread. For simulations:
/// no program of ours calls it.
pub fn replace(now: impl Fn() -> OffsetDateTime + 'static, seed: u64) -> Replaced {
    let sources = Sources { now: Box::new(now), random: StdRng::seed_from_u64(seed) };
    REPLACED.with_borrow_mut(|replaced| *replaced = Some(sources));
    Replaced(PhantomData)
}

impl Drop for Replaced {
    fn drop(&mut self) {
        REPLACED.with_borrow_mut(|replaced| *replaced = None);
    }
}

pub(crate) fn now() -> Option<OffsetDateTime> {
    REPLACED.with_borrow(|replaced| replaced.as_ref().map(|sources| (sources.now)()))
}

pub(crate) fn random<T>(draw: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    REPLACED.with_borrow_mut(|replaced| replaced.as_mut().map(|sources| draw(&mut sources.random)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chance, clock};

    #[test]
    fn a_seed_gives_the_same_ids_again_and_only_while_it_is_in_place() {
        let ids = || {
            let _replaced = replace(|| OffsetDateTime::UNIX_EPOCH, 7);
            assert_eq!(clock::now(), OffsetDateTime::UNIX_EPOCH);
            (chance::id(), chance::id_by_time())
        };
        assert_eq!(ids(), ids());
        assert!(clock::now() > OffsetDateTime::UNIX_EPOCH);
        assert_ne!(chance::id(), chance::id());
    }
}
