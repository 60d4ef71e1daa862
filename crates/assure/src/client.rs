//! The core of every call: pace, token, time-outs, answers sorted into errors.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use proofline_ambient::clock;
use reqwest::{Method, RequestBuilder, Response};
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout};
use tracing::{Instrument, field::Empty};

use crate::{
    Account, Error, Pace, Refusal, Transport,
    circuit::Circuit,
    metrics::{Asked, InFlight, Whose},
    places::{Place, Places},
    token::TokenCache,
    transport::{self, Lost},
    wire::ErrorBody,
};

/// How long the rest of an answer may take that says only why it failed.
const TRACE_ID_TIMEOUT: Duration = Duration::from_secs(1);
/// Wait this long after a 429 that doesn't say.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(2);
/// No answer that we keep is larger.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// A client of one Assure account. Cheap to clone; clones share token and limits.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    account: Account,
    transport: Arc<dyn Transport>,
    token: TokenCache,
    pace: Box<dyn Pace>,
    places: Places,
    circuit: Circuit,
    whose: Whose,
}

/// One call, before its token is known.
pub(crate) struct Call<'a> {
    /// Name in spans and metrics.
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    /// Segments below the base URL; ids are escaped.
    pub(crate) path: &'a [&'a str],
    /// What kind of answer is wanted.
    pub(crate) accept: &'static str,
    /// Whether sending it again is safe when Assure may have acted already.
    pub(crate) is_repeatable: bool,
}

/// An answer that is not an error.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// What an observation tells of an answer.
trait HasStatus {
    fn status(&self) -> u16;
}

impl HasStatus for Answer {
    fn status(&self) -> u16 {
        self.status
    }
}

impl HasStatus for Response {
    fn status(&self) -> u16 {
        Response::status(self).as_u16()
    }
}

/// The turn to make one call.
#[must_use]
pub struct Turn<'a> {
    client: &'a Client,
    in_flight: InFlight,
    _place: Place<'a>,
}

impl Turn<'_> {
    pub(crate) async fn call(
        self,
        call: Call<'_>,
        build: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Error> {
        let Self { client, in_flight, _place } = self;
        client.observed(&call, in_flight, client.attempts(&call, build)).await
    }
}

impl Client {
    /// A client of this account, whose calls keep to this pace. Calls nobody.
    ///
    /// # Panics
    /// When no TLS provider was installed; `proofline_service::main` does.
    pub fn new(account: Account, pace: Box<dyn Pace>) -> Self {
        Self::of(account, pace, Whose::Common, transport::http())
    }

    pub(crate) fn of(
        account: Account,
        pace: Box<dyn Pace>,
        whose: Whose,
        transport: Arc<dyn Transport>,
    ) -> Self {
        let (places, circuit) = (Places::new(whose), Circuit::new(whose));
        let token = TokenCache::default();
        let inner = Inner { account, transport, token, pace, places, circuit, whose };
        Self { inner: Arc::new(inner) }
    }

    /// Names the account ([`Account::id`]).
    pub fn account_id(&self) -> String {
        self.inner.account.id()
    }

    /// Makes a call whose body can be built again.
    pub(crate) async fn call(
        &self,
        call: Call<'_>,
        build: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Error> {
        let attempts = async {
            let _place = self.inner.places.take().await;
            self.attempts(&call, build).await
        };
        self.observed(&call, self.inner.whose.begins(), attempts).await
    }

    /// Waits for one of the places to call from: after wishes to be left alone there are few, and that
    /// can take minutes. For whoever must make sure of something just before a call; whether Assure may
    /// be called at all is asked by the call. Dropped, it leaves the place to others.
    pub async fn turn(&self) -> Turn<'_> {
        let in_flight = self.inner.whose.begins();
        Turn { client: self, in_flight, _place: self.inner.places.take().await }
    }

