//! A stand-in for Signicat's Assure API, for development and tests.
//!
//! *What for:* Proofline's services talk to it over HTTP as they would to Assure. It is as strict
//! as the published reference (status codes, data URLs, images frozen at the start of
//! verification), ends processes as a script says, calls back, and misbehaves on request,
//! repeatably from a seed.
//!
//! *What not for:* it verifies nothing, keeps everything in memory and has an open admin API under
//! `/simulator`: never let it near real people's documents.
//!
//! *Where to begin:* [`serve`] starts it; `server.rs` lists the routes, `gate.rs` is what every call
//! passes, `script.rs` and `faults.rs` say what can be made to happen, and the README lists it all.

mod admin;
mod body;
mod callbacks;
mod calls;
mod capture;
mod clock;
mod connection;
mod data_url;
mod document_types;
mod dossiers;
mod error;
mod faults;
mod files;
mod gate;
mod images;
mod lifecycle;
mod listing;
mod media;
mod operation;
mod order;
mod pages;
mod processes;
mod providers;
mod results;
mod samples;
mod script;
mod server;
mod settings;
mod simulator;
mod status;
mod store;
mod token;
mod user_data;
mod verification;
mod webhooks;
mod zip;

pub use faults::{AnswerShape, Fault, Kind, RetryAfter, When};
pub use samples::{Sample, samples};
pub use script::{
    AddressMember, CallbackPlan, PagePlan, ResultPlan, Script, UserInfo, WebhookPlan,
};
pub use server::serve;
pub use settings::Settings;
pub use status::Status;
