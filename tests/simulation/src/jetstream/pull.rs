//! A consumer as one process sees it.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::AckKind;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use proofline_journal::{
    Error,
    bus::{Delivered, Deliveries, Messages, Position, Pull, PullInfo, Settle},
};
use tokio::time::{Instant, sleep_until};

use super::wire::Wire;
use crate::{Plant, dice::pass};

#[derive(Debug, Clone)]
pub(crate) struct Puller {
    wire: Wire,
    stream: String,
    name: String,
}

impl Puller {
    pub(crate) fn new(wire: Wire, stream: &str, name: &str) -> Self {
        Self { wire, stream: stream.to_owned(), name: name.to_owned() }
    }

    /// What there is now.
    fn take(&self) -> Option<Delivered> {
        let Wire { world, process } = &self.wire;
        let (position, stored) = world.at_jetstream(|store| {
            let stream = store.stream_mut(&self.stream);
            let (sequence, deliveries) = stream.take(&self.name)?;
            let stored = stream.messages[&sequence].clone();
            if world.is_planted(Plant::AckedBeforeHandled) {
                stream.settle(&self.name, sequence, AckKind::Ack);
            }
            Some((Position { sequence, deliveries, pending: 0, stored_at: stored.time }, stored))
        })?;
        let Position { sequence, deliveries, .. } = position;
        let (name, subject) = (&self.name, &stored.subject);
        world.trace.say(|| format!("{process}: {name} <- {sequence} {subject} ({deliveries}.)"));
        let settle = Settlement { puller: self.clone(), sequence };
        Some(Delivered {
            subject: stored.subject.as_str().into(),
            headers: Some(stored.headers),
            payload: stored.payload,
            position: Some(position),
            settle: Box::new(settle),
        })
    }

    async fn next(&self) -> Delivered {
        let Wire { world, process } = &self.wire;
        loop {
            process.runs().await;
            let changed = world.changed(&self.stream);
            if let Some(delivered) = self.take() {
                pass(world.dice.milliseconds(0..4)).await;
                process.runs().await;
                return delivered;
            }
            let again = world.at_jetstream(|store| {
                store.stream(&self.stream).consumers[&self.name].next_again()
            });
            let again_at = again.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                biased;
                // So that not always the same replica is the first.
                () = changed => pass(world.dice.milliseconds(0..3)).await,
                () = sleep_until(again_at) => {}
                () = process.died() => {}
            }
        }
    }
}

impl Pull for Puller {
    fn info(&self) -> PullInfo {
        self.wire.world.at_jetstream(|store| {
            let consumer = &store.stream(&self.stream).consumers[&self.name];
            let unsettled = consumer.unsettled.len() as u64;
            PullInfo { ack_wait: consumer.ack_wait, pending: 0, unsettled }
        })
    }

    fn fetch(&self, max: usize) -> BoxFuture<'_, Result<Deliveries, Error>> {
        async move {
            let puller = self.clone();
            let asked = self.wire.ask(move |_, _| ()).await;
            asked.map_err(|_| Error::Unavailable("no answer in time".to_owned()))?;
            let taken: Vec<_> = std::iter::from_fn(|| puller.take()).take(max).map(Ok).collect();
            Ok(stream::iter(taken).boxed())
        }
        .boxed()
    }

    fn messages(&self) -> BoxFuture<'_, Result<Box<dyn Messages>, Error>> {
        let puller = Box::new(self.clone());
        async move { Ok(puller as Box<dyn Messages>) }.boxed()
    }
}

impl Messages for Puller {
    fn next(&mut self, _: usize) -> BoxFuture<'_, Result<Delivered, Error>> {
        Puller::next(self).map(Ok).boxed()
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Vec<Delivered>> {
        async { Vec::new() }.boxed()
    }
}

struct Settlement {
    puller: Puller,
    sequence: u64,
}

impl Settle for Settlement {
    /// Sent and not confirmed, so it may be lost without a word.
    fn settle(&self, kind: AckKind) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            let Wire { world, process } = &self.puller.wire;
            process.runs().await;
            world.tempt_fate(process).await;
            let (name, sequence) = (self.puller.name.clone(), self.sequence);
            let is_lost = world.happens(world.profile().ack_lost);
            if is_lost || world.is_planted(Plant::AcksLost) {
                world.trace.say(|| format!("{process}: {name} {sequence} {kind:?} is lost"));
                return Ok(());
            }
            let there = world.dice.milliseconds(0..4);
            let (world, process) = (Arc::clone(world), Arc::clone(process));
            let stream = self.puller.stream.clone();
            tokio::spawn(async move {
                pass(there).await;
                world.trace.say(|| format!("{process}: {name} {sequence} {kind:?}"));
                world.at_jetstream(|store| store.stream_mut(&stream).settle(&name, sequence, kind));
            });
            Ok(())
        }
        .boxed()
    }
}
