//! The whole pipeline, run by a seed over models of JetStream and Assure.
//!
//! * What for: everything that is ours runs as it does in production: the rules, the journal, the
//!   worker loop, the client of Assure, the services with their routes. Only the two edges are
//!   models, and their every answer is left to a seeded chance: it comes late, comes twice, never
//!   comes although the request took effect; and the process that asked may be dead by then.
//!   A seed repeats a run exactly.
//! * What not for: how real servers behave; `tests/it` and `crates/journal/tests` know.
//! * Where to begin: [`run`], then `world.rs`; `rule.rs` names what must hold. A
//!   new fault goes into `profile.rs` and to where it happens, `jetstream/wire.rs` or
//!   `assure/wire.rs`.

mod assure;
mod caller;
mod checks;
mod dice;
mod fleet;
mod jetstream;
mod judge;
mod ledger;
mod many;
mod panics;
mod plant;
mod process;
mod profile;
mod rule;
mod run;
mod trace;
mod way;
mod world;

pub use many::{first_failure, run_all};
pub use plant::Plant;
pub use rule::{Rule, Violation};
pub use run::{Verdict, run};
