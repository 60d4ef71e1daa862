//! Where a port meets its router: what each request and each answer goes through, whatever its route.
//!
//! A layer of a router takes several allocations of each request, so all of this is one step.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{
        HeaderValue, Request,
        header::{CONNECTION, EXPECT},
    },
    response::Response,
};
use hyper::body::{Body as _, Incoming};
use tower::Service as _;

use super::{headers, paced::Paced, unread::Watched};
use crate::Shutdown;

/// Cheap to clone: each request has its own.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) router: Router,
    pub(super) shutdown: Shutdown,
    /// On a port for others: in how long a least part of a body must come, see [`super::paced`]; and
    /// answers have the headers for browsers.
    pub(super) body_timeout: Option<Duration>,
}

impl Edge {
    pub(super) async fn answer(
        mut self,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        // A sender that waits for our word has sent nothing yet.
        let is_waiting = request.headers().contains_key(EXPECT);
        let request = request.map(|body| match self.body_timeout {
            Some(stretch) if !body.is_end_stream() => {
                let body = Watched::new(Body::new(body).into_data_stream(), !is_waiting);
                Body::from_stream(Paced::new(body, stretch))
            }
            Some(_) | None => Body::new(body),
        });
        let mut answer = self.router.call(request).await?;
        if self.body_timeout.is_some() {
            headers::add(&mut answer);
        }
        // Whoever gets an answer while we stop is told that it is the connection's last.
        if self.shutdown.is_cancelled() {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(answer)
    }
}
