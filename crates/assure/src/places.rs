//! How many calls may be made at once: fewer after each wish to be left alone, slowly more again
//! while all goes well.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use crate::metrics::Whose;

/// Never more than this.
const MOST: usize = 64;
/// Two wishes that end this close to each other are one, heard of twice.
const SAME_WISH: Duration = Duration::from_millis(500);

pub(crate) struct Places {
    semaphore: Semaphore,
    budget: Mutex<Budget>,
    whose: Whose,
}

struct Budget {
    limit: f64,
    /// Places there are, taken or not: more than the limit until some are given back.
    places: usize,
    /// Until when the last wish asked to be left alone.
    alone_until: Option<Instant>,
}

/// One of them, for as long as a call takes.
pub(crate) struct Place<'a> {
    places: &'a Places,
    permit: Option<SemaphorePermit<'a>>,
}

impl Places {
    pub(crate) fn new(whose: Whose) -> Self {
        whose.has_limit(MOST);
        let budget = Budget { limit: MOST as f64, places: MOST, alone_until: None };
        Self { semaphore: Semaphore::new(MOST), budget: Mutex::new(budget), whose }
    }

    /// Waits for one.
    pub(crate) async fn take(&self) -> Place<'_> {
        let permit = self.semaphore.acquire().await.expect("the semaphore is never closed");
        Place { places: self, permit: Some(permit) }
    }

    /// Assure wants to be left alone this long, whoever was told: half as many, once for each wish.
    pub(crate) fn are_too_many(&self, remaining: Duration) {
        let until = Instant::now() + remaining;
        let mut budget = self.budget();
        if budget.alone_until.is_some_and(|known| until <= known + SAME_WISH) {
            return;
        }
        budget.alone_until = Some(until);
        budget.limit = (budget.limit / 2.0).max(1.0);
        let surplus = budget.places - budget.allowed();
        budget.places -= self.semaphore.forget_permits(surplus);
        self.whose.limit_is(budget.allowed());
    }

    /// A call went well: about one more after as many such calls as there are places.
    pub(crate) fn went_well(&self) {
        let mut budget = self.budget();
        if budget.allowed() == MOST {
            return;
        }
        budget.limit = (budget.limit + 1.0 / budget.limit).min(MOST as f64);
        if budget.places < budget.allowed() {
            budget.places += 1;
            self.semaphore.add_permits(1);
            self.whose.limit_is(budget.allowed());
        }
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Budget {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and MOST"
    )]
    fn allowed(&self) -> usize {
        self.limit as usize
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut budget = self.places.budget();
        let permit = self.permit.take().expect("taken here alone");
        if budget.places > budget.allowed() {
            budget.places -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// As many as can be had at once.
    fn all(places: &Places) -> Vec<Place<'_>> {
        std::iter::from_fn(|| places.take().now_or_never()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn each_wish_halves_them_however_many_hear_of_it() {
        let places = Places::new(Whose::Common);
        assert_eq!(all(&places).len(), MOST);
        for _ in 0..10 {
            places.are_too_many(SECOND);
        }
        assert_eq!(all(&places).len(), MOST / 2);
        advance(SECOND).await;
        places.are_too_many(SECOND);
        assert_eq!(all(&places).len(), MOST / 4);
        for _ in 0..10 {
            advance(SECOND).await;
            places.are_too_many(SECOND);
        }
        assert_eq!(all(&places).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_are_taken_go_when_they_are_given_back() {
        let places = Places::new(Whose::Common);
        let taken = all(&places);
        places.are_too_many(SECOND);
        assert_eq!(all(&places).len(), 0);
        drop(taken);
        assert_eq!(all(&places).len(), MOST / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_well_brings_them_back_slowly() {
        let places = Places::new(Whose::Common);
        places.are_too_many(SECOND);
        for _ in 0..=MOST / 2 {
            places.went_well();
        }
        assert_eq!(all(&places).len(), MOST / 2 + 1);
        for _ in 0..MOST * MOST {
            places.went_well();
        }
        assert_eq!(all(&places).len(), MOST);
    }
}
