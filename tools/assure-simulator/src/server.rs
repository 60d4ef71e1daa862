//! The routes, and serving them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::pause;
use crate::connection::{Listener, Shears};
use crate::error::Refusal;
use crate::settings::Settings;
use crate::simulator::Simulator;
use crate::{
    admin, capture, document_types, dossiers, files, gate, images, listing, media, pages,
    processes, token, user_data, verification,
};

/// How long calls in flight may take to end after the shutdown was asked for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Serves the simulator on `listener` until `shutdown`: the token endpoint at
/// `/auth/open/connect/token`, the API under `/assure`, the admin API under `/simulator`.
///
/// A TLS crypto provider of rustls must have been installed before.
///
/// # Errors
///
/// When the client for callbacks can't be built, or the listener fails.
pub async fn serve(
    listener: TcpListener,
    settings: Settings,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, "listening");
    let simulator = Arc::new(Simulator::new(settings, base(address), shutdown.clone())?);
    let service = router(Arc::clone(&simulator)).into_make_service_with_connect_info::<Shears>();
    let serving = axum::serve(Listener(listener), service)
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let out_of_patience = async {
        shutdown.cancelled().await;
        pause(PATIENCE).await;
    };
    tokio::select! {
        served = serving => served?,
        // Somebody sends or reads too slowly, and has to live with the end of the process.
        () = out_of_patience => tracing::debug!("calls in flight were broken off"),
    }
    simulator.finish_tasks().await;
    Ok(())
}

fn router(simulator: Arc<Simulator>) -> Router {
    let api = api().layer(from_fn_with_state(Arc::clone(&simulator), gate::authorise));
    let recorded = Router::new()
        .route("/auth/open/connect/token", post(token::issue))
        .nest("/assure", api)
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(Arc::clone(&simulator), gate::pass));
    let admin = admin::router().layer(from_fn(gate::complete_refusals));
    Router::new()
        .nest("/simulator", admin)
        .merge(pages::router())
        .merge(recorded)
        .with_state(simulator)
}

/// How a browser on this machine reaches a listener.
fn base(address: SocketAddr) -> String {
    let host = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    format!("http://{}", SocketAddr::new(host, address.port()))
}

/// Everything that needs a token.
fn api() -> Router<Arc<Simulator>> {
    let process = "/dossiers/{dossierId}/processes/{processId}";
    Router::new()
        .route("/dossiers", post(dossiers::create).get(dossiers::list))
        .route("/dossiers/all", delete(dossiers::delete_all))
        .route("/dossiers/{dossierId}", get(dossiers::get).delete(dossiers::delete))
        .route(
            "/dossiers/{dossierId}/userdata",
            post(user_data::create)
                .get(user_data::get)
                .put(user_data::update)
                .delete(user_data::delete),
        )
        .route(
            "/dossiers/{dossierId}/files",
            post(files::set).get(files::get).delete(files::delete),
        )
        .route("/dossiers/{dossierId}/capture", post(capture::start))
        .route("/dossiers/{dossierId}/processes", post(processes::create))
        .route(process, get(processes::get).post(verification::start).delete(processes::delete))
        .route(&format!("{process}/images"), post(images::set).get(images::get))
        .route(&format!("{process}/video"), get(media::video))
        .route(&format!("{process}/download"), get(media::download))
        .route(&format!("{process}/raw"), get(media::raw))
        .route(&format!("{process}/external-id"), get(processes::external_id))
        .route(&format!("{process}/fail"), post(processes::fail))
        .route("/processes", get(listing::list))
        .route("/{providerName}/document-types", get(document_types::list))
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
}

async fn unknown(State(_): State<Arc<Simulator>>) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "The simulator offers no such call.")
}

async fn not_allowed(State(_): State<Arc<Simulator>>) -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "The path knows no such method.")
}
