//! The events as an AsyncAPI 3.0 document, made from `proto/` and the table of events alone, so that
//! it can't say anything else than they do.

mod headers;

use serde_json::{Map, Value, json};

use crate::{
    DEAD_LETTER_PREFIX, EventType, REPLAY_PREFIX, Service,
    json_schema::{ID_PATTERN, TENANT_PATTERN, json_schemas},
    proto_source::{comment, standalone},
};

/// What its payloads are, for whoever knows protobuf.
const PROTOBUF: &str = "application/vnd.google.protobuf;version=3";

const ABOUT: &str = "Everything that happens to an identity verification, as events on NATS \
JetStream. All events of a verification are its log, in the stream `VERIFICATIONS`; exactly one \
`process-finished` tells its end.\n\n\
Headers are CloudEvents 1.0 in binary mode, payloads protobuf. No event holds personal data.\n\n\
Subscribers receive through a durable JetStream consumer that `proofline provision` makes for each \
of them. Delivery is at least once: put aside what has a `ce-id` that was handled already. Don't \
subscribe to the subjects without a consumer: such a subscription also hears messages that the \
stream then refuses.\n\n\
Fields and values may be added to `proofline.v1`, so be ready for those you don't know; nothing is \
removed or renamed there.\n\n\
Each message also has an extension `x-json`: the schema of the same event in JSON, which is how it \
stands in `data` at `GET /v1/verifications/{id}/events`.";

/// The document.
pub fn asyncapi() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "id": "urn:proofline:events:v1",
        "info": {
            "title": "Proofline events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {
                "name": env!("CARGO_PKG_LICENSE"),
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
            "tags": services(),
        },
        "defaultContentType": "application/protobuf",
        "servers": servers(),
        "channels": channels(),
        "operations": operations(),
        "components": {
            "messages": messages(),
            "parameters": parameters(),
            "schemas": json_schemas("#/components/schemas/"),
            "securitySchemes": {
                "user": {
                    "type": "userPassword",
                    "description": "A NATS user. Every subscribing tenant has an account of its \
                        own, which may do no more than fetch from its durables, acknowledge, and \
                        put aside what it can't handle: publish dead letters of these durables.",
                },
            },
        },
    })
}

fn services() -> Vec<Value> {
    let about = |service| match service {
        Service::Intake => "Accepts requests and answers for them.",
        Service::Upload => "Carries images to Assure.",
        Service::Verifier => "Starts verifications, watches deadlines, looks up what is overdue.",
        Service::CallbackReceiver => "Hears from Assure and from returning end-users.",
        Service::ResultNormaliser => "Tells the end, and erases.",
    };
    let all = Service::ALL.into_iter();
    all.map(|service| json!({ "name": service.name(), "description": about(service) })).collect()
}

fn servers() -> Value {
    json!({
        "development": {
            "host": "127.0.0.1:4222",
            "protocol": "nats",
            "description": "`nats://127.0.0.1:4222`: what `proofline dev` starts, and the default of \
                `PROOFLINE_NATS_URL`. It asks for no credentials.",
        },
        "cluster": {
            "host": "{host}:{port}",
            "protocol": "nats",
            "protocolVersion": "2.14",
            "description": "An installation's own NATS cluster, 2.14 or later.",
            "variables": {
                "host": { "default": "nats", "description": "As your operator named it." },
                "port": { "default": "4222" },
            },
            "security": [{ "$ref": "#/components/securitySchemes/user" }],
        },
    })
}

fn parameters() -> Value {
    json!({
        "tenant": {
            "description": format!("The calling application: `{TENANT_PATTERN}`."),
            "examples": ["acme"],
        },
        "verification_id": {
            "description": format!("The verification: `{ID_PATTERN}`."),
            "location": "$message.header#/ce-subject",
        },
        "consumer": {
            "description": "A durable consumer, such as `acme-billing`: the one that the replay is \
                for, or that the dead letter is from.",
            "examples": ["acme-billing"],
        },
    })
}

