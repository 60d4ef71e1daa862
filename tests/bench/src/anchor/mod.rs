//! Anchors: programs that do as little as can be done, with the libraries that the services use.
//! Each is a process of its own, as a service is.

mod bare;
mod buffered;
mod naive;
mod proxy;
mod running;
mod sink;

use std::net::SocketAddr;

use axum::Router;
use clap::Subcommand;
use serde::Deserialize;
use tokio::{net::TcpListener, process::Command};

pub(crate) use running::Running;

/// Where an anchor's messages go.
pub(crate) const STREAM: &str = "ANCHOR";

/// Which anchor, and what it must know.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Anchor {
    /// Reads the callback and answers.
    Bare {
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Reads the callback, publishes it, waits for the acknowledgement, and answers.
    Naive {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        nats: String,
    },
    /// Passes bodies on as they come.
    Proxy {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        to: String,
    },
    /// Waits for bodies, and passes them on as data URLs.
    Buffered {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        to: String,
    },
    /// Reads bodies to their end.
    Sink {
        #[arg(long)]
        listen: SocketAddr,
    },
}

/// What an anchor reads of a callback.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Callback {
    process_id: String,
}

impl Anchor {
    /// Serves until it is killed.
    pub(crate) async fn serve(self) {
        match self {
            Self::Bare { listen } => serve(listen, bare::router()).await,
            Self::Naive { listen, nats } => serve(listen, naive::router(&nats).await).await,
            Self::Proxy { listen, to } => serve(listen, proxy::router(to)).await,
            Self::Buffered { listen, to } => serve(listen, buffered::router(to)).await,
            Self::Sink { listen } => serve(listen, sink::router()).await,
        }
    }

    /// What starts it as a process.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("anchor").args(self.arguments());
        command.args(["--listen", &self.listen().to_string()]).kill_on_drop(true);
        command
    }

    fn arguments(&self) -> Vec<&str> {
        match self {
            Self::Bare { .. } => vec!["bare"],
            Self::Naive { nats, .. } => vec!["naive", "--nats", nats],
            Self::Proxy { to, .. } => vec!["proxy", "--to", to],
            Self::Buffered { to, .. } => vec!["buffered", "--to", to],
            Self::Sink { .. } => vec!["sink"],
        }
    }

    fn listen(&self) -> SocketAddr {
        match self {
            Self::Bare { listen }
            | Self::Naive { listen, .. }
            | Self::Proxy { listen, .. }
            | Self::Buffered { listen, .. }
            | Self::Sink { listen } => *listen,
        }
    }
}

#[expect(clippy::print_stdout, reason = "whoever started it reads where it listens")]
async fn serve(listen: SocketAddr, router: Router) {
    let listener = TcpListener::bind(listen).await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}
