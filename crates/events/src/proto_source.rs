//! The sources in `proto/`: what their comments say of a definition, and its text.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{EnumDescriptor, MessageDescriptor};
use prost_types::{FileDescriptorProto, source_code_info::Location};

/// The sources, by their names in [`crate::DESCRIPTORS`].
const SOURCES: [(&str, &str); 2] = [
    (
        "proofline/events/v1/events.proto",
        include_str!("../../../proto/proofline/events/v1/events.proto"),
    ),
    (
        "proofline/events/v1/types.proto",
        include_str!("../../../proto/proofline/events/v1/types.proto"),
    ),
];

/// What the comment before a definition says: lines of a paragraph joined, paragraphs apart. Empty
/// without a comment.
pub(crate) fn comment(file: &FileDescriptorProto, path: &[i32]) -> String {
    let lines = location(file, path).map(Location::leading_comments).unwrap_or_default();
    let lines: Vec<_> = lines.lines().map(str::trim).collect();
    let paragraphs = lines.split(|line| line.is_empty()).map(|lines| lines.join(" "));
    paragraphs.filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// A source of its own for one message: its definition, comments included, and those of all types
/// it is made of.
pub(crate) fn standalone(message: &MessageDescriptor) -> String {
    let mut parts = Parts::default();
    parts.definitions.push(definition(message.parent_file_descriptor_proto(), message.path()));
    parts.add_types_of(message);
    let mut text = format!("syntax = \"proto3\";\n\npackage {};\n", message.package_name());
    for import in &parts.imports {
        text += &format!("\nimport \"{import}\";\n");
    }
    for definition in parts.definitions.iter().chain(parts.types.values()) {
        text += &format!("\n{definition}");
    }
    text
}

/// What a message is made of.
#[derive(Default)]
struct Parts {
    imports: BTreeSet<String>,
    definitions: Vec<String>,
    types: BTreeMap<String, String>,
}

impl Parts {
    fn add_types_of(&mut self, message: &MessageDescriptor) {
        for field in message.fields() {
            let kind = field.kind();
            if let Some(inner) = kind.as_enum() {
                self.add_enum(inner);
            }
            if let Some(inner) = kind.as_message() {
                self.add_message(inner);
            }
        }
    }

    fn add_enum(&mut self, of: &EnumDescriptor) {
        let text = definition(of.parent_file_descriptor_proto(), of.path());
        self.types.insert(of.full_name().to_owned(), text);
    }

    fn add_message(&mut self, of: &MessageDescriptor) {
        if of.full_name().starts_with("google.protobuf.") {
            self.imports.insert(of.parent_file().name().to_owned());
        } else if !self.types.contains_key(of.full_name()) {
            let text = definition(of.parent_file_descriptor_proto(), of.path());
            self.types.insert(of.full_name().to_owned(), text);
            self.add_types_of(of);
        }
    }
}

/// The text of a definition, after its comment.
fn definition(file: &FileDescriptorProto, path: &[i32]) -> String {
    let location = location(file, path).expect("the build keeps where each definition is");
    let source = SOURCES.iter().find(|(name, _)| *name == file.name());
    let (_, source) = source.expect("every source of an event is listed");
    let line = |index: usize| usize::try_from(location.span[index]).expect("lines count from 0");
    // A span is start line, start column, end line unless it is the same, end column. Definitions
    // begin and end on lines of their own.
    let (first, last) = (line(0), if location.span.len() == 4 { line(2) } else { line(0) });
    let mut text = String::new();
    for comment in location.leading_comments().lines() {
        text += format!("//{comment}").trim_end();
        text += "\n";
    }
    for line in source.lines().skip(first).take(last - first + 1) {
        text += line;
        text += "\n";
    }
    text
}

fn location<'a>(file: &'a FileDescriptorProto, path: &[i32]) -> Option<&'a Location> {
    let info = file.source_code_info.as_ref()?;
    info.location.iter().find(|location| location.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventType, json::POOL};

    #[test]
    fn a_source_of_its_own_says_the_same_as_the_one_it_was_taken_from() {
        for event in EventType::ALL {
            let message = event.descriptor();
            let text = standalone(&message);
            let mut resolver = protox::file::ChainFileResolver::new();
            resolver.add(One(text));
            resolver.add(protox::file::GoogleFileResolver::new());
            let mut compiler = protox::Compiler::with_file_resolver(resolver);
            compiler.open_file("one.proto").unwrap();
            let pool = compiler.descriptor_pool();
            let mut again: Vec<_> = pool.all_messages().collect();
            again.retain(|m| !m.full_name().starts_with("google."));
            assert_eq!(again[0].full_name(), message.full_name());
            for found in again {
                let original = POOL.get_message_by_name(found.full_name()).unwrap();
                assert_eq!(found.descriptor_proto(), original.descriptor_proto());
            }
        }
    }

    struct One(String);

    impl protox::file::FileResolver for One {
        fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
            match name {
                "one.proto" => protox::file::File::from_source(name, &self.0),
                _ => Err(protox::Error::file_not_found(name)),
            }
        }
    }

    #[test]
    fn comments_say_how_often_and_by_whom_as_the_table_does() {
        for event in EventType::ALL {
            let message = event.descriptor();
            let comment = comment(message.parent_file_descriptor_proto(), message.path());
            let how_often = if event.is_once() { "Once, by " } else { "Repeats, by " };
            let (_, by) = comment.split_once(how_often).expect(&comment);
            let by = by.split_once('.').expect(&comment).0;
            for service in crate::Service::ALL {
                let is_named = by.split([' ', ',', ';']).any(|word| word == service.name());
                assert_eq!(is_named, event.publishers().contains(&service), "{event}: {by}");
            }
        }
    }
}
