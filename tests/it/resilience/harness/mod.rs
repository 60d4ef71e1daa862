//! A fleet, and callers that do not give up.
//!
//! [`Fleet`] is what runs; [`Plan`] says how many of what, and what should be special about them.
//! [`Journey`] is one verification from its creation to its end, by a caller that comes again
//! after everything that can be mended by coming again.

mod cable;
mod calls;
mod fleet;
mod journey;
mod member;
mod memory;
mod patience;
mod plan;
mod rolling;
mod wiring;

pub(crate) use cable::{Cable, Link};
pub(crate) use calls::Call;
pub(crate) use fleet::Fleet;
pub(crate) use journey::Journey;
pub(crate) use member::{Member, signal};
pub(crate) use memory::{Growth, at_once};
pub(crate) use patience::{Chance, persist, soon, try_ask};
pub(crate) use plan::{KEYS, Plan};
pub(crate) use rolling::{callers, replace_all, roll, settle, two_of_each};
pub(crate) use wiring::{End as CableEnd, NODES, Wiring};

/// Programs, by their names.
pub(crate) const INTAKE: &str = "proofline-intake";
pub(crate) const UPLOAD: &str = "proofline-upload";
pub(crate) const VERIFIER: &str = "proofline-verifier";
pub(crate) const RECEIVER: &str = "proofline-callback-receiver";
pub(crate) const NORMALISER: &str = "proofline-result-normaliser";
pub(crate) const SIMULATOR: &str = "assure-simulator";
