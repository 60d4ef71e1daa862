//! What somebody may have stored on our subjects, handed to what reads it. `fuzz/` calls these too.

use crate::{EventType, Recorded, header, replayed_subject};

/// A message: its subject, and the text of its headers.
pub fn message(subject: &str, headers: &str, payload: &[u8]) {
    let value = |name: &'static str| {
        headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    if let Ok(recorded) = Recorded::read(subject, 1, value, payload) {
        let named = EventType::parse_subject(subject).expect("it was read by its subject");
        assert_eq!(named, (recorded.event.event_type(), recorded.key));
    }
    let replayed = replayed_subject("acme-billing", subject, value(header::TYPE));
    assert!(replayed.is_none_or(|subject| EventType::parse_subject(&subject).is_some()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_was_stored_nothing_panics_and_what_is_read_agrees_with_its_subject(
            anything in "\\PC{0,80}", event in "[a-z-]{0,12}|process-finished|image-uploaded",
            begin in "proofline\\.(v1|replay\\.v1)\\.", tenant in "[a-z0-9-]{0,5}",
            id in "vrf_[0-9a-z]{18,42}", time in "[0-9]{4}-02-03T08:15:30(Z|\\+01:00)",
            payload in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let headers = format!(
                "ce-type: proofline.v1.{event}\nce-subject: {id}\nce-time: {time}\nce-id: x\nce-source: y"
            );
            message(&anything, &anything, &payload);
            message(&format!("{begin}{event}.{tenant}.{id}"), &headers, &payload);
            message(&format!("{begin}acme-billing.{tenant}.{id}"), &headers, &payload);
        }
    }
}
