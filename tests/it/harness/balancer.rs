//! One address for several replicas, as a Service of Kubernetes: new connections go to those that
//! are in rotation, those that are open stay where they are.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// Takes connections until it is dropped.
pub(crate) struct Balancer {
    pub(crate) url: String,
    rotation: Rotation,
    accepting: tokio::task::JoinHandle<()>,
}

/// Whose turn is next stands first.
type Rotation = Arc<Mutex<Vec<SocketAddr>>>;

impl Balancer {
    /// Nobody is in rotation yet.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let rotation = Rotation::default();
        let accepting = tokio::spawn(accept(listener, rotation.clone()));
        Self { url, rotation, accepting }
    }

    /// Gives new connections to this replica too.
    pub(crate) fn add(&self, url: &str) {
        lock(&self.rotation).push(address(url));
    }

    /// Gives it none any more.
    pub(crate) fn remove(&self, url: &str) {
        lock(&self.rotation).retain(|replica| *replica != address(url));
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, rotation: Rotation) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(pass_on(stream, rotation.clone()));
    }
}

async fn pass_on(mut caller: TcpStream, rotation: Rotation) {
    let replica = {
        let mut rotation = lock(&rotation);
        if rotation.is_empty() {
            return;
        }
        rotation.rotate_left(1);
        rotation[0]
    };
    let Ok(mut service) = TcpStream::connect(replica).await else { return };
    // However it ends, both ends see it.
    let _ = copy_bidirectional(&mut caller, &mut service).await;
}

fn lock(rotation: &Rotation) -> std::sync::MutexGuard<'_, Vec<SocketAddr>> {
    rotation.lock().unwrap_or_else(PoisonError::into_inner)
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}
