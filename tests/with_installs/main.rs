//! What needs more than Rust and Python: `make test-all` installs it and runs these.
//!
//! * What for: the same stage as in `it`, met by programs in other languages.
//! * What not for: anything that `it` can show.
//! * Where to begin: `subscribers.rs`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
#[path = "../it/subscribers/example.rs"]
mod example;
#[expect(dead_code, unused_imports, reason = "made for `it`, which uses all of it")]
#[path = "../it/harness/mod.rs"]
mod harness;
mod installs;
mod observability;
#[expect(dead_code, unused_imports, reason = "made for `it`, which uses all of it")]
#[path = "../it/resilience/harness/mod.rs"]
mod resilience;
#[path = "../it/telemetry/run.rs"]
mod run;
#[expect(dead_code, reason = "made for `it`, which uses all of it")]
#[path = "../it/telemetry/scrape.rs"]
mod scrape;

mod subscribers;
mod upgrade;
