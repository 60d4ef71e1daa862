//! An open loop: things begin at a rate, whether those before them are done or not.

use std::{future::Future, time::Duration};

use futures_util::future::join_all;

use crate::ticker::Ticker;

/// Begins one thing after the other at a rate per second; returns what came of them, once all are
/// done. What waits because the machine is late is told when it should have begun.
pub(crate) async fn at_rate<T, F, O>(
    per_second: f64,
    things: impl IntoIterator<Item = T>,
    begin: impl Fn(T, tokio::time::Instant) -> F,
) -> Vec<O>
where
    F: Future<Output = O> + Send + 'static,
    O: Send + 'static,
{
    let mut ticker = Ticker::new(Duration::from_secs_f64(1.0 / per_second));
    let mut begun = Vec::new();
    for thing in things {
        let due = ticker.next().await;
        begun.push(tokio::spawn(begin(thing, due)));
    }
    join_all(begun).await.into_iter().map(Result::unwrap).collect()
}
