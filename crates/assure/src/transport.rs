//! How a request gets to Assure, and its answer back.
//!
//! Two things carry them: HTTP, and the model of Assure that the simulation (`tests/simulation`)
//! drives. Token, pace, repeats, and what an answer means are the same over both.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, TryFutureExt, future::BoxFuture};
use reqwest::{Method, Request, RequestBuilder, Response, redirect::Policy};
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call may take that says nothing else.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Carries requests.
pub trait Transport: Send + Sync {
    /// Begins a request.
    fn begin(&self, method: Method, url: Url) -> RequestBuilder;

    /// Sends a request, once; returns when the head of its answer is there.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Lost>>;
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// There was no connection: the request never reached a server.
    NoConnection,
    /// The answer did not come in time.
    TimedOut,
    /// The connection broke.
    Broken,
}

impl Lost {
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        if error.is_connect() {
            Self::NoConnection
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Broken
        }
    }
}

/// By HTTP, with connections of its own.
///
/// # Panics
/// When no TLS provider was installed; `proofline_service::main` does.
pub fn http() -> Arc<dyn Transport> {
    let client = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(CALL_TIMEOUT)
        .redirect(Policy::none())
        .build();
    Arc::new(client.expect("a TLS provider is installed"))
}

impl Transport for reqwest::Client {
    fn begin(&self, method: Method, url: Url) -> RequestBuilder {
        self.request(method, url)
    }

    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Lost>> {
        self.execute(request).map_err(|error| Lost::of(&error)).boxed()
    }
}
