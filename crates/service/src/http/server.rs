//! A public HTTP server that stops gracefully.

use std::{any::Any, net::SocketAddr, pin::pin, time::Duration};

use anyhow::Context;
use axum::{
    Router,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{debug, info, warn};

use super::{traced, unread};
use crate::Shutdown;

/// Less than the bound of the whole process: a stranger who sends half a request and then nothing
/// must not turn a good stop into a failed one.
pub(super) const DRAIN: Duration = Duration::from_secs(8);

/// Listens on an address.
///
/// # Errors
///
/// When the port is taken or may not be opened; the message names the address.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Serves a router: a span and a duration for every request ([`traced`]), 500 for a panic;
/// and whoever is still sending gets to read the answer. Once
/// shutdown is asked it accepts nothing new and returns when the requests in flight are answered,
/// or after 8 s; a stream without end must watch `shutdown` itself.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    info!(address = %listener.local_addr()?, "listening");
    // Answers are small and one write: waiting to fill a packet only delays them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "TCP_NODELAY was refused");
        }
    });
    let router = traced(router.layer(CatchPanicLayer::custom(panicked)));
    let router = router.layer(middleware::from_fn(unread::read_on));
    let server = axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.clone().cancelled_owned())
        .into_future();
    drained(server, &shutdown, DRAIN).await
}

/// Waits for the server; once shutdown is asked, no longer than `drain`.
pub(super) async fn drained(
    server: impl Future<Output = std::io::Result<()>>,
    shutdown: &Shutdown,
    drain: Duration,
) -> anyhow::Result<()> {
    let mut server = pin!(server);
    tokio::select! {
        result = &mut server => return Ok(result?),
        () = shutdown.cancelled() => {}
    }
    match tokio::time::timeout(drain, server).await {
        Ok(result) => Ok(result?),
        Err(_) => {
            warn!("a request whose sender did not end it in time was dropped");
            Ok(())
        }
    }
}

/// The panic itself was logged where it happened.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        sync::Notify,
    };

    use super::*;

    async fn request(address: SocketAddr) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_request_in_flight_is_answered_after_shutdown_and_no_new_one_is_taken() {
        let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (inside, release) = (Arc::clone(&arrived), Arc::clone(&go_on));
        let handler = move || async move {
            inside.notify_one();
            release.notified().await;
            "done"
        };
        let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let router = Router::new().route("/", get(handler));
        let server = tokio::spawn(serve(listener, router, shutdown.clone()));

        let answer = tokio::spawn(request(address));
        arrived.notified().await;
        shutdown.cancel();
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        go_on.notify_one();

        let answer = answer.await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_500() {
        async fn handler() {
            panic!("a bug")
        }
        let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let router = Router::new().route("/", get(handler));
        let server = tokio::spawn(serve(listener, router, shutdown.clone()));

        let answer = request(address).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert!(!answer.contains("a bug"), "{answer}");
        shutdown.cancel();
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_request_that_never_ends_does_not_hold_the_stop() {
        let shutdown = Shutdown::new();
        shutdown.cancel();
        drained(std::future::pending(), &shutdown, Duration::from_millis(1)).await.unwrap();
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let taken = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind(address).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {address}"));
    }
}
