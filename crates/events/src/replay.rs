//! Replays: an event once more, for one consumer alone.
//!
//! A replay has the original's payload and `ce-` headers on a subject outside of the verification's
//! log, so that nobody who reads the log ever meets it.

use crate::{EventType, VerificationKey};

/// Beginning of the subjects of replays: `proofline.replay.v1.<consumer>.<tenant>.<verification_id>`.
pub const REPLAY_PREFIX: &str = "proofline.replay.v1.";

/// Header of a replay: 1 the first time an event is replayed to a consumer, 2 the second, ….
pub const REPLAY_HEADER: &str = "proofline-replay";

/// Where an event of this verification is replayed to a consumer.
pub fn replay_subject(consumer: &str, key: &VerificationKey) -> String {
    format!("{REPLAY_PREFIX}{consumer}.{key}")
}

/// Every replay to a consumer.
pub fn replay_filter(consumer: &str) -> String {
    format!("{REPLAY_PREFIX}{consumer}.>")
}

/// The subject of the event that a replay to this consumer repeats; its `ce-type` tells which it
/// is. `None` when either is not so.
pub fn replayed_subject(consumer: &str, subject: &str, ce_type: Option<&str>) -> Option<String> {
    let rest = subject.strip_prefix(REPLAY_PREFIX)?.strip_prefix(consumer)?.strip_prefix('.')?;
    let (tenant, id) = rest.split_once('.')?;
    let event = EventType::parse(ce_type?.strip_prefix("proofline.v1.")?)?;
    Some(event.subject(&VerificationKey::parse(tenant, id).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "vrf_00000000000000000000";

    #[test]
    fn a_replay_leads_back_to_the_event_it_repeats() {
        let key = VerificationKey::parse("acme", ID).unwrap();
        let subject = replay_subject("acme-billing", &key);
        let replayed =
            replayed_subject("acme-billing", &subject, Some("proofline.v1.process-finished"));
        assert_eq!(replayed, Some(EventType::ProcessFinished.subject(&key)));
    }

    #[test]
    fn what_is_for_another_consumer_or_names_no_event_is_no_replay() {
        let ours = format!("proofline.replay.v1.acme-billing.acme.{ID}");
        let finished = Some("proofline.v1.process-finished");
        assert_eq!(replayed_subject("acme", &ours, finished), None);
        assert_eq!(replayed_subject("acme-billing", &ours, None), None);
        assert_eq!(replayed_subject("acme-billing", &ours, Some("proofline.v1.other")), None);
        let log = format!("proofline.v1.process-finished.acme.{ID}");
        assert_eq!(replayed_subject("acme-billing", &log, finished), None);
    }
}
