//! What is in flight, counted until it is answered or given up.

use tokio::runtime::Handle;

use super::{State, Together};

/// A batch. However it ends, those behind it go on.
#[derive(Debug)]
pub(super) struct BatchFlight(pub(super) Together);

impl Drop for BatchFlight {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_batch_in_flight = false;
        // Nobody goes anywhere when the runtime is gone.
        if Handle::try_current().is_ok() {
            self.0.go_on(&mut state);
        }
    }
}

/// A message by itself.
#[derive(Debug)]
pub(super) struct Flight {
    together: Together,
    is_counted: bool,
}

impl Flight {
    pub(super) fn begin(together: Together) -> Self {
        Self { together, is_counted: true }
    }

    pub(super) fn ended(mut self, is_stored: bool) {
        let mut state = self.together.state();
        state.alone -= 1;
        self.is_counted = false;
        match is_stored {
            true => state.has_answered(1),
            false => state.recent.forget(),
        }
        self.together.go_on(&mut state);
    }

    /// For whoever holds the state.
    pub(super) fn never_began(mut self, state: &mut State) {
        state.alone -= 1;
        self.is_counted = false;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if self.is_counted {
            let mut state = self.together.state();
            state.alone -= 1;
            self.together.go_on(&mut state);
        }
    }
}
