//! What happens when things go wrong: crashes, lost callbacks, races, a limiting or failing Assure.
//!
//! These tests run a [`harness::Fleet`]: processes in any number, killed and started again while
//! callers go on as real callers do.

pub(crate) mod harness;

mod assure_trouble;
mod chaos;
mod crashes;
mod creation;
mod erasure;
mod load;
mod memory;
mod nats_away;
mod pace;
mod races;
mod reconciliation;
mod rolling;
