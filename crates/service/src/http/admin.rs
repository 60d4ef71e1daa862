//! The admin endpoints: `/livez`, `/readyz`, `/metrics`. Not for the public.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus::{Encoder, TextEncoder};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use tracing::info;

use super::{Limits, Readiness, edge::Edge, server};
use crate::{Shutdown, telemetry};

/// Serves the admin endpoints until shutdown is asked. Most services want [`with_admin`], under
/// which `/readyz` still answers while work in flight is finished.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve_admin(
    listener: TcpListener,
    readiness: Readiness,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    info!(address = %listener.local_addr()?, "admin endpoints are listening");
    let edge = Edge { router: router(readiness), shutdown, body_timeout: None };
    server::run(listener, edge, Limits::ADMIN).await;
    Ok(())
}

/// Does `work` with the admin endpoints beside it, which answer for as long as it lasts: ready or
/// not while it runs, not ready while it drains. They have a task of their own, so that busy work
/// does not look dead.
///
/// # Errors
///
/// Those of `work`, or when the admin listener fails.
pub async fn with_admin(
    listener: TcpListener,
    readiness: Readiness,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let never = Shutdown::new();
    let admin = AbortOnDropHandle::new(tokio::spawn(serve_admin(listener, readiness, never)));
    tokio::select! {
        result = work => result,
        result = admin => result?,
    }
}

fn router(readiness: Readiness) -> Router {
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(readiness)
}

async fn readyz(State(readiness): State<Readiness>) -> Response {
    match readiness.ready() {
        Ok(()) => Json(json!({"status": "ready"})).into_response(),
        Err(reasons) => {
            let body = Json(json!({"status": "unready", "reasons": reasons}));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

async fn metrics() -> Response {
    let encoder = TextEncoder::new();
    match encoder.encode_to_string(&telemetry::registry().gather()) {
        Ok(text) => ([(CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use tower::ServiceExt;

    use super::*;

    async fn get(readiness: &Readiness, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(readiness.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_answers_200_or_503_with_every_reason() {
        let readiness = Readiness::new(Shutdown::new());
        let ready = (StatusCode::OK, r#"{"status":"ready"}"#.to_owned());
        assert_eq!(get(&readiness, "/readyz").await, ready);

        readiness.check("nats", Arc::new(|| Err("not connected".to_owned())));
        let (status, body) = get(&readiness, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body, r#"{"reasons":["nats: not connected"],"status":"unready"}"#);
    }

    #[tokio::test]
    async fn liveness_does_not_depend_on_readiness() {
        let readiness = Readiness::new(Shutdown::new());
        readiness.check("nats", Arc::new(|| Err("not connected".to_owned())));
        assert_eq!(get(&readiness, "/livez").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_are_text_and_nothing_else_is_served() {
        let readiness = Readiness::new(Shutdown::new());
        assert_eq!(get(&readiness, "/metrics").await.0, StatusCode::OK);
        assert_eq!(get(&readiness, "/").await.0, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn the_endpoints_last_as_long_as_the_work() {
        let listener = super::super::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let work = async {
            tokio::net::TcpStream::connect(address).await?;
            Ok(())
        };
        with_admin(listener, Readiness::new(Shutdown::new()), work).await.unwrap();
    }
}
