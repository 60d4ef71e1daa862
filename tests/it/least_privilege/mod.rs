//! The bus as production has it: a user for each service, TLS, and nobody may do more than it must.
//!
//! * What for: showing that `deploy/nats/production` is enough for everything that services,
//!   operators and subscribers do, on one server and on three, and for nothing else.
//! * What not for: what the parts do with their rights; the files beside this folder show that.
//! * Where to begin: `rights.rs`, the table of who may do what; `work.rs` does all of it and meets
//!   no refusal, `forbidden.rs` tries everything else and meets nothing but refusals.

mod copies;
mod dead_letters;
mod flows;
mod forbidden;
mod forged;
mod refusals;
mod rights;
mod subscriber;
mod told;
mod universe;
mod used;
mod work;

/// A verification that nobody has asked for.
const NOBODY: &str = "vrf_00000000000000000000000000";
