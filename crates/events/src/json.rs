//! An event's payload as JSON for people and the HTTP API: members named as in `proto/`, enums as
//! their words, times in RFC 3339, members that are not set as null, bytes left out.

use std::sync::LazyLock;

use ::time::format_description::well_known::Rfc3339;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};
use serde_json::{Map, Value as Json};

use crate::{DESCRIPTORS, Event, EventType, from_timestamp};

pub(crate) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(DESCRIPTORS).expect("the build made these descriptors")
});

/// The payload as JSON.
pub fn to_json(event: &Event) -> Json {
    message(&decode(event.event_type().descriptor(), &event.encode()))
}

impl EventType {
    /// Its message as `proto/` defines it.
    pub(crate) fn descriptor(self) -> MessageDescriptor {
        let name = format!("proofline.events.v1.{}", self.message_name());
        POOL.get_message_by_name(&name).expect("every event is in proto/")
    }
}

fn decode(descriptor: MessageDescriptor, payload: &[u8]) -> DynamicMessage {
    DynamicMessage::decode(descriptor, payload).expect("our own encoding can be decoded")
}

fn message(message: &DynamicMessage) -> Json {
    if message.descriptor().full_name() == "google.protobuf.Timestamp" {
        return message
            .transcode_to::<prost_types::Timestamp>()
            .ok()
            .as_ref()
            .map_or(Json::Null, time);
    }
    let mut members = Map::new();
    for field in message.descriptor().fields() {
        if matches!(field.kind(), Kind::Bytes) {
            continue;
        }
        let json = if field.supports_presence() && !message.has_field(&field) {
            Json::Null
        } else {
            value(&message.get_field(&field), &field.kind())
        };
        members.insert(field.name().to_owned(), json);
    }
    Json::Object(members)
}

fn value(value: &Value, kind: &Kind) -> Json {
    match value {
        Value::Bool(b) => Json::from(*b),
        Value::I32(n) => Json::from(*n),
        Value::I64(n) => Json::from(*n),
        Value::U32(n) => Json::from(*n),
        Value::U64(n) => Json::from(*n),
        Value::F32(n) => Json::from(*n),
        Value::F64(n) => Json::from(*n),
        Value::String(text) if text.is_empty() => Json::Null,
        Value::String(text) => Json::from(text.as_str()),
        Value::EnumNumber(n) => {
            kind.as_enum().map_or_else(|| Json::from(*n), |descriptor| word(descriptor, *n))
        }
        Value::Message(inner) => message(inner),
        Value::List(items) => items.iter().map(|item| self::value(item, kind)).collect(),
        Value::Bytes(_) | Value::Map(_) => Json::Null,
    }
}

/// `OUTCOME_ACCEPTED` of the enum `Outcome` is `accepted`; the unspecified value is null.
pub(crate) fn word(descriptor: &EnumDescriptor, number: i32) -> Json {
    let Some(value) = descriptor.get_value(number) else {
        return Json::from(number);
    };
    if number == 0 {
        return Json::Null;
    }
    let unspecified = descriptor.default_value();
    let prefix = unspecified.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
    let name = value.name();
    Json::from(name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase())
}

fn time(timestamp: &prost_types::Timestamp) -> Json {
    from_timestamp(timestamp).and_then(|t| t.format(&Rfc3339).ok()).map_or(Json::Null, Json::from)
}

#[cfg(test)]
mod tests {
    use ::time::macros::datetime;
    use serde_json::json;

    use super::*;
    use crate::{Word, timestamp, v1};

    #[test]
    fn words_and_times_read_as_in_the_http_api() {
        let json = to_json(&Event::from(v1::ProcessFinished {
            outcome: v1::Outcome::Accepted.into(),
            finished_at: Some(timestamp(datetime!(2026-02-03 08:15:30 UTC))),
            tags: vec!["web".into()],
            ..Default::default()
        }));
        assert_eq!(json["outcome"], json!("accepted"));
        assert_eq!(json["finished_at"], json!("2026-02-03T08:15:30Z"));
        assert_eq!(json["tags"], json!(["web"]));
        assert_eq!(json["signal_source"], Json::Null);
        assert_eq!(json["requested_at"], Json::Null);
    }

    #[test]
    fn every_event_has_its_message_and_every_word_is_the_enums_own() {
        for event in EventType::ALL {
            to_json(&Event::decode(*event, &[]).unwrap());
        }
        for outcome in v1::Outcome::ALL {
            let expected = outcome.as_str_name().strip_prefix("OUTCOME_").unwrap();
            assert_eq!(outcome.word(), expected.to_ascii_lowercase());
        }
    }
}
