//! What comes from outside of any decision: the wall clock, and chance.
//!
//! * What for: the one place where each is read, so that a simulation can put its own in their
//!   place and repeat a run exactly.
//! * What not for: keys and nonces, which `seal` has from the operating system and from nowhere
//!   else; and durations, which are tokio's to measure.
//! * Where to begin: [`clock`] and [`chance`].

pub mod chance;
pub mod clock;
mod replaced;

pub use replaced::{Replaced, replace};
