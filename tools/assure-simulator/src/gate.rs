//! What every API call passes on its way in and out: it is recorded, meets the fault that is meant
//! for it, and its refusal gets a body.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use futures_util::stream;

use crate::body;
use crate::calls::Call;
use crate::clock::{self, Clock, pause};
use crate::connection::Shears;
use crate::error::{Refusal, Shape, complete};
use crate::faults::{AnswerShape, Fault, Kind, RetryAfter};
use crate::operation;
use crate::simulator::Simulator;

/// Broken in the middle of a character, so that it is neither JSON nor text.
const GARBAGE: &[u8] = b"{\"processId\": \"\xC3";

/// Records a call and lets its fault happen.
pub(crate) async fn pass(
    State(simulator): State<Arc<Simulator>>,
    ConnectInfo(shears): ConnectInfo<Shears>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let operation = operation::name(&method, &path);
    let fault = simulator.faults.draw(operation, &path);
    let number = simulator.calls.begin(Call {
        number: 0,
        at_ms: simulator.clock.now_ms(),
        answered_at_ms: None,
        operation,
        method: method.to_string(),
        path: path.clone(),
        query: request.uri().query().map(str::to_owned),
        status: None,
        fault: fault.as_ref().map(|f| f.kind.name()),
    });

    let call = Pass { method, path, request, next };
    let answer = match fault {
        None => Some(call.carry_out().await),
        Some(fault) => suffer(fault, call, &simulator).await,
    };

    let status = answer.as_ref().map(Response::status);
    simulator.calls.end(number, status, simulator.clock.now_ms());
    answer.unwrap_or_else(|| {
        shears.sever();
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}

/// Refuses calls without a valid token.
pub(crate) async fn authorise(
    State(simulator): State<Arc<Simulator>>,
    request: Request,
    next: Next,
) -> Response {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "));
    if token.is_some_and(|t| simulator.tokens.is_valid(t)) {
        return next.run(request).await;
    }
    body::drain(request.into_body()).await;
    Refusal::unauthorized().into_response()
}

/// Writes the bodies of refusals where no gate does.
pub(crate) async fn complete_refusals(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    complete(next.run(request).await, &method, &path)
}

/// A call on its way to its handler.
struct Pass {
    method: Method,
    path: String,
    request: Request,
    next: Next,
}

impl Pass {
    async fn carry_out(self) -> Response {
        complete(self.next.run(self.request).await, &self.method, &self.path)
    }

    /// Carries the call out for its effect alone, or not at all.
    async fn carry_out_if(self, wanted: bool) -> Option<Response> {
        if wanted {
            return Some(self.carry_out().await);
        }
        body::drain(self.request.into_body()).await;
        None
    }
}

/// Lets the fault happen; no answer means that the connection is to be severed.
async fn suffer(fault: Fault, call: Pass, simulator: &Simulator) -> Option<Response> {
    match fault.kind {
        Kind::Status { code, retry_after, body } => {
            let (method, path) = (call.method.clone(), call.path.clone());
            call.carry_out_if(fault.carried_out).await;
            let answer = error_answer(code, body, retry_after, &simulator.clock);
            Some(complete(answer, &method, &path))
        }
        Kind::Slow { ms } => {
            let wait = simulator.pause(Duration::from_millis(ms));
            if fault.carried_out {
                let answer = call.carry_out().await;
                wait.await;
                Some(answer)
            } else {
                wait.await;
                Some(call.carry_out().await)
            }
        }
        Kind::Reset => {
            call.carry_out_if(fault.carried_out).await;
            None
        }
        Kind::CutOff => cut_off(call.carry_out().await).await,
        Kind::Garbage => {
            let true_answer = call.carry_out_if(fault.carried_out).await;
            let status = true_answer.map_or(StatusCode::OK, |a| a.status());
            let json = [(header::CONTENT_TYPE, "application/json")];
            Some((status, json, Bytes::from_static(GARBAGE)).into_response())
        }
    }
}

fn error_answer(
    code: u16,
    shape: AnswerShape,
    retry_after: Option<RetryAfter>,
    clock: &Clock,
) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let refusal = Refusal::new(status, "The simulator was told to answer so.");
    let mut answer = match shape {
        AnswerShape::Assure => refusal.into_response(),
        AnswerShape::Platform => {
            let code = match status {
                StatusCode::UNAUTHORIZED => "invalid_token",
                StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
                _ => "unexpected_error",
            };
            refusal.shaped(Shape::Platform(code)).into_response()
        }
        AnswerShape::Html => (status, Html("<html><body>Sorry.</body></html>")).into_response(),
        AnswerShape::Empty => status.into_response(),
    };
    if let Some(retry_after) = retry_after {
        let text = match retry_after {
            RetryAfter::Seconds(seconds) => seconds.to_string(),
            RetryAfter::DateIn(seconds) => {
                clock::http_date(clock.now() + Duration::from_secs(seconds))
            }
        };
        let value = HeaderValue::from_str(&text).expect("digits or a date");
        answer.headers_mut().insert(header::RETRY_AFTER, value);
    }
    answer
}

/// The first half of an answer under the length of the whole; an answer too short to be halved is
/// not sent at all.
async fn cut_off(answer: Response) -> Option<Response> {
    let (mut parts, body) = answer.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.ok()?;
    if whole.len() < 2 {
        return None;
    }
    let half = whole.slice(..whole.len() / 2);
    let pieces = stream::unfold(Some(half), |half| async move {
        if half.is_none() {
            // Gives the server time to send the half, which it would drop along with the error.
            pause(Duration::from_millis(20)).await;
        }
        let piece = half.ok_or(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        Some((piece, None))
    });
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    Some(Response::from_parts(parts, Body::from_stream(pieces)))
}
