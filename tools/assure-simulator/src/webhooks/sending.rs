//! Sending events: to every subscription, again until one of them says it has it.

use std::sync::Arc;

use axum::http::{HeaderValue, header};
use serde::Serialize;

use crate::callbacks::{self, Answer};
use crate::clock::pause;
use crate::script::WebhookPlan;
use crate::simulator::Simulator;

use super::{Event, Subscription};

/// One attempt, as the admin API shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    /// When it was sent, in ms since 1970.
    at_ms: u64,
    event_id: String,
    process_id: String,
    /// What was told.
    status: String,
    /// From 1.
    attempt: u32,
    #[serde(flatten)]
    answer: Answer,
}

/// Tells everybody as planned, beside whatever goes on.
pub(crate) fn publish(simulator: &Arc<Simulator>, mut event: Event, plan: &WebhookPlan) {
    if plan.lost {
        return;
    }
    if plan.untagged {
        event.tags.clear();
    }
    let (copies, delay) = (plan.copies, plan.delay);
    let shared = Arc::clone(simulator);
    simulator.spawn(async move {
        if !delay.is_zero() {
            pause(delay).await;
        }
        let ids: Vec<_> = shared.webhooks.lock().iter().map(|s| s.id.clone()).collect();
        for id in ids {
            for _ in 0..copies {
                shared.spawn(deliver(Arc::clone(&shared), id.clone(), event.clone()));
            }
        }
    });
}

/// Sends until the receiver answers with success, the attempts are used up or the event expires.
async fn deliver(simulator: Arc<Simulator>, id: String, event: Event) {
    for attempt in 1..=simulator.settings.webhook_attempts {
        if attempt > 1 {
            pause(simulator.settings.webhook_retry).await;
        }
        if simulator.clock.now() >= event.expires {
            return;
        }
        // Secret and address as they are now; who has unsubscribed is told no more.
        let Some(subscription) = simulator.webhooks.find(&id) else { return };
        let at_ms = simulator.clock.now_ms();
        let answer = send(&simulator.http, &subscription, &event, None).await;
        let delivered = answer.answer.is_some_and(|status| (200..300).contains(&status));
        tracing::debug!(
            process = event.event_data.process_id,
            attempt,
            answer = answer.answer,
            "an event was sent"
        );
        if let Some(subscription) = simulator.webhooks.lock().iter_mut().find(|s| s.id == id) {
            subscription.deliveries.push(Delivery {
                at_ms,
                event_id: event.id.clone(),
                process_id: event.event_data.process_id.clone(),
                status: event.event_data.status.to_string(),
                attempt,
                answer,
            });
        }
        if delivered {
            return;
        }
    }
}

/// Sends once; a `forged` signature (none at all, if it says so) takes the place of the true one.
pub(crate) async fn send(
    http: &reqwest::Client,
    subscription: &Subscription,
    event: &Event,
    forged: Option<Option<HeaderValue>>,
) -> Answer {
    let body = event.bytes();
    let signature = forged.unwrap_or_else(|| subscription.signature(&body));
    let mut request = http
        .post(subscription.url.clone())
        .header(header::CONTENT_TYPE, "application/json")
        .body(body);
    if let Some(signature) = signature {
        request = request.header(&subscription.header, signature);
    }
    callbacks::exchange(request).await
}
