//! A message that goes by itself, counted until it is answered or given up.

use super::{State, Together};

#[derive(Debug)]
pub(super) struct Flight {
    together: Together,
    is_counted: bool,
}

impl Flight {
    pub(super) fn begin(together: Together) -> Self {
        Self { together, is_counted: true }
    }

    pub(super) fn ended(self, is_stored: bool) {
        let mut state = self.together.state();
        match is_stored {
            true => state.has_answered(1),
            false => state.recent.forget(),
        }
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
