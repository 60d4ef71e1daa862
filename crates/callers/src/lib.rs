//! What the HTTP interfaces for callers share: who is calling, and what they are told of failures.
//!
//! * What for: `intake` and `upload` answer the same callers; a refusal reads the same in both.
//! * What not for: routes, and what Assure or end-users are told (`callback-receiver`).
//! * Where to begin: [`Admission`], then the functions that make a problem of each kind of failure.

mod admission;
mod problems;

pub use admission::Admission;
pub use problems::{not_found, of_assure, of_execute, of_journal, of_refusal};
