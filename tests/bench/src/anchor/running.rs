//! An anchor's process.

use std::{net::SocketAddr, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
};

use super::Anchor;
use crate::usage::Spent;

/// Killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Running {
    /// Starts it, and waits until it listens.
    pub(crate) async fn start(anchor: &Anchor) -> Self {
        let mut child = anchor.command().stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("an address");
        Self { child, address: line.parse().unwrap() }
    }

    /// What it has used.
    pub(crate) fn spent(&self, name: &'static str) -> Option<Spent> {
        Spent::by(name, self.pid())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }
}
