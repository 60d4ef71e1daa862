//! The way of one process to JetStream, and what goes wrong on it.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_nats::{
    HeaderMap, header,
    jetstream::{
        context::{PublishError, PublishErrorKind},
        message::StreamMessage,
        publish::PublishAck,
    },
};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture, stream};
use proofline_journal::{
    Error,
    bus::{Bus, Heard, Left, Outgoing, Page, Pull, Several, Which},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    Store,
    owned::{Owned, OwnedSeveral},
    planted,
    pull::Puller,
    refusal,
    stream::Manner,
};
use crate::{Plant, dice::pass, process::Process, world::World};

/// As the client's.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// What a process has of JetStream.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) world: Arc<World>,
    pub(crate) process: Arc<Process>,
}

/// There was no answer in time: nobody knows what became of the request.
#[derive(Debug)]
pub(crate) struct Lost;

impl Wire {
    /// Sends a request, which takes effect at the server at some time or not at all, whatever has
    /// become of the process meanwhile; and waits for the answer.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        effect: impl FnOnce(&World, &mut Store) -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let Self { world, process } = self;
        process.runs().await;
        world.tempt_fate(process).await;
        let give_up = Instant::now() + REQUEST_TIMEOUT;
        let (lost, slow) = (world.profile().bus_lost, world.profile().bus_slow);
        if world.is_jetstream_away() || world.happens(lost / 2.0) {
            world.trace.say(|| format!("{process}: a request to JetStream is lost"));
            sleep_until(give_up).await;
            process.runs().await;
            return Err(Lost);
        }
        let is_answer_lost = world.happens(lost / 2.0);
        let [there, back] = [(); 2].map(|()| match world.happens(slow) {
            true => world.dice.milliseconds(0..2000),
            false => world.dice.milliseconds(0..4),
        });
        let (answer, answered) = oneshot::channel();
        let (on_its_way, sender) = (Arc::clone(world), Arc::clone(process));
        tokio::spawn(async move {
            pass(there).await;
            let result = on_its_way.at_jetstream(|store| effect(&on_its_way, store));
            on_its_way.tempt_fate_after(&sender);
            if is_answer_lost {
                on_its_way.trace.say(|| format!("{sender}: an answer of JetStream is lost"));
                pass(REQUEST_TIMEOUT).await;
            } else {
                pass(back).await;
            }
            // Nobody may be waiting any more.
            drop(answer.send(result));
        });
        let waited = timeout_at(give_up, answered).await;
        process.runs().await;
        match waited {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) | Err(_) => Err(Lost),
        }
    }

    fn say(&self, what: impl FnOnce() -> String) {
        self.world.trace.say(|| format!("{}: {}", self.process, what()));
    }
}

impl Bus for Wire {
    fn publish(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<PublishAck, PublishError>> {
        async move {
            let from = Arc::clone(&self.process);
            let is_answered_before = planted::is_answered_before(&self.world, &from, &subject);
            let publish = move |world: &World, store: &mut Store| {
                publish(world, store, &from, &subject, headers, payload)
            };
            if is_answered_before {
                let early = self.clone();
                tokio::spawn(async move {
                    pass(Duration::from_secs(2)).await;
                    early.ask(publish).await
                });
                return Ok(acknowledged(String::new(), 1, false));
            }
            let asked = self.ask(publish).await;
            asked.unwrap_or_else(|Lost| Err(PublishError::new(PublishErrorKind::TimedOut)))
        }
        .boxed()
    }

    fn publish_together(
        &self,
        messages: Vec<Outgoing>,
    ) -> BoxFuture<'_, Result<PublishAck, PublishError>> {
        async move {
            let from = Arc::clone(&self.process);
            let asked = self.ask(move |world, store| publish_all(world, store, &from, messages));
            asked.await.unwrap_or_else(|Lost| Err(PublishError::new(PublishErrorKind::TimedOut)))
        }
        .boxed()
    }

