//! Speaks to a running simulator over HTTP, as Proofline does.

#![expect(clippy::unwrap_used, reason = "what can't be arranged is a failed test")]

mod callbacks;
mod dossiers;
mod faults;
mod harness;
mod images;
mod listing;
mod processes;
mod program;
mod results;
mod scripts;
mod token;
mod verification;
