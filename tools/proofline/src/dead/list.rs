//! `proofline dead list`.

use std::collections::BTreeMap;

use async_nats::jetstream;
use serde_json::json;

use super::letters::{Letter, Selection, select, when};
use crate::output::say;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Prints one JSON document instead of a table.
    #[arg(long)]
    json: bool,
}

/// Prints them, and how many there are of each consumer and reason.
pub(super) async fn run(
    jetstream: &jetstream::Context,
    arguments: Arguments,
) -> anyhow::Result<()> {
    let letters = select(jetstream, &arguments.selection).await?;
    let mut counts = BTreeMap::<_, u64>::new();
    for Letter { told, .. } in &letters {
        *counts.entry((&*told.consumer, &*told.reason)).or_default() += 1;
    }
    if arguments.json {
        let counts = counts.iter().map(|((consumer, reason), count)| {
            json!({ "consumer": consumer, "reason": reason, "count": count })
        });
        let document = json!({
            "count": letters.len(),
            "counts": counts.collect::<Vec<_>>(),
            "letters": letters.iter().map(Letter::json).collect::<Vec<_>>(),
        });
        say(&document.to_string());
        return Ok(());
    }
    if letters.is_empty() {
        say("There are no such dead letters.");
        return Ok(());
    }
    say(&format!(
        "{:>8} {:<20} {:<34} {:<20} {:>8} VERIFICATION",
        "SEQUENCE", "PUT ASIDE", "CONSUMER", "REASON", "ATTEMPTS"
    ));
    letters.iter().for_each(|letter| say(&line(letter)));
    say(&format!("\n{:>8} {:<34} REASON", "COUNT", "CONSUMER"));
    for ((consumer, reason), count) in counts {
        say(&format!("{count:>8} {consumer:<34} {reason}"));
    }
    Ok(())
}

fn line(Letter { message, told }: &Letter) -> String {
    let attempts = told.attempts.map_or_else(|| "?".to_owned(), |attempts| attempts.to_string());
    let whose = told.key.as_ref().map_or_else(
        || "none that can be told".to_owned(),
        |key| format!("{} of {}", key.id, key.tenant),
    );
    format!(
        "{:>8} {:<20} {:<34} {:<20} {attempts:>8} {whose}",
        message.sequence,
        when(message.time),
        told.consumer,
        told.reason
    )
}
