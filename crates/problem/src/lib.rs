//! Errors of the HTTP interfaces: RFC 9457 problem documents and the list of their codes.
//!
//! **What it is for.** Every answer of intake, upload and callback-receiver that is not a success is a
//! [`Problem`] with a [`Code`] from one list, which `docs/errors.md` explains code by code.
//!
//! **What it is not for.** Logging or classifying failures: the detail here is what a stranger may read, what an
//! operator needs goes to the log where the failure is handled.
//!
//! **Where to begin reading.** [`Code`], the list; then [`Problem`].

mod code;
mod problem;

pub use code::Code;
pub use problem::{Fault, Problem};
