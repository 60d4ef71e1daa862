//! Leaving Assure alone while nothing comes back from it.
//!
//! After so many failures in a row calls are refused here, which costs nobody a time-out and Assure
//! nothing; then one call tries, and its outcome counts for all. Each process finds out by itself:
//! what looks like Assure's failure may be this one's network.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::metrics::Whose;

/// So many failures in a row, and no answer in between, are no accident.
const FAILURES: u32 = 10;
/// How long the first time; twice as long after each trial that fails, up to …
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// … this: an end-user may be waiting for what Assure could tell again.
const LAST_PAUSE: Duration = Duration::from_secs(10);
/// When to come again while somebody tries.
const DURING_TRIAL: Duration = Duration::from_secs(1);

pub(crate) struct Circuit {
    state: Mutex<State>,
    whose: Whose,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant, pause: Duration },
    Trial { pause: Duration },
}

/// That one call may be made. Dropped without an outcome it says nothing of Assure.
pub(crate) struct Pass<'a> {
    circuit: &'a Circuit,
    is_trial: bool,
}

impl Circuit {
    pub(crate) fn new(whose: Whose) -> Self {
        whose.circuits_are_open(0);
        Self { state: Mutex::new(State::Closed { failures: 0 }), whose }
    }

    /// Lets a call through.
    ///
    /// # Errors
    /// When to come again.
    pub(crate) fn enter(&self) -> Result<Pass<'_>, Duration> {
        let mut state = self.state();
        let is_trial = match *state {
            State::Closed { .. } => false,
            State::Open { until, pause } => {
                let remaining = until.saturating_duration_since(Instant::now());
                if !remaining.is_zero() {
                    return Err(remaining);
                }
                *state = State::Trial { pause };
                true
            }
            State::Trial { .. } => return Err(DURING_TRIAL),
        };
        Ok(Pass { circuit: self, is_trial })
    }

    fn open(pause: Duration) -> State {
        tracing::warn!(pause_ms = pause.as_millis(), "Assure does not answer; leaving it alone");
        State::Open { until: Instant::now() + pause, pause }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Assure has answered, whatever it said.
    pub(crate) fn answered(mut self) {
        self.is_trial = false;
        let mut state = self.circuit.state();
        if !matches!(*state, State::Closed { .. }) {
            tracing::info!("Assure answers again");
            self.circuit.whose.circuits_are_open(-1);
        }
        *state = State::Closed { failures: 0 };
    }

    /// It could not be reached, was too slow, or failed.
    pub(crate) fn failed(mut self) {
        let is_trial = std::mem::take(&mut self.is_trial);
        let mut state = self.circuit.state();
        *state = match *state {
            State::Closed { failures } if failures + 1 < FAILURES => {
                State::Closed { failures: failures + 1 }
            }
            State::Closed { .. } => {
                self.circuit.whose.circuits_are_open(1);
                Circuit::open(FIRST_PAUSE)
            }
            State::Trial { pause } if is_trial => Circuit::open((pause * 2).min(LAST_PAUSE)),
            // A call of before: that it fails is known.
            other @ (State::Open { .. } | State::Trial { .. }) => other,
        };
    }
}

impl Drop for Pass<'_> {
    /// A trial that was given up is the next caller's.
    fn drop(&mut self) {
        if self.is_trial {
            let mut state = self.circuit.state();
            if let State::Trial { pause } = *state {
                *state = State::Open { until: Instant::now(), pause };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn circuit() -> Circuit {
        Circuit::new(Whose::Common)
    }

    fn fails(circuit: &Circuit, times: u32) {
        for _ in 0..times {
            circuit.enter().expect("it is let through").failed();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_and_an_answer_in_between_does_not_let_it() {
        let circuit = circuit();
        fails(&circuit, FAILURES - 1);
        circuit.enter().unwrap().answered();
        fails(&circuit, FAILURES - 1);
        assert!(circuit.enter().is_ok());

        fails(&circuit, 1);

        assert_eq!(circuit.enter().err(), Some(FIRST_PAUSE));
    }

    #[tokio::test(start_paused = true)]
    async fn one_tries_while_the_others_wait_and_its_answer_lets_all_through() {
        let circuit = circuit();
        fails(&circuit, FAILURES);
        advance(FIRST_PAUSE).await;

        let trial = circuit.enter().unwrap();
        assert_eq!(circuit.enter().err(), Some(DURING_TRIAL));
        trial.answered();

        assert!(circuit.enter().is_ok());
        fails(&circuit, FAILURES - 1);
        assert!(circuit.enter().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn each_trial_that_fails_makes_the_pause_longer_up_to_a_bound() {
        let circuit = circuit();
        fails(&circuit, FAILURES);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let pause = circuit.enter().err().unwrap();
            pauses.push(pause.as_secs());
            advance(pause).await;
            fails(&circuit, 1);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 10, 10, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_that_is_given_up_is_the_next_ones() {
        let circuit = circuit();
        fails(&circuit, FAILURES);
        advance(FIRST_PAUSE).await;

        drop(circuit.enter());

        circuit.enter().unwrap().answered();
        assert!(circuit.enter().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_on_its_way_counts_once() {
        let circuit = circuit();
        let calls: Vec<_> = (0..3 * FAILURES).map(|_| circuit.enter().unwrap()).collect();
        calls.into_iter().for_each(Pass::failed);
        assert_eq!(circuit.enter().err(), Some(FIRST_PAUSE));
    }
}
