//! The simulator as a program.

use std::net::SocketAddr;
use std::process::ExitCode;

use assure_simulator::Settings;
use proofline_service::{About, Shutdown, http};
use proofline_settings::Reader;

struct Program {
    listen: SocketAddr,
    simulator: Settings,
}

impl Program {
    fn read(r: &mut Reader) -> Option<Self> {
        let about = "Token endpoint, API and admin API; the last is open to whoever reaches it.";
        let listen = r.address("SIMULATOR_LISTEN", "127.0.0.1:8090", about);
        let simulator = Settings::read(r);
        Some(Self { listen: listen?, simulator: simulator? })
    }
}

async fn run(program: Program, shutdown: Shutdown) -> anyhow::Result<()> {
    let listener = http::bind(program.listen).await?;
    assure_simulator::serve(listener, program.simulator, shutdown).await
}

fn main() -> ExitCode {
    let about = About {
        name: "assure-simulator",
        summary: "Stands in for Signicat's Assure API over HTTP, for development and tests.",
    };
    proofline_service::main(about, Program::read, run)
}
