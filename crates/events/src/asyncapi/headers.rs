//! The schema of an event's headers.

use serde_json::{Value, json};

use crate::{
    EventType, REPLAY_HEADER, dead_letter_header as dead, header, json_schema::ID_PATTERN,
};

/// Header of the trace in which the event was published.
const TRACE_PARENT: &str = "traceparent";
/// Header that has the server drop what it was sent twice.
const MESSAGE_ID: &str = "Nats-Msg-Id";

pub(super) fn of_event(event: EventType) -> Value {
    let id_pattern = ID_PATTERN.trim_end_matches('$');
    let id_pattern = match event.is_once() {
        true => format!("{id_pattern}\\.{event}$"),
        false => format!("{id_pattern}\\..+$"),
    };
    let sources: Vec<_> =
        event.publishers().iter().map(|service| format!("/proofline/{}", service.name())).collect();
    json!({
        "type": "object",
        "required": [
            header::SPEC_VERSION, header::ID, header::TYPE, header::SOURCE, header::SUBJECT,
            header::TIME, header::DATA_CONTENT_TYPE, MESSAGE_ID,
        ],
        "properties": {
            header::SPEC_VERSION: { "type": "string", "const": "1.0" },
            header::ID: {
                "type": "string",
                "pattern": id_pattern,
                "description": "The same for every delivery of one fact.",
            },
            header::TYPE: { "type": "string", "const": event.ce_type() },
            header::SOURCE: {
                "type": "string",
                "enum": sources,
                "description": "The service that published it.",
            },
            header::SUBJECT: {
                "type": "string",
                "pattern": ID_PATTERN,
                "description": "The verification's id.",
            },
            header::TIME: {
                "type": "string",
                "format": "date-time",
                "description": "When it happened, in UTC.",
            },
            header::DATA_CONTENT_TYPE: { "type": "string", "const": "application/protobuf" },
            TRACE_PARENT: {
                "type": "string",
                "description": "W3C trace context of what led to the event.",
            },
            MESSAGE_ID: { "type": "string", "description": "The same as `ce-id`." },
        },
    })
}

/// The same of an event that is replayed.
pub(super) fn of_replay(event: EventType) -> Value {
    let mut schema = of_event(event);
    schema["required"].as_array_mut().expect("a list").push(REPLAY_HEADER.into());
    let properties = &mut schema["properties"];
    properties[REPLAY_HEADER] = json!({
        "type": "string",
        "pattern": "^[1-9][0-9]*$",
        "description": "1 the first time the event is replayed to this consumer, 2 the second, ….",
    });
    properties[MESSAGE_ID]["description"] = "A fresh one for every replay.".into();
    schema
}

/// What a dead letter adds to the headers of the original.
pub(super) fn of_dead_letter() -> Value {
    let number = "^[0-9]+$";
    json!({
        "type": "object",
        "required": [
            dead::REASON, dead::DETAIL, dead::ATTEMPTS, dead::CONSUMER, dead::SUBJECT,
            dead::SEQUENCE, dead::STORED_AT, MESSAGE_ID,
        ],
        "properties": {
            dead::REASON: {
                "type": "string",
                "description": "Why: a code in kebab case, such as `unreadable`, \
                    `attempts-exhausted`, or one of a subscriber's own.",
            },
            dead::DETAIL: {
                "type": "string",
                "description": "The last error: a sentence for people, without personal data.",
            },
            dead::FIRST_ERROR: {
                "type": "string",
                "description": "The first error that whoever gave up knew of, likewise; the same as \
                    the last when there was no other. Missing in older letters.",
            },
            dead::ATTEMPTS: {
                "type": "string",
                "pattern": number,
                "description": "How often the original was delivered.",
            },
            dead::CONSUMER: { "type": "string", "description": "The consumer that gave up." },
            dead::SUBJECT: { "type": "string", "description": "The original's subject." },
            dead::SEQUENCE: {
                "type": "string",
                "pattern": number,
                "description": "The original's sequence in its stream.",
            },
            dead::STORED_AT: {
                "type": "string",
                "format": "date-time",
                "description": "When the original was stored.",
            },
            MESSAGE_ID: {
                "type": "string",
                "description": "`<consumer>.<sequence>`: the same each time the same original is put \
                    aside.",
            },
        },
    })
}

/// A dead letter to compare with.
#[cfg(test)]
pub(super) fn a_dead_letter<'a>(consumer: &'a str, subject: &'a str) -> crate::DeadLetter<'a> {
    crate::DeadLetter {
        consumer,
        reason: "no-such-order",
        detail: "nobody ordered this",
        first_error: None,
        attempts: 3,
        subject,
        sequence: 42,
        stored_at: ::time::OffsetDateTime::UNIX_EPOCH,
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::{Envelope, VerificationKey};

    #[test]
    fn the_headers_that_are_written_are_the_ones_described() {
        let key = VerificationKey::parse("acme", "vrf_00000000000000000000").unwrap();
        for event in EventType::ALL {
            let schema = of_event(*event);
            for service in event.publishers() {
                let envelope = Envelope::new(*event, &key, *service, OffsetDateTime::UNIX_EPOCH);
                let headers = envelope.headers(*event, &key);
                for (name, value) in &headers {
                    let described = &schema["properties"][name];
                    let is_const = described["const"].as_str().is_none_or(|only| only == value);
                    let values = described["enum"].as_array();
                    let is_one = values.is_none_or(|all| all.iter().any(|one| one == value));
                    assert!(described.is_object() && is_const && is_one, "{event}: {name}");
                }
                let mut required: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
                required.push(MESSAGE_ID);
                assert_eq!(schema["required"], json!(required));
            }
        }
    }

    #[test]
    fn the_headers_of_a_dead_letter_are_the_ones_described() {
        let schema = of_dead_letter();
        let headers = a_dead_letter("acme-billing", "proofline.v1.x").headers();
        let mut written: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        written.push(MESSAGE_ID);
        assert!(written.iter().all(|name| schema["properties"][name].is_object()));
        written.retain(|name| *name != dead::FIRST_ERROR);
        assert_eq!(schema["required"], json!(written));
    }
}
