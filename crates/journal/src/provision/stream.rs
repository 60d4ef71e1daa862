//! One stream or bucket: what is there beside what should be.

use std::time::Duration;

use async_nats::jetstream::{
    ErrorCode,
    context::{CreateStreamErrorKind, GetStreamErrorKind},
    stream::{Config, Info},
};
use time::OffsetDateTime;

use super::{
    answered,
    change::{Change, Difference, covers},
    refused,
};
use crate::{Connection, Error};

/// What is to be done about it.
pub(super) struct StreamPlan {
    pub(super) change: Change,
    wanted: Config,
    exists: bool,
}

impl StreamPlan {
    /// Compares what is wanted with what is there.
    pub(super) async fn make(
        connection: &Connection,
        wanted: Config,
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        let what = format!("stream {}", wanted.name);
        let Some(info) = existing(connection, &wanted.name).await? else {
            return Ok(Self { change: Change::make(what), wanted, exists: false });
        };
        let age = now - info.state.first_timestamp;
        let held = Held {
            messages: info.state.messages,
            oldest: age.try_into().unwrap_or(Duration::ZERO),
        };
        let change = Change::update(what, differences(&info.config, &wanted, held));
        Ok(Self { change, wanted: over(info.config, wanted), exists: true })
    }

    pub(super) async fn carry_out(self, connection: &Connection) -> Result<(), Error> {
        let Self { change, wanted, exists } = self;
        if change.is_none() {
            return Ok(());
        }
        let jetstream = connection.jetstream()?;
        let done = match exists {
            true => jetstream.update_stream(&wanted).await.map(drop),
            false => jetstream.create_stream(&wanted).await.map(drop),
        };
        let Err(error) = done else { return Ok(()) };
        Err(match error.kind() {
            CreateStreamErrorKind::JetStream(cause) => answered(&wanted.name, &cause),
            CreateStreamErrorKind::TimedOut
            | CreateStreamErrorKind::Response
            | CreateStreamErrorKind::JetStreamUnavailable => Error::unavailable(error),
            CreateStreamErrorKind::EmptyStreamName
            | CreateStreamErrorKind::InvalidStreamName
            | CreateStreamErrorKind::DomainAndExternalSet
            | CreateStreamErrorKind::NotFound
            | CreateStreamErrorKind::ResponseParse => refused(&wanted.name, &error),
        })
    }
}

/// What is ours to set over what is there. The rest stays as an operator made it: limits of size,
/// placement, compression, metadata.
fn over(is: Config, wanted: Config) -> Config {
    // The server remembers ids for no longer than messages.
    let longest = if wanted.max_age.is_zero() { Duration::MAX } else { wanted.max_age };
    Config {
        duplicate_window: is.duplicate_window.min(longest),
        subjects: wanted.subjects,
        max_age: wanted.max_age,
        max_messages_per_subject: wanted.max_messages_per_subject,
        num_replicas: wanted.num_replicas,
        discard: wanted.discard,
        max_message_size: wanted.max_message_size,
        description: wanted.description,
        allow_direct: wanted.allow_direct,
        deny_purge: wanted.deny_purge,
        deny_delete: wanted.deny_delete,
        allow_rollup: wanted.allow_rollup,
        allow_message_ttl: wanted.allow_message_ttl,
        allow_message_schedules: wanted.allow_message_schedules,
        allow_atomic_publish: wanted.allow_atomic_publish,
        ..is
    }
}

async fn existing(connection: &Connection, name: &str) -> Result<Option<Info>, Error> {
    let error = match connection.jetstream()?.get_stream(name).await {
        Ok(stream) => return Ok(Some(stream.cached_info().clone())),
        Err(error) => error,
    };
    match error.kind() {
        GetStreamErrorKind::JetStream(cause) => match cause.error_code() {
            ErrorCode::STREAM_NOT_FOUND => Ok(None),
            _ => Err(answered(name, &cause)),
        },
        GetStreamErrorKind::EmptyName | GetStreamErrorKind::InvalidStreamName => {
            Err(refused(name, &error))
        }
        GetStreamErrorKind::Request => Err(Error::unavailable(error)),
    }
}

