//! As many connections as it takes.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use hyper::StatusCode;
use tokio::sync::Semaphore;

use super::{Call, Connection};

/// Connections to one address. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Pool {
    address: SocketAddr,
    idle: Arc<Mutex<Vec<Connection>>>,
    /// Whose turn it is.
    turns: Arc<Semaphore>,
    opened: Arc<AtomicUsize>,
}

/// No more than Assure would open.
const USUAL: usize = 256;

impl Pool {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self::holding(address, USUAL)
    }

    /// With at most so many connections.
    pub(crate) fn holding(address: SocketAddr, at_most: usize) -> Self {
        Self {
            address,
            idle: Arc::default(),
            turns: Arc::new(Semaphore::new(at_most)),
            opened: Arc::default(),
        }
    }

    /// Sends a call over a connection that waits, or a new one.
    pub(crate) async fn send(&self, call: Call) -> StatusCode {
        let _turn = self.turns.acquire().await.unwrap();
        let idle = {
            let mut all = self.idle();
            all.retain(Connection::is_open);
            all.pop()
        };
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.open().await,
        };
        let status = connection.send(call).await.unwrap();
        self.idle().push(connection);
        status
    }

    /// How many connections it has opened so far.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    async fn open(&self) -> Connection {
        let connection = Connection::open(self.address).await.unwrap();
        self.opened.fetch_add(1, Ordering::Relaxed);
        connection
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
