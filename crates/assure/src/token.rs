//! The access token: cached, renewed early, fetched by one caller at a time.

use std::time::Duration;

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    Account, Error, Pace, Transport,
    metrics::{Asked, Whose},
    wire,
};

/// Renewed this long before its end; of a short life, at four fifths.
const RENEW_BEFORE: Duration = Duration::from_secs(30);

/// How long fetching one may take: every call waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);
/// No token is kept longer, whatever it says.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Default)]
pub(crate) struct TokenCache(Mutex<State>);

#[derive(Default)]
struct State {
    token: Option<Cached>,
    /// The last fetch failed like this, then.
    failure: Option<(Instant, Error)>,
}

struct Cached {
    token: SecretString,
    renew_at: Instant,
}

impl TokenCache {
    /// The current token, or a new one. While it is fetched, other callers wait for the same, and
    /// share its failure.
    pub(crate) async fn get(
        &self,
        transport: &dyn Transport,
        account: &Account,
        pace: &dyn Pace,
        whose: Whose,
    ) -> Result<SecretString, Error> {
        let asked_at = Instant::now();
        let mut state = self.0.lock().await;
        if let Some(current) = state.token.as_ref().filter(|c| Instant::now() < c.renew_at) {
            return Ok(current.token.clone());
        }
        if let Some((_, error)) = state.failure.as_ref().filter(|(at, _)| *at > asked_at) {
            return Err(error.clone());
        }
        let fetched = fetch(transport, account, pace, whose).await;
        whose.renewed(fetched.as_ref().err());
        match fetched {
            Ok(answer) => {
                let lifetime = Duration::from_secs(answer.expires_in).min(LONGEST_LIFE);
                let usable = lifetime - RENEW_BEFORE.min(lifetime / 5);
                let token = SecretString::from(answer.access_token);
                let renew_at = Instant::now() + usable;
                *state =
                    State { token: Some(Cached { token: token.clone(), renew_at }), failure: None };
                tracing::debug!("renewed the access token of Assure");
                Ok(token)
            }
            Err(error) => {
                state.failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Forgets a token that was not accepted, unless another caller has replaced it already.
    pub(crate) async fn forget(&self, refused: &SecretString) {
        let mut state = self.0.lock().await;
        if state.token.as_ref().is_some_and(|c| c.token.expose_secret() == refused.expose_secret())
        {
            state.token = None;
        }
    }
}

/// Whatever goes wrong here, the call that wanted the token has not been sent.
async fn fetch(
    transport: &dyn Transport,
    account: &Account,
    pace: &dyn Pace,
    whose: Whose,
) -> Result<wire::Token, Error> {
    let unavailable = |cause| Error::Unavailable { cause, may_have_happened: false };
    if let Some(retry_after) = pace.remaining().await {
        return Err(Error::Limited { retry_after });
    }
    let form = [("grant_type", "client_credentials"), ("scope", account.scope.as_str())];
    let request = transport
        .begin(Method::POST, account.token_url.clone())
        .timeout(TIMEOUT)
        .basic_auth(&account.client_id, Some(account.client_secret.expose_secret()))
        .form(&form)
        .build()
        .map_err(|_| unavailable("the token could not be asked for"))?;
    let sent = transport.send(request).await;
    let response = sent.map_err(|_| unavailable("no answer of the token endpoint"))?;
    match response.status().as_u16() {
        200 | 201 => response.json().await.map_err(|_| unavailable("the token could not be read")),
        429 => Err(crate::client::heed(&response, pace, (whose, Asked::Token)).await),
        400 | 401 | 403 => Err(Error::Credentials),
        _ => Err(unavailable("the token endpoint failed")),
    }
}
