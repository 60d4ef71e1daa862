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
    Delivery, Error, Failure, handling,
    pull::{Pulled, Puller},
    settlement::Settlement,
};

/// How long to wait before NATS or a consumer that is away is asked again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pub(crate) durable: Arc<str>,
    pub(crate) puller: Puller,
    pub(crate) ack_wait: Duration,
    pub(crate) give_up_after: Option<u32>,
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
        H: Fn(Delivery) -> F,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        while !stop.is_cancelled() {
            match self.puller.next(&stop).await? {
                Pulled::Message(message) => {
                    self.consuming();
                    self.handle(&message, handler.as_ref()).await;
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

    async fn handle<H, F>(&self, message: &Message, handler: &H)
    where
        H: Fn(Delivery) -> F,
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let span = handling::span(&self.durable, message);
        async {
            let result = handling::handle(&self.durable, message, self.ack_wait, handler).await;
            let attempts = message.info().map_or(1, |info| info.delivered);
            let settlement = Settlement::of(result, attempts, self.give_up_after);
            settlement.carry_out(&self.puller.jetstream, &self.durable, message).await;
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
