//! On `verification-requested`: set its deadline, and when to look it up should nothing be heard.
//! On `process-finished`: its deadline comes at once, finds the end, and is gone. Nothing needs it
//! any more, and as many deadlines as are still to come, so many verifications are open.

use std::time::Duration;

use proofline_ambient::clock;
use proofline_events::{Event, Recorded, from_timestamp};
use proofline_journal::{
    Due, Journal, TimerKind,
    worker::{Delivery, Failure, Handled},
};

use crate::reconcile::first_check_unsubmitted;

/// No verification has an end so soon.
const LATE: time::Duration = time::Duration::seconds(1);
/// Any replica has the end by then.
const SETTLED: time::Duration = time::Duration::seconds(2);

pub(crate) async fn handle(
    journal: Journal,
    grace: Duration,
    delivery: Delivery<Recorded>,
) -> Result<Handled, Failure> {
    let Recorded { key, sequence, envelope, event } = &delivery.message;
    let Event::VerificationRequested(request) = event else {
        if matches!(event, Event::ProcessFinished(_)) {
            let due = Due { key: key.clone(), at: clock::now() + SETTLED, round: 0 };
            journal.reset_timer(TimerKind::Deadline, &due).await?;
        }
        return Ok(Handled::Done);
    };
    // Long after the request there may be an end already, and then nobody would take it back.
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
