//! Long runs, of the size that their arguments say.
//!
//! * What for: `make chaos` and `make lost-callbacks`, whose figures are in `docs/reliability.md`.
//! * What not for: every day; short ones of both are among the tests in `it`.
//! * Where to begin: `../it/chaos/mod.rs`, and `lost_callbacks.rs`.
//!
//! A run prints how it goes and what came of it, and ends with 1 when a promise was broken.

#![expect(clippy::unwrap_used, reason = "a run that can't be made has failed")]

#[path = "../it/chaos/mod.rs"]
mod chaos;
#[path = "../it/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "made for the tests, a part of it is used here")]
mod harness;
mod lost_callbacks;
#[path = "../it/resilience"]
mod resilience {
    #[expect(dead_code, unused_imports, reason = "made for the tests, a part of it is used here")]
    pub(crate) mod harness;
}

use std::{process::ExitCode, time::Duration};

use chaos::Chaos;

const USAGE: &str = "chaos <verifications> <kills> <seed> | lost-callbacks <verifications>";

#[tokio::main]
#[expect(clippy::print_stderr, reason = "for whoever has typed it")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let is_kept = match arguments[..] {
        ["chaos", verifications, kills, seed] => {
            let verifications: usize = verifications.parse().expect(USAGE);
            let chaos = Chaos {
                verifications,
                kills: kills.parse().expect(USAGE),
                seed: seed.parse().expect(USAGE),
                callers: (verifications / 50).clamp(8, 200),
                longest_pause: Duration::from_secs(15),
                longest_outage: Duration::from_secs(20),
                settles_within: Duration::from_secs(180),
                is_long: true,
            };
            Box::pin(chaos.run()).await.is_kept()
        }
        ["lost-callbacks", verifications] => {
            Box::pin(lost_callbacks::run(verifications.parse().expect(USAGE))).await
        }
        _ => {
            eprintln!("{USAGE}");
            false
        }
    };
    if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
