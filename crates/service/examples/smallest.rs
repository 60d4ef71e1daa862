//! The smallest service: its settings, one route, the admin endpoints.
//!
//! `cargo run -p proofline-service --example smallest -- --help`

use std::{net::SocketAddr, process::ExitCode};

use axum::{Router, routing::get};
use proofline_service::{About, Shutdown, http};
use proofline_settings::Reader;

struct Settings {
    listen: SocketAddr,
    admin_listen: SocketAddr,
    greeting: String,
    limits: http::Limits,
}

impl Settings {
    fn read(r: &mut Reader) -> Option<Self> {
        let listen = r.address("PROOFLINE_LISTEN", "127.0.0.1:8080", "Public HTTP.");
        let admin = r.address("PROOFLINE_ADMIN_LISTEN", "127.0.0.1:9080", "Admin HTTP.");
        let greeting = r.text("PROOFLINE_GREETING", None, "What it answers.");
        let limits = http::Limits::read(r);
        Some(Self { listen: listen?, admin_listen: admin?, greeting: greeting?, limits: limits? })
    }
}

async fn run(settings: Settings, shutdown: Shutdown) -> anyhow::Result<()> {
    let listener = http::bind(settings.listen).await?;
    let admin = http::bind(settings.admin_listen).await?;
    let readiness = http::Readiness::new(shutdown.clone());
    let limits = settings.limits;
    let answer = get(|| async move { settings.greeting }).post(|body: String| async { body });
    let router = Router::new().route("/", answer);
    http::with_admin(admin, readiness, http::serve(listener, router, limits, shutdown)).await
}

fn main() -> ExitCode {
    let about = About {
        name: "smallest",
        summary: "Answers GET with a greeting, POST with what it was sent.",
    };
    proofline_service::main(about, Settings::read, run)
}
