//! On `verification-requested`: set its deadline.

use proofline_events::{Event, Recorded, from_timestamp};
use proofline_journal::{
    Journal, TimerKind,
    worker::{Delivery, Failure, Handled},
};

pub(crate) async fn handle(
    journal: Journal,
    delivery: Delivery<Recorded>,
) -> Result<Handled, Failure> {
    let Event::VerificationRequested(request) = &delivery.message.event else {
        return Ok(Handled::Done);
    };
    let expires_at = request.expires_at.as_ref().and_then(from_timestamp);
    let expires_at =
        expires_at.ok_or_else(|| Failure::reject("no-deadline", "the request has no deadline"))?;
    journal.set_timer(TimerKind::Deadline, &delivery.message.key, expires_at).await?;
    Ok(Handled::Done)
}