    async fn attempts(
        &self,
        call: &Call<'_>,
        build: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Error> {
        match self.attempt(call, &build).await {
            // A token may be revoked before its end: once more with a fresh one.
            Err(Attempt::TokenRefused) => match self.attempt(call, &build).await {
                Err(Attempt::TokenRefused) => Err(Error::Credentials),
                Err(Attempt::Failed(error)) => Err(error),
                Ok(answer) => Ok(answer),
            },
            Err(Attempt::Failed(error @ Error::Unavailable { may_have_happened, .. }))
                if call.is_repeatable || !may_have_happened =>
            {
                tracing::debug!(%error, "trying once more");
                self.attempt(call, &build).await.map_err(|attempt| match attempt {
                    Attempt::Failed(error) => error,
                    Attempt::TokenRefused => Error::Credentials,
                })
            }
            Err(Attempt::Failed(error)) => Err(error),
            Ok(answer) => Ok(answer),
        }
    }

    /// Makes a call whose body can be sent only once. It takes as long as its source does, so it
    /// takes none of the places; how many there are is bounded where they come in.
    pub(crate) async fn call_once(
        &self,
        call: Call<'_>,
        build: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Error> {
        let attempt = async {
            self.attempt_uncounted(&call, build).await.map_err(|attempt| match attempt {
                Attempt::Failed(error) => error,
                // The next call fetches a fresh token; this body is gone.
                Attempt::TokenRefused => Error::Unavailable {
                    cause: "the access token had ended",
                    may_have_happened: false,
                },
            })
        };
        self.observed(&call, self.inner.whose.begins(), attempt).await
    }

    async fn observed<A: HasStatus>(
        &self,
        call: &Call<'_>,
        _in_flight: InFlight,
        work: impl Future<Output = Result<A, Error>>,
    ) -> Result<A, Error> {
        let span = tracing::info_span!(
            "assure.call",
            otel.name = format!("assure.{}", call.operation),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = %call.method,
            http.response.status_code = Empty,
            server.address = self.inner.account.base_url.host_str(),
            server.port = self.inner.account.base_url.port_or_known_default(),
            error.type = Empty,
            assure.trace_id = Empty,
        );
        let begun = Instant::now();
        let result = work.instrument(span.clone()).await;
        let class = result.as_ref().err().map_or("ok", Error::class);
        match &result {
            Ok(answer) => {
                span.record("http.response.status_code", answer.status());
            }
            Err(error) => {
                span.record("error.type", class);
                span.record("otel.status_code", "ERROR");
                if let Error::Refused(refusal) = error {
                    span.record("http.response.status_code", refusal.status);
                    span.record("assure.trace_id", refusal.trace_id.as_deref());
                }
                if matches!(error, Error::Credentials) {
                    tracing::error!("Assure does not accept our credentials");
                }
            }
        }
        self.inner.whose.called(call.operation, class, begun.elapsed());
        result
    }

    async fn attempt(
        &self,
        call: &Call<'_>,
        build: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Attempt> {
        let response = self.send(call, build).await?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: read(response).await? })
    }

    /// The same for a body whose sender may be slow, or hang up: what fails then says nothing of
    /// Assure, and a trial would take as long as the sender does.
    async fn attempt_uncounted(
        &self,
        call: &Call<'_>,
        build: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, Attempt> {
        let sent = self.send_now(call, build).await;
        if let Err(Attempt::Failed(Error::Limited { retry_after })) = &sent {
            self.inner.places.are_too_many(*retry_after);
        }
        let response = sent?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: read(response).await? })
    }

