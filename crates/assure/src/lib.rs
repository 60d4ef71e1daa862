//! Signicat's Assure API: its wire types and a typed client.
//!
//! * What for: every call that Proofline makes to Assure. The client keeps an access token, obeys
//!   `Retry-After`, bounds time and concurrency, and sorts what goes wrong by what the caller of
//!   the client can do about it.
//! * What not for: deciding anything. It does not know what a verification is.
//! * Where to begin: [`Client`], then [`Error`]. [`wire`] has the bodies as Assure spells them.
//!
//! Nothing personal reaches an error's text, a log or a span: Assure's own sentences, which may
//! quote the request, are kept in [`Refusal`] for the caller alone.

mod accounts;
mod calls;
mod circuit;
mod client;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod image_body;
mod media;
mod metrics;
mod pace;
mod places;
mod process;
mod settings;
mod token;
mod transport;
pub mod wire;

pub use accounts::Accounts;
pub use calls::{ImageUpload, NewProcess, Processes, Which};
pub use client::{Client, Turn};
pub use error::{Error, Refusal};
pub use image_body::{ImageDepiction, ImageStream, SourceError};
pub use media::{Media, MediaStream};
pub use pace::Pace;
pub use process::Process;
pub use settings::Account;
pub use transport::{CALL_TIMEOUT, Lost, Transport, http};
