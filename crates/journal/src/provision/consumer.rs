//! One durable consumer: what is there beside what should be.

use async_nats::jetstream::{
    consumer::{Config, Info, pull},
    context::ConsumerInfoErrorKind,
    stream::{ConsumerErrorKind, ConsumerUpdateErrorKind, Stream},
};

use super::{
    answered,
    change::{Change, Difference, covers},
    refused,
};
use crate::{Connection, Error};

/// What is to be done about it.
pub(super) struct ConsumerPlan {
    pub(super) change: Change,
    stream: &'static str,
    wanted: pull::Config,
    /// What is there.
    is: Option<Config>,
}

impl ConsumerPlan {
    /// Compares what is wanted with what is there. What the `former` filters bring is handled
    /// elsewhere by now.
    pub(super) async fn make(
        connection: &Connection,
        stream: &'static str,
        wanted: pull::Config,
        former: &[String],
    ) -> Result<Self, Error> {
        let name = wanted.durable_name.as_deref().unwrap_or_default();
        let what = format!("consumer {name} of {stream}");
        let existing = existing(&handle(connection, stream).await?, name).await?;
        let change = match &existing {
            None => Change::make(what),
            Some(info) => Change::update(what, differences(info, &wanted, former)),
        };
        let is = existing.map(|info| info.config);
        Ok(Self { change, stream, wanted, is })
    }

    pub(super) async fn carry_out(self, connection: &Connection) -> Result<(), Error> {
        if self.change.is_none() {
            return Ok(());
        }
        let name = self.wanted.durable_name.clone().unwrap_or_default();
        let handle = handle(connection, self.stream).await?;
        match self.is {
            Some(is) => match handle.update_consumer(over(is, self.wanted)).await {
                Ok(_) => Ok(()),
                Err(error) => Err(match error.kind() {
                    ConsumerUpdateErrorKind::JetStream(cause) => answered(&name, &cause),
                    ConsumerUpdateErrorKind::TimedOut | ConsumerUpdateErrorKind::Request => {
                        Error::unavailable(error)
                    }
                    ConsumerUpdateErrorKind::InvalidConsumerType
                    | ConsumerUpdateErrorKind::InvalidName
                    | ConsumerUpdateErrorKind::DoesNotExist
                    | ConsumerUpdateErrorKind::Other => refused(&name, &error),
                }),
            },
            None => match handle.create_consumer(self.wanted).await {
                Ok(_) => Ok(()),
                Err(error) => Err(match error.kind() {
                    ConsumerErrorKind::JetStream(cause) => answered(&name, &cause),
                    ConsumerErrorKind::TimedOut | ConsumerErrorKind::Request => {
                        Error::unavailable(error)
                    }
                    ConsumerErrorKind::InvalidConsumerType
                    | ConsumerErrorKind::InvalidName
                    | ConsumerErrorKind::Other => refused(&name, &error),
                }),
            },
        }
    }
}

/// What is ours to set over what is there. The rest stays as an operator made it.
fn over(is: Config, wanted: pull::Config) -> Config {
    Config {
        filter_subject: String::new(),
        filter_subjects: wanted.filter_subjects,
        ack_wait: wanted.ack_wait,
        max_ack_pending: wanted.max_ack_pending,
        max_deliver: wanted.max_deliver,
        ..is
    }
}

async fn handle(connection: &Connection, stream: &str) -> Result<Stream<()>, Error> {
    let handle = connection.jetstream()?.get_stream_no_info(stream).await;
    handle.map_err(|error| refused(stream, &error))
}

async fn existing(stream: &Stream<()>, name: &str) -> Result<Option<Info>, Error> {
    let error = match stream.consumer_info(name).await {
        Ok(info) => return Ok(Some(info)),
        Err(error) => error,
    };
    match error.kind() {
        // Where there is no stream yet, there is no consumer.
        ConsumerInfoErrorKind::NotFound | ConsumerInfoErrorKind::StreamNotFound => Ok(None),
        ConsumerInfoErrorKind::JetStream(cause) => Err(answered(name, &cause)),
        ConsumerInfoErrorKind::InvalidName => Err(refused(name, &error)),
        ConsumerInfoErrorKind::Offline
        | ConsumerInfoErrorKind::Request
        | ConsumerInfoErrorKind::TimedOut
        | ConsumerInfoErrorKind::NoResponders => Err(Error::unavailable(error)),
    }
}

fn differences(info: &Info, wanted: &pull::Config, former: &[String]) -> Vec<Difference> {
    let is = &info.config;
    [
        filters(&is.filter_subjects, &wanted.filter_subjects, former),
        Difference::of("ack_wait", is.ack_wait, wanted.ack_wait),
        Difference::of("max_ack_pending", is.max_ack_pending, wanted.max_ack_pending),
        Difference::of("max_deliver", is.max_deliver.max(0), wanted.max_deliver.max(0)),
        Difference::impossible("ack_policy", is.ack_policy, wanted.ack_policy),
        Difference::impossible("deliver_policy", is.deliver_policy, wanted.deliver_policy),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A filter that is left out is a kind of event that nobody would handle any more: an older version
/// than that which is installed would do so.
fn filters(is: &[String], wanted: &[String], former: &[String]) -> Option<Difference> {
    if is == wanted {
        return None;
    }
    let text = format!("filters {} to {}", is.join(" "), wanted.join(" "));
    // No filter is everything.
    let old = if is.is_empty() { &[">".to_owned()] } else { is };
    let dropped = old.iter().filter(|old| !wanted.iter().any(|new| covers(new, old)));
    let dropped = dropped.filter(|old| !former.contains(old));
    let dropped: Vec<_> = dropped.map(String::as_str).collect();
    if dropped.is_empty() {
        return Some(Difference::harmless(text));
    }
    let loss = format!("{} would be brought to nobody", dropped.join(" "));
    Some(Difference::losing(text, loss))
}
