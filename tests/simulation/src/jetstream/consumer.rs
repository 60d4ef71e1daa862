//! A durable consumer: who has been brought what, and what comes again.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::AckKind;
use tokio::time::Instant;

use super::stream::{Stream, matches};

#[derive(Debug)]
pub(crate) struct Consumer {
    filters: Vec<String>,
    pub(crate) ack_wait: Duration,
    cursor: u64,
    pub(crate) unsettled: BTreeMap<u64, Unsettled>,
}

#[derive(Debug)]
pub(crate) struct Unsettled {
    deliveries: i64,
    again_at: Instant,
}

impl Consumer {
    pub(crate) fn new(filters: Vec<String>, ack_wait: Duration) -> Self {
        Self { filters, ack_wait, cursor: 0, unsettled: BTreeMap::new() }
    }

    /// When the next one comes again, if nothing is told of it.
    pub(crate) fn next_again(&self) -> Option<Instant> {
        self.unsettled.values().map(|unsettled| unsettled.again_at).min()
    }
}

impl Stream {
    /// Whether a consumer has yet to be brought a message, or to settle it.
    pub(crate) fn is_to_do(&self, name: &str, sequence: u64) -> bool {
        let consumer = &self.consumers[name];
        sequence > consumer.cursor || consumer.unsettled.contains_key(&sequence)
    }

    /// The next message of a consumer, if there is one now: its sequence, and how often it has come.
    pub(crate) fn take(&mut self, name: &str) -> Option<(u64, i64)> {
        self.forget_old();
        let now = Instant::now();
        let consumer = self.consumers.get_mut(name)?;
        consumer.unsettled.retain(|sequence, _| self.messages.contains_key(sequence));
        let again = consumer.unsettled.iter_mut().find(|(_, unsettled)| unsettled.again_at <= now);
        if let Some((sequence, unsettled)) = again {
            unsettled.deliveries += 1;
            unsettled.again_at = now + consumer.ack_wait;
            return Some((*sequence, unsettled.deliveries));
        }
        let wanted = |subject: &str| consumer.filters.iter().any(|filter| matches(filter, subject));
        let from = consumer.cursor + 1;
        let next = self.messages.range(from..).find(|(_, message)| wanted(&message.subject));
        let Some((&sequence, _)) = next else {
            consumer.cursor = self.last;
            return None;
        };
        consumer.cursor = sequence;
        let again_at = now + consumer.ack_wait;
        consumer.unsettled.insert(sequence, Unsettled { deliveries: 1, again_at });
        Some((sequence, 1))
    }

    /// What a consumer is told of a message.
    pub(crate) fn settle(&mut self, name: &str, sequence: u64, kind: AckKind) {
        let Some(consumer) = self.consumers.get_mut(name) else { return };
        let Some(unsettled) = consumer.unsettled.get_mut(&sequence) else { return };
        let now = Instant::now();
        match kind {
            AckKind::Progress => unsettled.again_at = now + consumer.ack_wait,
            AckKind::Nak(delay) => {
                unsettled.again_at = now + delay.unwrap_or_default();
                self.version += 1;
            }
            AckKind::Ack | AckKind::Term | AckKind::Next => {
                consumer.unsettled.remove(&sequence);
                if self.setup.is_work_queue {
                    self.remove(sequence);
                }
            }
        }
    }
}
