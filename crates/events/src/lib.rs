//! The events of Proofline: their types, subjects, headers and ids.
//!
//! * What for: everything that is written to or read from the stream `VERIFICATIONS` is named,
//!   encoded and checked here, and only here. The messages themselves are defined in `proto/`.
//! * What not for: talking to NATS (that is the crate `journal`) and deciding anything (that is the
//!   crate `verification`).
//! * Where to begin: [`EventType`], the table of all events; then [`Recorded`], an event as it
//!   stands in the log.

mod asyncapi;
mod dead_letter;
mod envelope;
mod event;
mod event_type;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod ids;
mod json;
mod json_schema;
mod proto_source;
mod replay;
mod time;
mod words;

#[expect(missing_docs, clippy::all, reason = "generated; proto/ carries the documentation")]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/proofline.events.v1.rs"));
}

pub use asyncapi::asyncapi;
pub use dead_letter::{DEAD_LETTER_PREFIX, DeadLetter, StoredDeadLetter, dead_letter_header};
pub use envelope::{Envelope, Mismatch, Recorded, header};
pub use event::Event;
pub use event_type::{EventType, Service};
pub use ids::{InvalidId, TenantName, VerificationId, VerificationKey};
pub use json::to_json;
pub use json_schema::json_schemas;
pub use replay::{REPLAY_HEADER, REPLAY_PREFIX, replay_filter, replay_subject, replayed_subject};
pub use time::{from_timestamp, timestamp};
pub use words::Word;

/// The compiled `proto/` as a `FileDescriptorSet`, for tools that describe the events.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));