/// What a stream keeps.
#[derive(Debug, Clone, Copy)]
struct Held {
    messages: u64,
    /// Age of the oldest message.
    oldest: Duration,
}

/// Of the settings that [`crate::topology`] sets. What it leaves alone stays as an operator made it.
fn differences(is: &Config, wanted: &Config, held: Held) -> Vec<Difference> {
    let flags = [
        ("allow_direct", is.allow_direct, wanted.allow_direct),
        ("deny_purge", is.deny_purge, wanted.deny_purge),
        ("deny_delete", is.deny_delete, wanted.deny_delete),
        ("allow_rollup", is.allow_rollup, wanted.allow_rollup),
        ("allow_message_ttl", is.allow_message_ttl, wanted.allow_message_ttl),
        ("allow_atomic", is.allow_atomic_publish, wanted.allow_atomic_publish),
        ("schedules", is.allow_message_schedules, wanted.allow_message_schedules),
    ];
    [
        subjects(&is.subjects, &wanted.subjects),
        age(is.max_age, wanted.max_age, held),
        per_subject(is.max_messages_per_subject, wanted.max_messages_per_subject, held),
        replicas(is.num_replicas, wanted.num_replicas),
        Difference::of("discard", is.discard, wanted.discard),
        Difference::of("size", limit(is.max_message_size), limit(wanted.max_message_size)),
        Difference::of("description", &is.description, &wanted.description),
        Difference::impossible("storage", is.storage, wanted.storage),
        Difference::impossible("retention", is.retention, wanted.retention),
    ]
    .into_iter()
    .flatten()
    .chain(flags.into_iter().filter_map(|(name, is, wanted)| Difference::of(name, is, wanted)))
    .collect()
}

fn subjects(is: &[String], wanted: &[String]) -> Option<Difference> {
    if is == wanted {
        return None;
    }
    let text = format!("subjects {} to {}", is.join(" "), wanted.join(" "));
    let uncovered = is.iter().filter(|old| !wanted.iter().any(|new| covers(new, old)));
    let uncovered: Vec<_> = uncovered.map(String::as_str).collect();
    if uncovered.is_empty() {
        return Some(Difference::harmless(text));
    }
    let loss = format!("what is published to {} would be kept no more", uncovered.join(" "));
    Some(Difference::losing(text, loss))
}

/// Zero is for ever.
fn age(is: Duration, wanted: Duration, held: Held) -> Option<Difference> {
    if is == wanted {
        return None;
    }
    let text = format!("age {} to {}", days(is), days(wanted));
    let is_kept = wanted.is_zero() || held.messages == 0 || held.oldest <= wanted;
    if is_kept {
        return Some(Difference::harmless(text));
    }
    let loss = format!("messages up to {} old would go at once", days(held.oldest));
    Some(Difference::losing(text, loss))
}

fn days(age: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    match age.as_secs() {
        0 if age.is_zero() => "unlimited".to_owned(),
        seconds if seconds >= DAY => format!("{}d", seconds / DAY),
        seconds => format!("{seconds}s"),
    }
}

/// The server says -1 for what we leave at zero: no limit.
fn limit<T: Into<i64>>(set: T) -> Option<i64> {
    Some(set.into()).filter(|set| *set > 0)
}

fn per_subject(is: i64, wanted: i64, held: Held) -> Option<Difference> {
    let (is, wanted) = (limit(is), limit(wanted));
    let difference = Difference::of("messages of a subject", is, wanted)?;
    let is_fewer = wanted.is_some_and(|wanted| is.is_none_or(|is| wanted < is));
    if !is_fewer || held.messages == 0 {
        return Some(difference);
    }
    let text = format!("messages of a subject {is:?} to {wanted:?}");
    Some(Difference::losing(text, "the oldest of each subject would go at once"))
}

fn replicas(is: usize, wanted: usize) -> Option<Difference> {
    let text = format!("replicas {is} to {wanted}");
    if wanted < is {
        return Some(Difference::losing(text, "it would be on fewer disks"));
    }
    (wanted > is).then(|| Difference::harmless(text))
}

#[cfg(test)]
mod tests;
