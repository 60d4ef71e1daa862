//! `proofline dead show`.

use async_nats::{HeaderMap, jetstream};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proofline_events::{Event, EventType, header as ce, to_json};
use serde_json::{Value, json};

use super::letters::{Letter, find, when};
use crate::output::say;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Its sequence, as `proofline dead list` shows it.
    sequence: u64,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

/// Prints everything about one.
pub(super) async fn run(
    jetstream: &jetstream::Context,
    arguments: Arguments,
) -> anyhow::Result<()> {
    let letter = find(jetstream, arguments.sequence).await?;
    let event = original(&letter);
    let payload = STANDARD.encode(&letter.message.payload);
    if arguments.json {
        let mut document = letter.json();
        let headers = headers(&letter.message.headers);
        let headers = headers.map(|(name, value)| (name.to_owned(), Value::from(value)));
        document["headers"] = Value::Object(headers.collect());
        document["original"]["event"] = event.unwrap_or_default();
        document["original"]["payload_base64"] = payload.into();
        say(&document.to_string());
        return Ok(());
    }
    say(&about(&letter));
    say("\nHeaders");
    headers(&letter.message.headers).for_each(|(name, value)| say(&format!("  {name}: {value}")));
    say("\nOriginal");
    match event {
        Some(event) => say(&format!("{event:#}")),
        None if payload.is_empty() => say("  empty"),
        None => {
            say(&format!("  not an event that this version can decode; in base64:\n  {payload}"))
        }
    }
    Ok(())
}

fn about(Letter { message, told }: &Letter) -> String {
    let unknown = || "not recorded".to_owned();
    let whose =
        told.key.as_ref().map_or_else(unknown, |key| format!("{} of {}", key.id, key.tenant));
    let attempts = told.attempts.map_or_else(unknown, |attempts| attempts.to_string());
    let stored = told.stored_at.map_or_else(unknown, when);
    [
        ("dead letter", message.sequence.to_string()),
        ("put aside", when(message.time)),
        ("consumer", told.consumer.clone()),
        ("verification", whose),
        ("reason", told.reason.clone()),
        ("first error", told.first_error.clone().unwrap_or_else(unknown)),
        ("last error", told.last_error.clone()),
        ("attempts", attempts),
        ("original", told.subject.clone().unwrap_or_else(unknown)),
        ("stored", stored),
    ]
    .map(|(name, value)| format!("{name:<14}{value}"))
    .join("\n")
}

/// The original as an event, if it is one.
fn original(Letter { message, told }: &Letter) -> Option<Value> {
    let named = told.subject.as_deref().and_then(EventType::parse_subject);
    let by_header = || {
        let ce_type = message.headers.get(ce::TYPE)?.as_str();
        EventType::parse(ce_type.strip_prefix("proofline.v1.")?)
    };
    let event_type = named.map(|(event, _)| event).or_else(by_header)?;
    let event = Event::decode(event_type, &message.payload).ok()?;
    Some(json!({ "type": event_type.ce_type(), "data": to_json(&event) }))
}

fn headers(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().filter_map(|(name, values)| Some((name.as_ref(), values.last()?.as_str())))
}
