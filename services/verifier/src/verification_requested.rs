//! On `verification-requested`: set its deadline, and when to look it up should nothing be heard.
//! Result-normaliser removes both at the end, so that as many deadlines as are still to come, so
//! many verifications are open.

use std::time::Duration;

use proofline_ambient::clock;
use proofline_events::{Event, Recorded, from_timestamp};
use proofline_journal::{
    Journal, TimerKind,
    worker::{Delivery, Failure, Handled},
};

use crate::reconcile::first_check_unsubmitted;

/// Hardly any verification has an end so soon.
const LATE: time::Duration = time::Duration::milliseconds(100);

pub(crate) async fn handle(
    journal: Journal,
    grace: Duration,
    delivery: Delivery<Recorded>,
) -> Result<Handled, Failure> {
    let Recorded { key, sequence, envelope, event } = &delivery.message;
    let Event::VerificationRequested(request) = event else { return Ok(Handled::Done) };
    // Long after the request there may be an end already, and then nobody would remove them.
    if clock::now() - envelope.time > LATE
        && let Ok(history) = journal.read_since(key, *sequence).await
        && history.verification.is_some_and(|verification| verification.end.is_some())
    {
        return Ok(Handled::Done);
    }
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
