//! Where Assure's callbacks go when a test wants to have them in its own hands.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, header},
    routing::post,
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    time::timeout,
};

use super::PATIENCE;

/// A callback as Assure sent it.
#[derive(Debug, Clone)]
pub(crate) struct Caught {
    pub(crate) token: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

/// Answers every callback with 200, and keeps it.
pub(crate) struct Mailbox {
    /// With a path of its own, which must be kept.
    pub(crate) url: String,
    caught: Mutex<mpsc::UnboundedReceiver<Caught>>,
}

impl Mailbox {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/behind/a/gateway/", listener.local_addr().unwrap());
        let (sender, receiver) = mpsc::unbounded_channel();
        let router = Router::new()
            .route("/behind/a/gateway/callbacks/{token}", post(keep))
            .with_state(sender);
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, caught: Mutex::new(receiver) }
    }

    pub(crate) async fn next(&self) -> Caught {
        let mut caught = self.caught.lock().await;
        timeout(PATIENCE, caught.recv()).await.expect("no callback came").unwrap()
    }
}

async fn keep(
    State(sender): State<mpsc::UnboundedSender<Caught>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) {
    let authorization = headers.get(header::AUTHORIZATION);
    let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
    // The test may have ended.
    let _ = sender.send(Caught { token, authorization, body });
}
