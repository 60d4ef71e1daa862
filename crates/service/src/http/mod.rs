//! HTTP as every service speaks it: listening, admin endpoints, spans, graceful stop.

mod admin;
mod edge;
mod headers;
mod limits;
mod paced;
mod peers;
mod readiness;
mod server;
mod span;
mod unread;

pub use admin::{serve_admin, with_admin};
pub use limits::Limits;
pub use readiness::{Check, Readiness};
pub use server::{bind, serve, serve_strangers};
pub use span::{Callers, traced};
