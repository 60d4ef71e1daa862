//! The access token: cached, renewed early, fetched by one caller at a time.

use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use crate::{Account, Error, Pace, wire};

/// Renewed this long before its end; of a short life, at four fifths.
const RENEW_BEFORE: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct TokenCache(Mutex<Option<Cached>>);

struct Cached {
    token: SecretString,
    renew_at: Instant,
}

impl TokenCache {
    /// The current token, or a new one. While it is fetched, other callers wait for the same.
    pub(crate) async fn get(
        &self,
        http: &reqwest::Client,
        account: &Account,
        pace: &dyn Pace,
    ) -> Result<SecretString, Error> {
        let mut cached = self.0.lock().await;
        if let Some(current) = cached.as_ref().filter(|c| Instant::now() < c.renew_at) {
            return Ok(current.token.clone());
        }
        if let Some(retry_after) = pace.remaining().await {
            return Err(Error::Limited { retry_after });
        }
        let answer = request(http, account, pace).await?;
        let lifetime = Duration::from_secs(answer.expires_in);
        let usable = lifetime - RENEW_BEFORE.min(lifetime / 5);
        let token = SecretString::from(answer.access_token);
        *cached = Some(Cached { token: token.clone(), renew_at: Instant::now() + usable });
        tracing::debug!("renewed the access token of Assure");
        Ok(token)
    }

    /// Forgets a token that was not accepted, unless another caller has replaced it already.
    pub(crate) async fn forget(&self, refused: &SecretString) {
        let mut cached = self.0.lock().await;
        if cached.as_ref().is_some_and(|c| c.token.expose_secret() == refused.expose_secret()) {
            *cached = None;
        }
    }
}

async fn request(
    http: &reqwest::Client,
    account: &Account,
    pace: &dyn Pace,
) -> Result<wire::Token, Error> {
    let form = [("grant_type", "client_credentials"), ("scope", account.scope.as_str())];
    let response = http
        .post(account.token_url.clone())
        .basic_auth(&account.client_id, Some(account.client_secret.expose_secret()))
        .form(&form)
        .send()
        .await
        .map_err(|error| Error::transport(&error))?;
    match response.status().as_u16() {
        200 | 201 => {
            response.json().await.map_err(|_| Error::nonsense("the token could not be read"))
        }
        429 => Err(crate::client::heed(&response, pace).await),
        400 | 401 | 403 => Err(Error::Credentials),
        _ => Err(Error::nonsense("the token endpoint failed")),
    }
}
