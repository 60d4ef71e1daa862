//! One event after the other: pull, handle, acknowledge. A subscription has as many lanes as it
//! handles events at once.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream::Message;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    Delivery, Error, Failure,
    failures::{Failed, Failures},
    handling,
    pull::{Pulled, Puller},
    settlement::{Settlement, Tries},
};

/// How long to wait before NATS or a consumer that is away is asked again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pub(crate) durable: Arc<str>,
    pub(crate) puller: Puller,
    pub(crate) ack_wait: Duration,
    pub(crate) give_up_after: Option<u32>,
    /// Of all lanes: an event comes to another one the next time.
    pub(crate) failures: Failures,
    /// Of all lanes, so that news are told once: why nothing is consumed, if so; `None` before
    /// anything is known.
    pub(crate) trouble: Arc<Mutex<Option<Option<String>>>>,
}

impl Lane {
    pub(crate) async fn run<H, F>(
        self,
        stop: CancellationToken,
        handler: Arc<H>,
    ) -> Result<(), Error>
    where
        H: Fn(Delivery) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        while !stop.is_cancelled() {
            match self.puller.next(&stop).await? {
                Pulled::Message(message) => {
                    self.consuming();
                    self.handle(&message, Arc::clone(&handler)).await;
                }
                Pulled::Nothing => self.consuming(),
                Pulled::Trouble(reason) => {
                    self.not_consuming(&reason);
                    stop.run_until_cancelled(pause()).await;
                }
                Pulled::Stopped => {}
            }
        }
        Ok(())
    }

    async fn handle<H, F>(&self, message: &Message, handler: Arc<H>)
    where
        H: Fn(Delivery) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let span = handling::span(&self.durable, message);
        async {
            let result = handling::handle(&self.durable, message, self.ack_wait, handler).await;
            let (attempts, sequence) =
                message.info().map_or((1, 0), |info| (info.delivered, info.stream_sequence));
            let failed =
                result.as_ref().err().map(|failure| self.failures.count(sequence, failure));
            let Failed { count, first_error } = failed.unwrap_or_default();
            let tries = Tries { attempts, failures: count, limit: self.give_up_after };
            let settlement = Settlement::of(result, tries);
            let jetstream = &self.puller.jetstream;
            if settlement.carry_out(jetstream, &self.durable, message, &first_error).await {
                self.failures.forget(sequence);
            }
        }
        .instrument(span)
        .await;
    }

    fn consuming(&self) {
        if self.is_news(None) {
            tracing::info!(consumer = %self.durable, "consuming");
        }
    }

    fn not_consuming(&self, reason: &str) {
        if self.is_news(Some(reason)) {
            tracing::warn!(consumer = %self.durable, reason, "not consuming; trying again");
        }
    }

    fn is_news(&self, trouble: Option<&str>) -> bool {
        let mut known = self.trouble.lock().expect("no panic while held");
        let is_known = known.as_ref().is_some_and(|known| known.as_deref() == trouble);
        if !is_known {
            *known = Some(trouble.map(ToOwned::to_owned));
        }
        !is_known
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause between attempts to reach a consumer")]
async fn pause() {
    tokio::time::sleep(TRY_AGAIN).await;
}