/// One channel for each event, the one of replays and the one of dead letters.
fn channels() -> Value {
    let event_channels = EventType::ALL.iter().map(|event| {
        let channel = json!({
            "address": format!("proofline.v1.{event}.{{tenant}}.{{verification_id}}"),
            "title": event.name(),
            "summary": first_sentence(&about(*event)),
            "description": how_often(*event),
            "parameters": references("parameters", &["tenant", "verification_id"]),
            "messages": references("messages", &[event.message_name()]),
        });
        (event.name().to_owned(), channel)
    });
    let replays = json!({
        "address": format!("{REPLAY_PREFIX}{{consumer}}.{{tenant}}.{{verification_id}}"),
        "title": "replays",
        "summary": "Events once more, for one consumer alone.",
        "description": "What an operator replays to a subscriber. It comes through the same durable \
            as everything else, with the original's payload and `ce-` headers.",
        "parameters": references("parameters", &["consumer", "tenant", "verification_id"]),
        "messages": references("messages", &[REPLAY]),
    });
    let dead_letters = json!({
        "address": format!("{DEAD_LETTER_PREFIX}{{consumer}}.{{tenant}}.{{verification_id}}"),
        "title": "dead-letters",
        "summary": "Messages that a consumer could not handle, for an operator to see.",
        "description": "In the stream `DEAD_LETTERS`, for 30 days. Services and subscribers put aside \
            there what can never be handled, and then acknowledge it. Tenant and verification are \
            `unknown` when the original's subject names none.",
        "parameters": {
            "consumer": { "$ref": "#/components/parameters/consumer" },
            "tenant": { "$ref": "#/components/parameters/tenant" },
            "verification_id": {
                "description": format!("The verification: `{ID_PATTERN}`, or `unknown`."),
            },
        },
        "messages": references("messages", &[DEAD_LETTER]),
    });
    let others = [("replays", replays), ("dead-letters", dead_letters)];
    let others = others.map(|(name, channel)| (name.to_owned(), channel));
    event_channels.chain(others).collect::<Map<_, _>>().into()
}

/// Name of the message that is a replay.
const REPLAY: &str = "ProcessFinishedReplay";
/// Name of the message that is a dead letter.
const DEAD_LETTER: &str = "DeadLetter";

fn messages() -> Value {
    let all = EventType::ALL.iter().map(|event| {
        let mut message = message(*event);
        message["headers"] = headers::of_event(*event);
        (event.message_name().to_owned(), message)
    });
    let mut replay = message(EventType::ProcessFinished);
    replay["title"] = Value::from("ProcessFinished, replayed");
    replay["headers"] = headers::of_replay(EventType::ProcessFinished);
    let others = [(REPLAY, replay), (DEAD_LETTER, dead_letter())];
    let others = others.map(|(name, message)| (name.to_owned(), message));
    all.chain(others).collect::<Map<_, _>>().into()
}

fn dead_letter() -> Value {
    json!({
        "name": "proofline.dead.v1",
        "title": "DeadLetter",
        "summary": "A message that could not be handled, and why.",
        "description": "Payload, `ce-` headers and `traceparent` are the original's, whatever they \
            are: a message may have become a dead letter because they can't be read.",
        "headers": headers::of_dead_letter(),
        "payload": { "description": "The original's, byte for byte." },
    })
}

fn message(event: EventType) -> Value {
    json!({
        "name": event.ce_type(),
        "title": event.message_name(),
        "summary": first_sentence(&about(event)),
        "description": about(event),
        "contentType": "application/protobuf",
        "tags": tags(event.publishers()),
        "correlationId": {
            "description": "All events with the same subject are about the same verification.",
            "location": "$message.header#/ce-subject",
        },
        "payload": { "schemaFormat": PROTOBUF, "schema": standalone(&event.descriptor()) },
        "x-json": { "$ref": format!("#/components/schemas/{}", event.message_name()) },
        "x-once": event.is_once(),
    })
}

