//! Sealed documents, keyed fingerprints and signed capabilities, under keys that can be rotated.
//!
//! **What it is for.** Whatever Proofline writes down that is personal or secret passes through here: a
//! verification has a [`DataKey`], wrapped by the [`Keyring`]; documents are sealed with the data key, so that
//! destroying its wrapping erases them all. [`Capability`] tokens let a callback, a returning end-user or an
//! upload name a verification without an account, and [`Fingerprint`]s recognise a repeated request without
//! keeping it.
//!
//! **What it is not for.** Keeping or fetching anything: no I/O, no clock. Who may see what is decided by the
//! services.
//!
//! **Where to begin reading.** [`Keyring`] (rotation), then [`DataKey`], then [`Capability`]. Every ciphertext is
//! bound to what it is for (`context`): one that is moved to another verification, kind or purpose is forged.
//!
//! The cipher is XChaCha20-Poly1305 with random nonces, whose 192 bits make chance repetition irrelevant; keys
//! for different uses are derived with HKDF-SHA256.

mod aead;
mod capability;
mod context;
mod data_key;
mod error;
#[cfg(test)]
mod example_keys;
mod fingerprint;
mod generate;
mod keyring;
mod settings;

pub use capability::{Capability, CapabilityError, Purpose, Redeemed};
pub use context::Subject;
pub use data_key::{DataKey, MAX_DOCUMENT_BYTES};
pub use error::OpenError;
pub use fingerprint::Fingerprint;
pub use generate::generate_entry;
pub use keyring::{Keyring, KeyringError};
pub use settings::{Keys, read_sealing_keys, read_token_keys};