    fn leader_get<'a>(
        &'a self,
        stream: &'a str,
        which: Which<'a>,
    ) -> BoxFuture<'a, Result<Option<StreamMessage>, Error>> {
        let (name, filter) = (stream.to_owned(), Owned::of(which));
        async move {
            let process = Arc::clone(&self.process);
            let asked = self.ask(move |world, store| {
                let which = filter.which();
                let behind = planted::lag_of_leader(world, &which);
                world.judge.leader_was_read(&process, &which);
                if planted::is_hidden(world, &which) {
                    return None;
                }
                store.get(&name, which, Instant::now() - behind)
            });
            asked.await.map_err(|Lost| unavailable())
        }
        .boxed()
    }

    fn direct_get<'a>(
        &'a self,
        stream: &'a str,
        which: Several<'a>,
    ) -> BoxFuture<'a, Result<Page, Error>> {
        let (name, which) = (stream.to_owned(), OwnedSeveral::of(which));
        async move {
            let asked = self.ask(move |world, store| {
                store.page(&name, which.several(), Instant::now() - world.lag())
            });
            asked.await.map_err(|Lost| unavailable())
        }
        .boxed()
    }

    fn delete<'a>(
        &'a self,
        stream: &'a str,
        sequence: u64,
        _left: Left,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let name = stream.to_owned();
        async move {
            self.say(|| format!("deletes {sequence} of {name}"));
            let asked = self.ask(move |world, store| {
                if !world.is_planted(Plant::NothingErased) {
                    store.stream_mut(&name).remove(sequence);
                }
            });
            asked.await.map_err(|Lost| unavailable())
        }
        .boxed()
    }

    fn consumer<'a>(
        &'a self,
        stream: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Pull>, Error>> {
        async move {
            self.process.runs().await;
            let puller = Puller::new(self.clone(), stream, name);
            Ok(Box::new(puller) as Box<dyn Pull>)
        }
        .boxed()
    }

    fn subscribe(&self, subject: String) -> BoxFuture<'_, Result<Heard, Error>> {
        async move {
            let (tell, mut told) = mpsc::unbounded_channel();
            let asked = self.ask(move |_, store| store.listen(subject, tell));
            asked.await.map_err(|Lost| unavailable())?;
            Ok(Box::pin(stream::poll_fn(move |cx| told.poll_recv(cx))) as Heard)
        }
        .boxed()
    }

    fn is_connected(&self) -> bool {
        true
    }
}

fn publish(
    world: &World,
    store: &mut Store,
    from: &Process,
    subject: &str,
    headers: HeaderMap,
    payload: Bytes,
) -> Result<PublishAck, PublishError> {
    let is_cluster = world.profile().is_cluster;
    if is_cluster && subject.starts_with("proofline.v1.") && world.happens(0.01) {
        return Err(refusal::append_under_way());
    }
    take_in(world, store, from, subject, headers, payload)
}

fn take_in(
    world: &World,
    store: &mut Store,
    from: &Process,
    subject: &str,
    headers: HeaderMap,
    payload: Bytes,
) -> Result<PublishAck, PublishError> {
    store.tell(subject, &payload);
    let manner = Manner {
        is_cluster: world.profile().is_cluster,
        ignores_guards: planted::is_unguarded(world, from),
        ignores_repeats: world.is_planted(Plant::GuardAndRepeatIgnored),
    };
    let is_timer = headers.get(header::NATS_SCHEDULE).is_some();
    if is_timer && world.is_planted(Plant::TimerLost) && world.dice.chance(0.1) {
        return Ok(acknowledged(String::new(), 1, false));
    }
    let payload = planted::tampered(world, subject, &headers, payload);
    let now = world.server_time();
    let Some(stream) = store.stream_of(subject) else {
        return Err(PublishError::new(PublishErrorKind::StreamNotFound));
    };
    let name = stream.setup.name.clone();
    let published = stream.publish(subject, headers, payload, now, manner);
    match published {
        Ok((sequence, is_repeat)) => {
            let repeat = if is_repeat { " (a repeat)" } else { "" };
            world.trace.say(|| format!("{from}: {sequence} {subject}{repeat}"));
            if !is_repeat {
                let message = &store.stream(&name).messages[&sequence];
                world.judge.stored(world, store, message, sequence);
            }
            Ok(acknowledged(name, sequence, is_repeat))
        }
        Err(error) => {
            world.trace.say(|| format!("{from}: conflict on {subject}"));
            Err(error)
        }
    }
}

/// As an atomic batch, which a repeat in it refuses whole.
fn publish_all(
    world: &World,
    store: &mut Store,
    from: &Process,
    messages: Vec<Outgoing>,
) -> Result<PublishAck, PublishError> {
    let ids = messages.iter().filter_map(|message| message.headers.get(header::NATS_MESSAGE_ID));
    let ids: Vec<_> = ids.map(|id| id.as_str().to_owned()).collect();
    let is_twice = ids.iter().collect::<HashSet<_>>().len() < ids.len();
    let stream = messages.first().and_then(|message| store.stream_of(&message.subject));
    let Some(stream) = stream else {
        return Err(PublishError::new(PublishErrorKind::StreamNotFound));
    };
    if is_twice || ids.iter().any(|id| stream.has_seen(id)) {
        world.trace.say(|| format!("{from}: a batch of {} with a repeat in it", ids.len()));
        return Err(refusal::repeat_in_batch());
    }
    let mut last = Err(PublishError::new(PublishErrorKind::Other));
    for Outgoing { subject, headers, payload } in messages {
        last = take_in(world, store, from, &subject, headers, payload);
    }
    last
}

fn acknowledged(stream: String, sequence: u64, duplicate: bool) -> PublishAck {
    PublishAck {
        stream,
        sequence,
        domain: String::new(),
        duplicate,
        value: None,
        batch_id: None,
        batch_size: None,
    }
}

fn unavailable() -> Error {
    Error::Unavailable("no answer in time".to_owned())
}