    /// Sends a request once, if Assure is to be called at all now; answers that are no success are
    /// errors.
    async fn send(
        &self,
        call: &Call<'_>,
        build: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Attempt> {
        let Inner { circuit, places, .. } = &*self.inner;
        let pass = circuit.enter().map_err(|retry_after| Error::Limited { retry_after })?;
        let sent = self.send_now(call, build).await;
        match &sent {
            Ok(_) => {
                places.went_well();
                pass.answered();
            }
            Err(Attempt::TokenRefused | Attempt::Failed(Error::Refused(_))) => pass.answered(),
            Err(Attempt::Failed(Error::Unavailable { .. })) => pass.failed(),
            Err(Attempt::Failed(Error::Limited { retry_after })) => {
                places.are_too_many(*retry_after);
            }
            // Nobody was asked, or not for this.
            Err(Attempt::Failed(Error::Credentials | Error::SourceBroke)) => {}
        }
        sent
    }

    async fn send_now(
        &self,
        call: &Call<'_>,
        build: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Attempt> {
        let inner = &self.inner;
        let token = inner.token.get(&*inner.transport, &inner.account, &*inner.pace, inner.whose);
        let token = token.await?;
        // Asked last of all before the call, as others may have been told meanwhile.
        if let Some(retry_after) = inner.pace.remaining().await {
            return Err(Error::Limited { retry_after }.into());
        }
        let mut url = inner.account.base_url.clone();
        url.path_segments_mut().expect("http URLs have paths").pop_if_empty().extend(call.path);
        let request = inner.transport.begin(call.method.clone(), url);
        let request = request.bearer_auth(token.expose_secret()).header("accept", call.accept);
        // A request that can't be built is of no use to anybody either.
        let request = build(request).build().map_err(|_| Error::transport(Lost::NoConnection))?;
        let response = inner.transport.send(request).await.map_err(Error::transport)?;
        let status = response.status().as_u16();
        match status {
            200..=299 => Ok(response),
            401 => {
                inner.token.forget(&token).await;
                Err(Attempt::TokenRefused)
            }
            429 => {
                let limited = heed(&response, &*inner.pace, (inner.whose, Asked::Call)).await;
                Err(limited.into())
            }
            408 | 500..=599 => {
                tell_trace_id(status, response).await;
                Err(Error::nonsense("it answered with a server error").into())
            }
            300..=399 => Err(Error::nonsense("it answered with a redirection").into()),
            _ => {
                let body = read(response).await?;
                let body = serde_json::from_slice::<ErrorBody>(&body).unwrap_or_default();
                Err(Error::Refused(Refusal::new(status, body)).into())
            }
        }
    }

    /// Makes a call whose answer is handed on as it comes, and so is never whole in memory.
    pub(crate) async fn call_for_stream(
        &self,
        call: Call<'_>,
        build: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Error> {
        let attempts = async {
            match self.send(&call, &build).await {
                Err(Attempt::TokenRefused) => self.send(&call, &build).await,
                other => other,
            }
            .map_err(|attempt| match attempt {
                Attempt::Failed(error) => error,
                Attempt::TokenRefused => Error::Credentials,
            })
        };
        self.observed(&call, self.inner.whose.begins(), attempts).await
    }
}

enum Attempt {
    TokenRefused,
    Failed(Error),
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What Assure asks for in one call holds for all calls on the account, of every replica.
pub(crate) async fn heed(
    response: &Response,
    pace: &dyn Pace,
    (whose, asked): (Whose, Asked),
) -> Error {
    let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let now = clock::now();
    let retry_after = crate::pace::retry_after(header, now, DEFAULT_RETRY_AFTER);
    tracing::warn!(retry_after_ms = retry_after.as_millis(), "Assure wants to be left alone");
    whose.is_limited(asked, retry_after);
    pace.hold(retry_after).await;
    Error::Limited { retry_after }
}

/// What Assure's support asks for, of a failure of its own: on the current span, that of the call.
async fn tell_trace_id(status: u16, response: Response) {
    let span = tracing::Span::current();
    span.record("http.response.status_code", status);
    let Ok(Ok(body)) = timeout(TRACE_ID_TIMEOUT, read(response)).await else { return };
    let body = serde_json::from_slice::<ErrorBody>(&body).unwrap_or_default();
    if let Some(id) = Refusal::new(status, body).trace_id {
        span.record("assure.trace_id", &id);
        tracing::warn!(status, assure.trace_id = id, "Assure failed");
    }
}

async fn read(mut response: Response) -> Result<Bytes, Error> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => {
                body.extend_from_slice(&chunk)
            }
            Ok(Some(_)) => return Err(Error::nonsense("its answer is too large")),
            Ok(None) => return Ok(body.into()),
            Err(_) => return Err(Error::nonsense("its answer broke off")),
        }
    }
}