/// Who sends what, and what a subscriber receives.
fn operations() -> Value {
    let mut all = Map::new();
    for event in EventType::ALL {
        for service in event.publishers() {
            let operation = json!({
                "action": "send",
                "title": format!("{} by {}", event.message_name(), service.name()),
                "summary": first_sentence(&about(*event)),
                "description": how_often(*event),
                "tags": tags(&[*service]),
                "channel": { "$ref": format!("#/channels/{event}") },
                "messages": references_in(event.name(), event.message_name()),
            });
            all.insert(format!("{}.{event}", service.name()), operation);
        }
    }
    let finished = EventType::ProcessFinished;
    all.insert("subscriber.process-finished".to_owned(), json!({
        "action": "receive",
        "title": "ProcessFinished to a subscriber",
        "summary": "A subscriber hears of each end of its tenant's verifications.",
        "description": "Through the durable consumer `<tenant>-<name>` of the stream \
            `VERIFICATIONS`, made by `proofline provision` for each entry of `subscribers` in the \
            tenants file: from the first event that is kept, explicit acknowledgement within 30 s \
            (else it comes again), no limit of deliveries.",
        "channel": { "$ref": format!("#/channels/{finished}") },
        "messages": references_in(finished.name(), finished.message_name()),
    }));
    all.insert("subscriber.replays".to_owned(), json!({
        "action": "receive",
        "title": "Replays to a subscriber",
        "summary": "A subscriber receives again what an operator replays to it.",
        "description": "Through the same durable consumer. The `ce-id` is the original's, so whoever \
            remembers what was handled must let a replay pass: it has the header `proofline-replay`.",
        "channel": { "$ref": "#/channels/replays" },
        "messages": references_in("replays", REPLAY),
    }));
    all.insert("subscriber.dead-letters".to_owned(), json!({
        "action": "send",
        "title": "Dead letters of a subscriber",
        "summary": "A subscriber puts aside what it can never handle.",
        "description": "It publishes the original with the headers that say why, waits until that is \
            stored, and then terminates the original (`+TERM`). The crate `proofline-subscriber` does \
            so; who doesn't need it leaves it out.",
        "channel": { "$ref": "#/channels/dead-letters" },
        "messages": references_in("dead-letters", DEAD_LETTER),
    }));
    all.into()
}

fn how_often(event: EventType) -> String {
    let by: Vec<_> = event.publishers().iter().map(|service| service.name()).collect();
    let often = if event.is_once() {
        "At most once for a verification"
    } else {
        "Any number of times for a verification, of which the log keeps the last hundred"
    };
    format!("{often}. Published by {}.", by.join(" or "))
}

fn about(event: EventType) -> String {
    let message = event.descriptor();
    comment(message.parent_file_descriptor_proto(), message.path())
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

fn tags(services: &[Service]) -> Vec<Value> {
    services.iter().map(|service| json!({ "name": service.name() })).collect()
}

fn references(kind: &str, names: &[&str]) -> Value {
    let all = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "$ref": format!("#/components/{kind}/{name}") })));
    all.collect::<Map<_, _>>().into()
}

fn references_in(channel: &str, message: &str) -> Value {
    json!([{ "$ref": format!("#/channels/{channel}/messages/{message}") }])
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITTED: &str = include_str!("../../../docs/api/asyncapi.json");

    #[test]
    fn the_committed_document_is_what_the_code_says() {
        let current = format!("{:#}\n", asyncapi());
        assert!(COMMITTED == current, "docs/api/asyncapi.json is not current: run `make api-docs`");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    members.values().for_each(|value| references(value, found));
                }
                Value::Array(all) => all.iter().for_each(|value| references(value, found)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let document = asyncapi();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn addresses_are_the_subjects_that_are_published_to() {
        let key = crate::VerificationKey::parse("acme", "vrf_00000000000000000000").unwrap();
        let document = asyncapi();
        let address = |channel: &str| {
            let address = document["channels"][channel]["address"].as_str().unwrap();
            let address = address.replace("{tenant}", key.tenant.as_str());
            address.replace("{verification_id}", key.id.as_str())
        };
        for event in EventType::ALL {
            assert_eq!(address(event.name()), event.subject(&key));
        }
        let replay = address("replays").replace("{consumer}", "acme-billing");
        assert_eq!(replay, crate::replay_subject("acme-billing", &key));
        let letter = address("dead-letters").replace("{consumer}", "acme-billing");
        let original = EventType::ProcessFinished.subject(&key);
        assert_eq!(letter, headers::a_dead_letter("acme-billing", &original).subject());
    }
}
