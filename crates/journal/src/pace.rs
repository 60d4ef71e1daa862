//! The pace of an Assure account, kept by all replicas of all services together: until when it
//! must be left alone, and whose turn a round of reconciliation is.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::BoxFuture};
use proofline_assure::{Account, Pace};
use time::OffsetDateTime;
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use crate::{Connection, Error, bucket::Bucket, bus::Heard, topology::PACE};

/// News of a wish is heard at once. It is looked up all the same after this, as a plain subscription
/// loses what is said while the connection is away.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(1);
/// How often a wish is written again because another came in between.
const MAX_CONFLICTS: usize = 10;

/// The pace of one account.
#[derive(Debug, Clone)]
pub struct AccountPace {
    bucket: Bucket,
    account: String,
    now: fn() -> OffsetDateTime,
    /// What this process was told itself, should NATS be away.
    own: Arc<Mutex<Option<OffsetDateTime>>>,
    news: Arc<AsyncMutex<News>>,
}

/// How this process hears of what others were told.
#[derive(Default)]
struct News {
    heard: Option<Heard>,
    /// What they were told, as far as it is known.
    until: Option<OffsetDateTime>,
    looked_up_at: Option<Instant>,
}

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let looked_up_at = &self.looked_up_at;
        f.debug_struct("News").field("looked_up_at", looked_up_at).finish_non_exhaustive()
    }
}

impl AccountPace {
    /// The pace of the account of this id ([`proofline_assure::Account::id`]), by this clock.
    pub fn new(connection: &Connection, account: String, now: fn() -> OffsetDateTime) -> Self {
        let bucket = Bucket::new(connection.clone(), PACE);
        Self { bucket, account, now, own: Arc::default(), news: Arc::default() }
    }

    /// Makes the pace of any account, for [`proofline_assure::Accounts`].
    pub fn for_all(
        connection: &Connection,
        now: fn() -> OffsetDateTime,
    ) -> impl Fn(&Account) -> Box<dyn Pace> {
        let connection = connection.clone();
        move |account| Box::new(Self::new(&connection, account.id(), now))
    }

    /// Takes the next round of reconciliation; `false` when another replica has had one less than
    /// an interval ago.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn begin_round(&self, interval: Duration) -> Result<bool, Error> {
        let key = format!("round.{}", self.account);
        let now = (self.now)();
        let last = self.bucket.entry(&key).await?;
        // A tenth less: whoever ticks at this very interval must not miss every other turn.
        let is_due = last
            .as_ref()
            .and_then(|last| time_of(&last.value))
            .is_none_or(|last| now >= last + interval.mul_f64(0.9));
        if !is_due {
            return Ok(false);
        }
        let revision = last.map_or(0, |entry| entry.revision);
        Ok(self.bucket.put_at(&key, value_of(now), revision).await?.is_some())
    }

    /// What others were told, by now. Whoever comes meanwhile waits for it.
    async fn shared_until(&self) -> Option<OffsetDateTime> {
        let mut news = self.news.lock().await;
        let mut heard = None;
        if let Some(all) = &mut news.heard {
            while let Some(Some(notice)) = all.next().now_or_never() {
                heard = heard.max(time_of(&notice.payload));
            }
        }
        if news.looked_up_at.is_none_or(|at| at.elapsed() >= LOOK_UP_AGAIN) {
            match self.look_up(&mut news).await {
                Ok(stored) => news.until = stored,
                Err(error) => {
                    tracing::debug!(%error, "the shared pace can't be read; keeping to what is known");
                }
            }
            news.looked_up_at = Some(Instant::now());
        }
        // What is heard may not be stored yet.
        news.until = news.until.max(heard);
        news.until
    }

    async fn look_up(&self, news: &mut News) -> Result<Option<OffsetDateTime>, Error> {
        if news.heard.is_none() {
            news.heard = Some(self.bucket.subscribe(&self.until_key()).await?);
        }
        let value = self.bucket.get(&self.until_key()).await?;
        Ok(value.as_ref().and_then(time_of))
    }

    async fn share(&self, until: OffsetDateTime) -> Result<(), Error> {
        for _ in 0..MAX_CONFLICTS {
            let entry = self.bucket.entry(&self.until_key()).await?;
            if entry
                .as_ref()
                .and_then(|entry| time_of(&entry.value))
                .is_some_and(|shared| shared >= until)
            {
                return Ok(());
            }
            let revision = entry.map_or(0, |entry| entry.revision);
            if self.bucket.put_at(&self.until_key(), value_of(until), revision).await?.is_some() {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }

    fn until_key(&self) -> String {
        format!("until.{}", self.account)
    }
}

impl Pace for AccountPace {
    fn remaining(&self) -> BoxFuture<'_, Option<Duration>> {
        Box::pin(async {
            let shared = self.shared_until().await;
            let until = shared.max(*self.own.lock().expect("no panic while held"))?;
            Duration::try_from(until - (self.now)()).ok().filter(|remaining| !remaining.is_zero())
        })
    }

    fn hold(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let until = (self.now)() + duration;
            {
                let mut own = self.own.lock().expect("no panic while held");
                *own = (*own).max(Some(until));
            }
            if let Err(error) = self.share(until).await {
                tracing::warn!(%error, "other replicas could not be told to leave Assure alone");
            }
        })
    }
}

/// Milliseconds since 1970, as text.
fn value_of(time: OffsetDateTime) -> Vec<u8> {
    (time.unix_timestamp_nanos() / 1_000_000).to_string().into_bytes()
}

fn time_of(value: &Bytes) -> Option<OffsetDateTime> {
    let milliseconds: i128 = std::str::from_utf8(value).ok()?.parse().ok()?;
    OffsetDateTime::from_unix_timestamp_nanos(milliseconds.checked_mul(1_000_000)?).ok()
}
