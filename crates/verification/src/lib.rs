//! The rules of a verification: what may happen to it, and what follows.
//!
//! * What for: every rule of every flow lives here and only here. [`evolve`] folds events into a
//!   [`Verification`]; [`decide`] answers a [`Command`] with the events that follow, or a
//!   [`Refusal`]. Both are pure: no I/O, no clock, no randomness; time and ids are arguments.
//! * What not for: reading and writing the log (`journal`), talking to Assure (`assure`), HTTP.
//! * Where to begin: [`Command`], then `decide/`, one file for each part of a verification's life;
//!   [`provider`] is the table of what each provider can do.

mod capture;
mod command;
mod decide;
mod images;
mod observation;
pub mod provider;
mod reason;
mod state;

pub use capture::{Candidate, the_one_that_counts};
pub use command::{
    Command, ImageReceived, ProcessDetails, Refused, Request, StartParameters, UploadResult,
};
pub use decide::{Refusal, decide};
pub use images::{Image, Images};
pub use observation::{Observation, is_final};
pub use reason::Reason;
pub use state::{
    End, NextAction, Process, SetupFailure, Start, Status, Submission, Verification, evolve, fold,
};
