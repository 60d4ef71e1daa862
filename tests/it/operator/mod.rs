//! What an operator does with the `proofline` command to an installation that is running.
//!
//! * What for: dead letters, keys, backups and erasure, each on real services and a real server.
//! * What not for: subscribers (`subscribers/operator.rs`) and who may do it (`least_privilege`).
//! * Where to begin: `dead_letters.rs`.

mod backup;
mod dead_letters;
mod erasure;
mod keys;

pub(crate) use dead_letters::{letters, plant};
