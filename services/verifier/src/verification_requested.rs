//! On `verification-requested`: set its deadline, and when to look it up should nothing be heard.

use std::time::Duration;

use proofline_events::{Event, Recorded, from_timestamp};
use proofline_journal::{
    Journal, TimerKind,
    worker::{Delivery, Failure, Handled},
};

use crate::reconcile::first_check_unsubmitted;

pub(crate) async fn handle(
    journal: Journal,
    grace: Duration,
    delivery: Delivery<Recorded>,
) -> Result<Handled, Failure> {
    let Recorded { key, envelope, event, .. } = &delivery.message;
    let Event::VerificationRequested(request) = event else { return Ok(Handled::Done) };
    let expires_at = request.expires_at.as_ref().and_then(from_timestamp);
    let expires_at =
        expires_at.ok_or_else(|| Failure::reject("no-deadline", "the request has no deadline"))?;
    journal.set_timer(TimerKind::Deadline, key, expires_at).await?;
    let check = first_check_unsubmitted(envelope.time, grace);
    if check < expires_at {
        journal.set_timer(TimerKind::Check, key, check).await?;
    }
    Ok(Handled::Done)
}
