//! What the main of every process shares: start, telemetry, admin endpoints, stop.
//!
//! **What for.** A service states its name, its settings function and its `run`; [`main`] does the
//! rest the same way everywhere: `--help`, every wrong setting in one message and exit code 2,
//! telemetry, signals, a bounded drain, exit codes. [`http`] listens, answers `/livez`, `/readyz`
//! and `/metrics`, and puts a span and a duration on every request. [`telemetry::context`] carries
//! trace context over headers of any kind.
//!
//! **What not for.** No routes and no business words; problem details are `proofline-problem`'s.
//! Nothing but [`main`] and [`telemetry::init`] touches state of the whole process, so that several
//! services can run in one.
//!
//! **Where to begin.** `examples/smallest.rs`, then [`main`] in `process.rs`.

mod core_files;
mod panics;
mod plan;
mod process;
mod rate;

/// Of every program that is linked with this: a callback takes hundreds of small allocations, on whichever
/// thread. `.cargo/config.toml` sets it up to keep little memory that is not used.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

pub mod http;
pub mod telemetry;

pub use plan::{About, Plan, Ready, plan};
pub use process::{install_crypto_provider, main};
pub use rate::{Rate, RateSettings, Shares};

/// Cancelled when the process was asked to stop; every long task watches it.
pub type Shutdown = tokio_util::sync::CancellationToken;
