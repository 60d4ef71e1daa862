//! A public HTTP server that stops gracefully.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{interval, timeout},
};
use tracing::{debug, info, warn};

use super::{Callers, Limits, edge::Edge, peers::Peers, traced};
use crate::Shutdown;

/// No request head is larger.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// When to try again after a connection could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on an address.
///
/// # Errors
///
/// When the port is taken or may not be opened; the message names the address.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Serves a router within limits: a span and a duration for every request ([`traced`]), 500 for a
/// panic, headers for browsers; whoever is still sending gets to read the answer. Once shutdown is
/// asked it ends each connection with its next answer, after 1 s takes no new ones, and returns when
/// the requests in flight are answered, or after 8 s; a stream without end must watch `shutdown` itself.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    serve_callers(listener, router, limits, shutdown, Callers::Known).await
}

/// The same for a port that is open to the public: [`Callers::Strangers`].
///
/// # Errors
///
/// When the listener fails.
pub async fn serve_strangers(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    serve_callers(listener, router, limits, shutdown, Callers::Strangers).await
}

async fn serve_callers(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: Shutdown,
    callers: Callers,
) -> anyhow::Result<()> {
    info!(address = %listener.local_addr()?, "listening");
    let edge =
        Edge { router: traced(router, callers), shutdown, body_timeout: Some(limits.body_timeout) };
    run(listener, edge, limits).await;
    Ok(())
}

/// Serves until shutdown is asked, and then until the requests in flight are answered.
pub(super) async fn run(listener: TcpListener, edge: Edge, limits: Limits) {
    let shutdown = edge.shutdown.clone();
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.max_connections));
    let accepting = accept_all(listener, edge, &connections, &places, limits);
    tokio::select! {
        () = accepting => {}
        () = lingered(&shutdown, limits.linger) => {}
    }
    if timeout(limits.drain, connections.shutdown()).await.is_err() {
        warn!("a request whose sender did not end it in time was dropped");
    }
}

/// Waits until shutdown was asked so long ago.
#[expect(clippy::disallowed_methods, reason = "what others have sent already takes a time to come")]
async fn lingered(shutdown: &Shutdown, linger: Duration) {
    shutdown.cancelled().await;
    tokio::time::sleep(linger).await;
}

/// Takes connections until it is dropped. Whoever sends no request for too long loses its
/// connection, and there are never more than so many: strangers must not use up the descriptors.
async fn accept_all(
    listener: TcpListener,
    edge: Edge,
    connections: &GracefulShutdown,
    places: &Arc<Semaphore>,
    limits: Limits,
) {
    let peers = Peers::new(limits.max_connections_per_peer);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(MAX_HEAD_BYTES);
    loop {
        let (stream, peer, place) = accept(&listener, places).await;
        let Some(counted) = peers.count(peer.ip()) else {
            debug!("an address has as many connections as it may");
            continue;
        };
        // Answers are small and one write: waiting to fill a packet only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "TCP_NODELAY was refused");
        }
        let edge = edge.clone();
        let service = service_fn(move |request| edge.clone().answer(request));
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "a connection broke");
            }
            drop((place, counted));
        });
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
    let mut pause = interval(ACCEPT_PAUSE);
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) => {
                // Descriptors may have run out; others give them back.
                warn!(%error, "a connection could not be taken");
                pause.reset();
                pause.tick().await;
            }
        }
    }
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

    async fn listening() -> (TcpListener, SocketAddr) {
        let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

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
        let (listener, address) = listening().await;
        let shutdown = Shutdown::new();
        let router = Router::new().route("/", get(handler));
        let server = tokio::spawn(serve(listener, router, Limits::USUAL, shutdown.clone()));

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
    async fn what_was_on_its_way_at_the_stop_is_answered_as_the_last_of_its_connection() {
        let (listener, address) = listening().await;
        let shutdown = Shutdown::new();
        let router = Router::new().route("/", get(async || "done"));
        let server = tokio::spawn(serve(listener, router, Limits::USUAL, shutdown.clone()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"done") {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "{answer:?}");
        }
        assert!(!String::from_utf8_lossy(&answer).contains("connection: close"));

        shutdown.cancel();
        let fresh = request(address).await.unwrap();
        assert!(fresh.starts_with("HTTP/1.1 200"), "{fresh}");
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();

        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_500() {
        async fn handler() {
            panic!("a bug")
        }
        let (listener, address) = listening().await;
        let shutdown = Shutdown::new();
        let router = Router::new().route("/", get(handler));
        let server = tokio::spawn(serve(listener, router, Limits::USUAL, shutdown.clone()));

        let answer = request(address).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert!(!answer.contains("a bug"), "{answer}");
        shutdown.cancel();
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_request_that_never_ends_does_not_hold_the_stop() {
        let (listener, address) = listening().await;
        let shutdown = Shutdown::new();
        let limits =
            Limits { drain: Duration::from_millis(1), linger: Duration::ZERO, ..Limits::USUAL };
        let arrived = Arc::new(Notify::new());
        let inside = Arc::clone(&arrived);
        let handler = move || async move {
            inside.notify_one();
            std::future::pending::<()>().await;
        };
        let router = Router::new().route("/", get(handler));
        let edge = Edge { router, shutdown: shutdown.clone(), body_timeout: None };
        let server = tokio::spawn(run(listener, edge, limits));
        let request = tokio::spawn(request(address));
        arrived.notified().await;
        shutdown.cancel();
        server.await.unwrap();
        request.abort();
    }

    #[tokio::test]
    async fn a_connection_that_sends_no_request_is_closed_and_makes_room() {
        let (listener, address) = listening().await;
        let header_timeout = Duration::from_millis(50);
        let limits = Limits { header_timeout, max_connections: 1, ..Limits::USUAL };
        let shutdown = Shutdown::new();
        let router = Router::new().route("/", get(async || "done"));
        let edge = Edge { router, shutdown: shutdown.clone(), body_timeout: None };
        let server = tokio::spawn(run(listener, edge, limits));
        let mut stranger = TcpStream::connect(address).await.unwrap();
        stranger.write_all(b"GET / HT").await.unwrap();
        // There is one place, so this answer comes once the stranger has lost it.
        assert!(request(address).await.unwrap().ends_with("done"));
        assert_eq!(stranger.read(&mut [0; 256]).await.unwrap_or(0), 0);
        shutdown.cancel();
        server.await.unwrap();
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let taken = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind(address).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {address}"));
    }
}
