//! All streams, as provisioning makes them.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::{message::StreamMessage, stream::RetentionPolicy};
use bytes::Bytes;
use proofline_journal::{
    bus::{Notice, Page, Several, Which},
    topology,
};
use time::OffsetDateTime;
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use super::{
    consumer::Consumer,
    stream::{Setup, Stored, Stream, matches},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) streams: BTreeMap<String, Stream>,
    listeners: Vec<(String, UnboundedSender<Notice>)>,
}

impl Store {
    pub(crate) fn provisioned() -> Self {
        let mut streams = BTreeMap::new();
        for config in topology::streams(3, 90 * DAY) {
            let per_subject = config.max_messages_per_subject;
            let setup = Setup {
                name: config.name.clone(),
                subject: config.subjects.first().cloned().unwrap_or_default(),
                max_age: config.max_age,
                max_per_subject: match per_subject {
                    0 | -1 => usize::MAX,
                    some => usize::try_from(some).unwrap_or(usize::MAX),
                },
                is_work_queue: config.retention == RetentionPolicy::WorkQueue,
            };
            streams.insert(config.name, Stream::new(setup));
        }
        for consumer in topology::Consumer::ALL {
            let config = consumer.config();
            let stream = streams.get_mut(consumer.stream()).expect("its stream was made");
            let durable = Consumer::new(config.filter_subjects, config.ack_wait);
            stream.consumers.insert(consumer.name().to_owned(), durable);
        }
        Self { streams, listeners: Vec::new() }
    }

    pub(crate) fn stream(&self, name: &str) -> &Stream {
        &self.streams[name]
    }

    pub(crate) fn stream_mut(&mut self, name: &str) -> &mut Stream {
        self.streams.get_mut(name).expect("it is provisioned")
    }

    /// The stream that takes what is published there.
    pub(crate) fn stream_of(&mut self, subject: &str) -> Option<&mut Stream> {
        self.streams.values_mut().find(|stream| {
            matches(&stream.setup.subject, subject)
                || (stream.setup.name == topology::VERIFICATIONS
                    && subject.starts_with("proofline.replay.v1."))
        })
    }

    pub(crate) fn listen(&mut self, filter: String, listener: UnboundedSender<Notice>) {
        self.listeners.push((filter, listener));
    }

    /// Who listens hears of it, whether or not it is then stored.
    pub(crate) fn tell(&mut self, subject: &str, payload: &Bytes) {
        let notice = Notice { subject: subject.into(), payload: payload.clone() };
        self.listeners.retain(|(filter, listener)| {
            !matches(filter, subject) || listener.send(notice.clone()).is_ok()
        });
    }

    /// One message as of that time: now for the leader.
    pub(crate) fn get(
        &mut self,
        stream: &str,
        which: Which<'_>,
        as_of: Instant,
    ) -> Option<StreamMessage> {
        let stream = self.stream_mut(stream);
        stream.forget_old();
        let sequence = match which {
            Which::At(sequence) => Some(sequence),
            Which::LastOn(filter) => {
                let there = stream.on(filter).flat_map(|(_, there)| there).copied();
                there.filter(|sequence| stream.messages[sequence].at <= as_of).max()
            }
            Which::NextOn(filter, from) => stream.next_on(filter, from),
        }?;
        let stored = stream.messages.get(&sequence).filter(|stored| stored.at <= as_of)?;
        Some(message(sequence, stored))
    }

    /// Several as of that time: what a replica has that is behind.
    pub(crate) fn page(&self, stream: &str, which: Several<'_>, as_of: Instant) -> Page {
        let stream = self.stream(stream);
        let is_there = |sequence: &u64| stream.messages[sequence].at <= as_of;
        let (mut sequences, most): (Vec<u64>, usize) = match which {
            Several::LastOfEach(filter) => {
                let last = stream.on(filter).filter_map(|(_, there)| {
                    there.iter().rev().find(|sequence| is_there(sequence)).copied()
                });
                (last.collect(), usize::MAX)
            }
            Several::From { subject, sequence, batch } => {
                let there = stream.on(subject).flat_map(|(_, there)| there.range(sequence..));
                let batch = usize::try_from(batch).unwrap_or(usize::MAX);
                (there.filter(|sequence| is_there(sequence)).copied().collect(), batch)
            }
        };
        sequences.sort_unstable();
        let pending = sequences.len().saturating_sub(most) as u64;
        sequences.truncate(most);
        let messages =
            sequences.into_iter().map(|sequence| message(sequence, &stream.messages[&sequence]));
        Page { messages: messages.collect(), pending }
    }

    /// Lets everything happen that is due by the server's clock; answers when there is more.
    pub(crate) fn fire(&mut self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        self.streams.values_mut().filter_map(|stream| stream.fire(now)).min()
    }
}

fn message(sequence: u64, stored: &Stored) -> StreamMessage {
    StreamMessage {
        subject: stored.subject.as_str().into(),
        sequence,
        headers: stored.headers.clone(),
        payload: stored.payload.clone(),
        time: stored.time,
    }
}
