//! Anchors: programs that do as little as can be done, with the libraries that the services use.
//! Each is a process of its own, as a service is.

mod bare;
mod naive;
mod running;

use std::net::SocketAddr;

use axum::Router;
use clap::Subcommand;
use serde::Deserialize;
use tokio::net::TcpListener;

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
        }
    }

    /// The arguments that start it again as a process.
    fn arguments(&self) -> Vec<String> {
        let (name, listen, nats) = match self {
            Self::Bare { listen } => ("bare", listen, None),
            Self::Naive { listen, nats } => ("naive", listen, Some(nats)),
        };
        let mut arguments = vec!["anchor".to_owned(), name.to_owned()];
        arguments.extend(["--listen".to_owned(), listen.to_string()]);
        if let Some(nats) = nats {
            arguments.extend(["--nats".to_owned(), nats.clone()]);
        }
        arguments
    }
}

#[expect(clippy::print_stdout, reason = "whoever started it reads where it listens")]
async fn serve(listen: SocketAddr, router: Router) {
    let listener = TcpListener::bind(listen).await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}
