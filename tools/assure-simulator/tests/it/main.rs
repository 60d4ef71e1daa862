//! Speaks to a running simulator over HTTP, as Proofline does.

#![expect(clippy::unwrap_used, reason = "what can't be arranged is a failed test")]

mod browser;
mod callbacks;
mod capture;
mod document_types;
mod dossiers;
mod eid;
mod faults;
mod files;
mod harness;
mod images;
mod listing;
mod media;
mod processes;
mod program;
mod providers;
mod results;
mod samples;
mod scripts;
mod token;
mod unusual_results;
mod verification;
mod webhooks;
mod webid;
