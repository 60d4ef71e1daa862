//! How long a round of reconciliation takes.

use std::time::Duration;

use async_nats::HeaderMap;
use futures_util::{StreamExt, future::join_all};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver},
    time::{Instant, timeout},
};

use crate::{harness::Verification, ticker::Ticker, venue::Venue, verifications, watch::Watch};

/// From one round to the next.
pub(super) const INTERVAL: &str = "2s";
/// After a round has begun. What comes due then is taken by the next, all of it.
const BETWEEN: Duration = Duration::from_millis(700);
/// Every round begins with one replica taking it.
const ROUNDS: &str = "$KV.PACE.round.*";
/// Longer than from one round to the next.
const PATIENCE: Duration = Duration::from_secs(30);

/// With checks of so many verifications that ended at Assure, which told nobody: from when the round is
/// taken to its last signal.
pub(super) async fn with_overdue(venue: &Venue, count: usize) -> Duration {
    let overdue = verifications::finished_at_assure(&venue.stage, count).await;
    let signals = "proofline.v1.completion-signalled.*.*";
    let mut watch = Watch::begin(&venue.jetstream, "VERIFICATIONS", signals).await;
    let mut rounds = venue.stage.nats.subscribe(ROUNDS).await.unwrap();
    let (tell, mut told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while rounds.next().await.is_some() && tell.send(Instant::now()).is_ok() {}
    });
    next(&mut told).await;
    let mut pause = Ticker::new(BETWEEN);
    // The first is now.
    pause.next().await;
    pause.next().await;
    join_all(overdue.iter().map(|verification| comes_due(venue, verification))).await;
    let taken = next(&mut told).await;
    watch.reaches(count).await;
    let is_one = told.try_recv().map_or(true, |next| next > watch.last());
    assert!(watch.first() > taken && is_one, "all of it in one round");
    venue.settles().await;
    watch.last() - taken
}

async fn next(rounds: &mut UnboundedReceiver<Instant>) -> Instant {
    let round = timeout(PATIENCE, rounds.recv()).await.expect("rounds are taken");
    round.expect("rounds are heard of")
}

/// In the place of its check, which is for later.
#[expect(clippy::disallowed_methods, reason = "services go by the wall clock")]
async fn comes_due(venue: &Venue, verification: &Verification) {
    let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap();
    let [at, due] = ["at", "due"]
        .map(|when| format!("proofline.timer.v1.{when}.check.acme.{}", verification.id));
    let mut headers = HeaderMap::new();
    headers.insert("proofline-due", now.as_str());
    headers.insert("proofline-round", "0");
    headers.insert("Nats-Schedule", format!("@at {now}"));
    headers.insert("Nats-Schedule-Target", due);
    let set = venue.jetstream.publish_with_headers(at, headers, "".into()).await;
    set.unwrap().await.unwrap();
}
