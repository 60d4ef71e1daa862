//! The tenants file: who may call, from which web origins, and who is told.
//!
//! **What for.** Reads the TOML file of `PROOFLINE_TENANTS_FILE`, finds every fault in it at once,
//! and answers three questions: whose API key is this ([`Tenants::authenticate`]), what belongs to
//! a tenant ([`Tenant`]), which durable consumers its subscribers have ([`Tenants::durable_names`]).
//!
//! **What not for.** It knows no HTTP and no NATS, and keeps no API key: the file has their hashes.
//! A webhook secret is read by the one service that needs it ([`Tenant::events_secret`]).
//!
//! **Where to begin.** [`Tenants`], then `file.rs` for the rules of the file.

mod fields;
mod file;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod keys;
mod origin;
mod tenant;
mod tenants;
#[cfg(test)]
mod tests;

pub use origin::{Origin, OriginError};
pub use proofline_events::TenantName;
pub use tenant::Tenant;
pub use tenants::Tenants;
