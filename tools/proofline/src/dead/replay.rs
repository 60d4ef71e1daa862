//! `proofline dead replay`.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use async_nats::{
    HeaderMap, header,
    jetstream::{self, consumer::PullConsumer},
};
use proofline_events::{
    REPLAY_HEADER, VerificationKey, header as ce, replay_subject, replayed_subject,
};
use proofline_journal::{TimerKind, topology};
use time::OffsetDateTime;

use super::letters::{Letter, Selection, find, select, stream};
use crate::{
    consumer::is_missing,
    output::{complain, say},
    replays::{Rate, Replays, kept},
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Its sequence, as `proofline dead list` shows it; several with spaces between.
    sequences: Vec<u64>,
    #[command(flatten)]
    selection: Selection,
    /// Takes all there are.
    #[arg(long, conflicts_with_all = ["sequences", "verification", "consumer", "reason", "since", "until"])]
    all: bool,
    #[command(flatten)]
    rate: Rate,
    /// Only says what would be replayed.
    #[arg(long)]
    dry_run: bool,
}

/// Replays those meant, and says what became of each that could not be.
pub(super) async fn run(
    jetstream: &jetstream::Context,
    arguments: Arguments,
) -> anyhow::Result<()> {
    let letters = meant(jetstream, &arguments).await?;
    let mut replayer = Replayer { jetstream, there: BTreeMap::new() };
    let mut pace = arguments.rate.pace();
    let (mut done, mut refused) = (0_u64, 0_u64);
    for letter in &letters {
        let sequence = letter.message.sequence;
        let prepared = replayer.prepare(letter).await;
        let replay = match prepared? {
            Ok(replay) => replay,
            Err(why) => {
                complain(&format!("{sequence} cannot be replayed: {why}"));
                refused += 1;
                continue;
            }
        };
        if !arguments.dry_run {
            pace.tick().await;
            replayer.replay(letter, replay).await.with_context(|| {
                format!("{done} were replayed and removed; the dead letter {sequence} and those after it are still there")
            })?;
        }
        done += 1;
    }
    let what = if arguments.dry_run { "would be replayed" } else { "replayed" };
    say(&format!("{done} {what}."));
    ensure!(refused == 0, "{refused} cannot be replayed and are still there");
    Ok(())
}

async fn meant(
    jetstream: &jetstream::Context,
    arguments: &Arguments,
) -> anyhow::Result<Vec<Letter>> {
    let Arguments { sequences, selection, all, .. } = arguments;
    if sequences.is_empty() {
        let is_meant = *all || !selection.is_all();
        ensure!(
            is_meant,
            "which ones? Give sequences, --verification, --consumer, --reason, --since, or --all"
        );
        return select(jetstream, selection).await;
    }
    ensure!(selection.is_all(), "give either sequences or what they have in common");
    let mut letters = Vec::new();
    for sequence in sequences {
        letters.push(find(jetstream, *sequence).await?);
    }
    Ok(letters)
}

/// A message that its consumer takes for the original.
struct Replay {
    stream: &'static str,
    subject: String,
    headers: HeaderMap,
}

struct Replayer<'a> {
    jetstream: &'a jetstream::Context,
    /// Whether there is such a consumer, of those asked for.
    there: BTreeMap<String, bool>,
}

impl Replayer<'_> {
    /// How this letter's original is handed to its consumer; a sentence when it can't be.
    async fn prepare(&mut self, letter: &Letter) -> anyhow::Result<Result<Replay, String>> {
        let replay = match replay_of(letter) {
            Ok(replay) => replay,
            Err(why) => return Ok(Err(why.to_owned())),
        };
        let consumer = &letter.told.consumer;
        if !self.is_there(consumer, replay.stream).await? {
            return Ok(Err(format!("there is no consumer {consumer} any more")));
        }
        Ok(Ok(replay))
    }

    async fn is_there(&mut self, consumer: &str, stream: &str) -> anyhow::Result<bool> {
        if let Some(is_there) = self.there.get(consumer) {
            return Ok(*is_there);
        }
        let found: Result<PullConsumer, _> =
            self.jetstream.get_consumer_from_stream(consumer, stream).await;
        let is_there = match found.as_ref().map_err(is_missing) {
            Ok(_) => true,
            Err(true) => false,
            Err(false) => return found.map(|_| true).context("cannot look for the consumer"),
        };
        self.there.insert(consumer.to_owned(), is_there);
        Ok(is_there)
    }

    /// Stores the replay, and then removes the letter.
    async fn replay(&self, letter: &Letter, replay: Replay) -> anyhow::Result<()> {
        let replays = Replays::by(self.jetstream);
        let Replay { stream: of, subject, mut headers } = replay;
        let number = match of {
            topology::VERIFICATIONS => replays.next_number(of, &subject).await?,
            _ => again(letter),
        };
        headers.insert(REPLAY_HEADER, number.to_string());
        replays.publish(subject, headers, letter.message.payload.clone()).await?;
        let sequence = letter.message.sequence;
        let removed = stream(self.jetstream).await?.delete_message(sequence).await;
        removed.context("it was replayed and could not be removed: repeated within two minutes it is stored once")?;
        Ok(())
    }
}

fn replay_of(letter: &Letter) -> Result<Replay, &'static str> {
    let told = &letter.told;
    let key = told.key.as_ref().ok_or("its original names no verification")?;
    let original = told.subject.as_deref().ok_or("it does not say what its original was")?;
    let mut replay = match TimerKind::of_due(original) {
        Some(_) => Replay {
            stream: topology::TIMERS,
            subject: original.to_owned(),
            headers: timer_headers(letter)?,
        },
        None => event(letter, key)?,
    };
    // The same each time, so that what is stored and could not be removed is stored once.
    let id = format!("{}.dead.{}", told.consumer, letter.message.sequence);
    replay.headers.insert(header::NATS_MESSAGE_ID, id);
    Ok(replay)
}

/// An event comes to its consumer alone by a subject of its own.
fn event(letter: &Letter, key: &VerificationKey) -> Result<Replay, &'static str> {
    let (consumer, headers) = (&letter.told.consumer, &letter.message.headers);
    let subject = replay_subject(consumer, key);
    let ce_type = headers.get(ce::TYPE).map(|value| value.as_str());
    replayed_subject(consumer, &subject, ce_type)
        .ok_or("its ce-type names no event that this version knows")?;
    Ok(Replay { stream: topology::VERIFICATIONS, subject, headers: kept(headers.iter()) })
}

/// A timer's kind has one consumer, so that it can come due once more as it was.
fn timer_headers(letter: &Letter) -> Result<HeaderMap, &'static str> {
    let due_at = letter.told.stored_at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (mut headers, kept) = (HeaderMap::new(), &letter.message.headers);
    for (name, unless_kept) in TimerKind::due_headers(due_at).map_err(|_| "its time is no time")? {
        let value = kept.get(name).map_or(unless_kept, |value| value.as_str().to_owned());
        headers.insert(name, value);
    }
    Ok(headers)
}

/// The number of the next replay of what may have been one.
fn again(letter: &Letter) -> u64 {
    let before = letter.message.headers.get(REPLAY_HEADER);
    before.and_then(|number| number.as_str().parse::<u64>().ok()).unwrap_or(0) + 1
}
