//! JSON Schemas of what [`crate::to_json`] makes, the documentation in `proto/` included.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::{EventType, json, proto_source::comment};

/// A schema by name for each event (named as its message) and each type that events share. They
/// refer to one another by `<prefix><name>`, for instance with the prefix `#/components/schemas/`.
pub fn json_schemas(prefix: &str) -> BTreeMap<String, Value> {
    let mut schemas = Schemas { prefix, all: BTreeMap::new() };
    for event in EventType::ALL {
        schemas.add_message(&event.descriptor());
    }
    schemas.all
}

struct Schemas<'a> {
    prefix: &'a str,
    all: BTreeMap<String, Value>,
}

impl Schemas<'_> {
    fn add_message(&mut self, message: &MessageDescriptor) {
        if self.all.contains_key(message.name()) {
            return;
        }
        let shown = message.fields().filter(|field| !matches!(field.kind(), Kind::Bytes));
        let mut required = Vec::new();
        let mut properties = Map::new();
        for field in shown {
            required.push(field.name().to_owned());
            properties.insert(field.name().to_owned(), self.field(&field));
        }
        let schema = json!({
            "title": message.name(),
            "description": comment(message.parent_file_descriptor_proto(), message.path()),
            "type": "object",
            "required": required,
            "properties": properties,
        });
        self.all.insert(message.name().to_owned(), schema);
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        let mut schema = if field.is_list() {
            json!({ "type": "array", "items": self.element(&field.kind()) })
        } else {
            self.single(field)
        };
        let file = field.parent_message().parent_file();
        let description = comment(file.file_descriptor_proto(), field.path());
        schema["description"] = Value::from(description);
        schema
    }

    /// A member that is not repeated: null when the field is not set, as far as that can be told.
    fn single(&mut self, field: &FieldDescriptor) -> Value {
        match (field.name(), field.kind()) {
            ("tenant", _) => json!({ "type": "string", "pattern": TENANT_PATTERN }),
            ("verification_id", _) => json!({ "type": "string", "pattern": ID_PATTERN }),
            (_, Kind::Enum(_) | Kind::String | Kind::Message(_)) => {
                or_null(self.element(&field.kind()))
            }
            (_, kind) => self.element(&kind),
        }
    }

    fn element(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Double | Kind::Float => json!({ "type": "number" }),
            Kind::Int32
            | Kind::Int64
            | Kind::Sint32
            | Kind::Sint64
            | Kind::Sfixed32
            | Kind::Sfixed64 => json!({ "type": "integer" }),
            Kind::Uint32 | Kind::Uint64 | Kind::Fixed32 | Kind::Fixed64 => {
                json!({ "type": "integer", "minimum": 0 })
            }
            // Bytes are left out of JSON.
            Kind::String | Kind::Bytes => json!({ "type": "string" }),
            Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
                json!({ "type": "string", "format": "date-time" })
            }
            Kind::Message(message) => {
                self.add_message(message);
                self.reference(message.name())
            }
            Kind::Enum(descriptor) => {
                let schema = words(descriptor);
                self.all.insert(descriptor.name().to_owned(), schema);
                self.reference(descriptor.name())
            }
        }
    }

    fn reference(&self, name: &str) -> Value {
        json!({ "$ref": format!("{}{name}", self.prefix) })
    }
}

/// The form of a tenant's name.
pub(crate) const TENANT_PATTERN: &str = "^[a-z0-9-]{1,40}$";
/// The form of a verification's id.
pub(crate) const ID_PATTERN: &str = "^vrf_[0-9a-z]{20,40}$";

fn or_null(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(kind) => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        None => json!({ "oneOf": [schema, { "type": "null" }] }),
    }
}

/// Every value but the unspecified one, which is null.
fn words(descriptor: &EnumDescriptor) -> Value {
    let file = descriptor.parent_file_descriptor_proto();
    let values = descriptor.values().filter(|value| value.number() != 0);
    let words = values.map(|value| {
        json!({
            "const": json::word(descriptor, value.number()),
            "description": comment(file, value.path()),
        })
    });
    json!({
        "title": descriptor.name(),
        "description": comment(file, descriptor.path()),
        "type": "string",
        "oneOf": words.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Event, TenantName, VerificationId, to_json};

    #[test]
    fn schemas_name_exactly_the_members_that_an_event_has_in_json() {
        let schemas = json_schemas("");
        for event in EventType::ALL {
            let json = to_json(&Event::decode(*event, &[]).unwrap());
            let members: BTreeSet<_> = json.as_object().unwrap().keys().collect();
            let schema = &schemas[event.message_name()];
            let described: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
            assert_eq!(members, described, "{event}");
            assert_eq!(schema["required"].as_array().unwrap().len(), members.len());
            for (name, value) in json.as_object().unwrap() {
                let schema = schema["properties"][name].to_string();
                let may_be_null = schema.contains("\"null\"");
                let is_name = ["tenant", "verification_id"].contains(&name.as_str());
                assert_eq!(value.is_null(), may_be_null || is_name, "{event} {name}");
            }
        }
    }

    #[test]
    fn everything_is_described() {
        for (name, schema) in json_schemas("") {
            let members = schema["properties"].as_object().into_iter().flat_map(Map::values);
            let words = schema["oneOf"].as_array().into_iter().flatten();
            for part in members.chain(words).chain([&schema]) {
                assert_ne!(part["description"].as_str(), Some(""), "{name}: {part}");
            }
        }
    }

    #[test]
    fn patterns_say_what_names_and_ids_look_like() {
        let pattern =
            |prefix: &str, class: &str, min, max| format!("^{prefix}[{class}]{{{min},{max}}}$");
        assert_eq!(TENANT_PATTERN, pattern("", "a-z0-9-", 1, 40));
        assert_eq!(ID_PATTERN, pattern("vrf_", "0-9a-z", 20, 40));
        for c in '\0'..='\u{ff}' {
            let in_both = c.is_ascii_digit() || c.is_ascii_lowercase();
            let text = |count| String::from(c).repeat(count);
            let is_tenant = |count| TenantName::parse(&text(count)).is_ok();
            let is_id = |count| VerificationId::parse(&format!("vrf_{}", text(count))).is_ok();
            assert_eq!(
                [0, 1, 40, 41].map(is_tenant),
                [false, in_both || c == '-', in_both || c == '-', false]
            );
            assert_eq!([19, 20, 40, 41].map(is_id), [false, in_both, in_both, false]);
        }
    }
}
