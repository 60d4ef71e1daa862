//! Publishes that wait together go as one atomic batch.
//!
//! On a broker that syncs always each message costs it one write to the disk, whatever is in flight,
//! and an atomic batch costs about as much as a dozen of them. So where many wait, one batch serves
//! them sooner than each its own message. On a broker that does not sync always a batch is what
//! costs. Which of the two it is, nobody tells: both are tried, now and then (`worth.rs`).
//!
//! Nothing else changes. Each publish is answered once it is durable. A batch that was refused was
//! not stored, whatever one in it was refused for, and each goes alone then; as each has a message
//! id, none is stored twice.

mod bus;
mod flight;
mod recent;
mod worth;

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_nats::jetstream::{
    self, ErrorCode,
    context::{PublishError, PublishErrorKind},
    publish::PublishAck,
};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use crate::{
    append::js_error,
    bus::{Bus, Outgoing},
    connection::REQUEST_TIMEOUT,
};
use flight::{BatchFlight, Flight};
use recent::Recent;
use worth::{FEW, Worth};

/// The largest batch; the server takes 1000.
const MOST: usize = 256;
/// A batch waits so long at most until as many have come as may be expected: about what a broker takes
/// for a batch of whatever size.
const GATHER: Duration = Duration::from_millis(2);
/// How long a batch may be on its way: as long as a message by itself, to be sent and to be answered.
const PATIENCE: Duration = REQUEST_TIMEOUT.saturating_mul(2);
/// How long no batch is tried where the stream takes none, …
const UNWANTED: Duration = Duration::from_secs(60);
/// … and after one was refused for something else than what is in it.
const BREATH: Duration = Duration::from_secs(1);

/// A bus whose publishes may go together.
#[derive(Debug, Clone)]
pub(crate) struct Together {
    bus: Arc<dyn Bus>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    /// How many are in flight by themselves.
    alone: usize,
    is_batch_in_flight: bool,
    /// How many were in flight or waiting when some were last answered: about as many come again.
    expected: usize,
    /// Counts how often some that waited went.
    departures: u64,
    /// Somebody will look when it is late for this departure.
    late_for: Option<u64>,
    worth: Worth,
    recent: Recent,
    /// No batch is tried before.
    unwanted_until: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    message: Outgoing,
    turn: oneshot::Sender<Turn>,
}

/// What became of a message that waited.
#[derive(Debug)]
enum Turn {
    /// It goes by itself.
    Alone(Outgoing, Flight),
    /// It has gone with others.
    Gone(Result<PublishAck, PublishError>),
}

impl Together {
    /// Over this bus, all of whose publishes go to one stream. Those with a message id and without a
    /// guard may go together.
    pub(crate) fn over(bus: Arc<dyn Bus>) -> Self {
        Self { bus, state: Arc::default() }
    }

    async fn publish_some_way(&self, message: Outgoing) -> Result<PublishAck, PublishError> {
        let turn = match self.enter(message) {
            Ok(turn) => turn,
            // Nobody answers when the runtime is gone.
            Err(waits) => waits.await.map_err(|_| unknown())?,
        };
        match turn {
            Turn::Gone(answer) => answer,
            Turn::Alone(Outgoing { subject, headers, payload }, flight) => {
                let answer = self.bus.publish(subject, headers, payload).await;
                flight.ended(answer.is_ok());
                answer
            }
        }
    }

    /// The turn of a message, if that is now.
    fn enter(&self, message: Outgoing) -> Result<Turn, oneshot::Receiver<Turn>> {
        let mut state = self.state();
        if state.is_empty() {
            state.worth.begins(Instant::now());
        }
        if state.recent.is_repeat(&message) || !state.is_better_waiting() {
            return Ok(Turn::Alone(message, self.depart(&mut state)));
        }
        let (turn, waits) = oneshot::channel();
        state.waiting.push(Waiting { message, turn });
        self.go_on(&mut state);
        Err(waits)
    }

    /// Whoever waits goes, if it is time.
    fn go_on(&self, state: &mut State) {
        if state.is_batch_in_flight || state.waiting.is_empty() {
            return;
        }
        if state.goes_together() && state.waiting.len() < (state.expected / 2).max(FEW) {
            self.wait_for_more(state);
        } else {
            self.go(state);
        }
    }

    /// Whoever waits goes now.
    fn go(&self, state: &mut State) {
        // Those whose sender has given up don't.
        state.waiting.retain(|waiting| !waiting.turn.is_closed());
        let count = state.waiting.len().min(MOST);
        state.departures += 1;
        let some: Vec<_> = state.waiting.drain(..count).collect();
        if state.goes_together() && count >= FEW {
            state.is_batch_in_flight = true;
            tokio::spawn(self.clone().publish_batch(some));
            return;
        }
        for Waiting { message, turn } in some {
            self.send_alone(state, message, turn);
        }
        self.go_on(state);
    }

    fn wait_for_more(&self, state: &mut State) {
        let departure = state.departures;
        if state.late_for.replace(departure) == Some(departure) {
            return;
        }
        let together = self.clone();
        tokio::spawn(async move {
            gather().await;
            let mut state = together.state();
            if state.departures == departure && !state.is_batch_in_flight {
                together.go(&mut state);
            }
        });
    }

    async fn publish_batch(self, batch: Vec<Waiting>) {
        let _in_flight = BatchFlight(self.clone());
        let (messages, turns): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.message, waiting.turn)).unzip();
        let answer = timeout(PATIENCE, self.bus.publish_together(messages.clone())).await;
        let answer = answer.unwrap_or_else(|_| Err(PublishError::new(PublishErrorKind::TimedOut)));
        let mut state = self.state();
        match answer {
            Ok(last) => {
                state.has_answered(messages.len());
                for (turn, later) in turns.into_iter().zip((0..messages.len() as u64).rev()) {
                    let sequence = last.sequence.saturating_sub(later);
                    // Whoever waited may be gone.
                    drop(turn.send(Turn::Gone(Ok(PublishAck { sequence, ..last.clone() }))));
                }
            }
            // As with a single one: nobody knows, and asking again is safe. Those behind it need not
            // each wait as long to learn that nobody answers.
            Err(error) if is_unanswered(&error) => {
                let behind = mem::take(&mut state.waiting).into_iter().map(|waiting| waiting.turn);
                for turn in turns.into_iter().chain(behind) {
                    drop(turn.send(Turn::Gone(Err(PublishError::new(error.kind())))));
                }
                state.recent.forget();
            }
            Err(error) => {
                tracing::debug!(%error, "a batch was refused: each of it goes alone");
                state.unwanted_until = Some(Instant::now() + how_long_unwanted(&error));
                for (message, turn) in messages.into_iter().zip(turns) {
                    self.send_alone(&mut state, message, turn);
                }
            }
        }
    }

    fn send_alone(&self, state: &mut State, message: Outgoing, turn: oneshot::Sender<Turn>) {
        let flight = self.depart(state);
        if let Err(Turn::Alone(_, flight)) = turn.send(Turn::Alone(message, flight)) {
            // Whoever waited is gone.
            flight.never_began(state);
        }
    }

    fn depart(&self, state: &mut State) -> Flight {
        state.alone += 1;
        Flight::begin(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while held")
    }
}

impl State {
    /// So many are durable now.
    fn has_answered(&mut self, count: usize) {
        self.expected = count + self.alone + self.waiting.len();
        match self.is_wanted() {
            true => self.worth.answered(count, self.expected, Instant::now()),
            false => self.worth.forgets(),
        }
    }

    /// Those who come to wait are served sooner together, as far as is known.
    fn goes_together(&self) -> bool {
        self.worth.is_better_together() && self.is_wanted()
    }

    /// Nobody is in flight or waits.
    fn is_empty(&self) -> bool {
        self.alone == 0 && self.waiting.is_empty() && !self.is_batch_in_flight
    }

    fn is_wanted(&self) -> bool {
        self.unwanted_until.is_none_or(|until| until <= Instant::now())
    }

    fn is_better_waiting(&self) -> bool {
        let is_crowded = self.alone.max(self.expected) >= FEW;
        self.is_batch_in_flight || !self.waiting.is_empty() || (is_crowded && self.goes_together())
    }
}

/// Until it is late for whoever waits for more.
#[expect(clippy::disallowed_methods, reason = "how long somebody waits for company is a time")]
async fn gather() {
    tokio::time::sleep(GATHER).await;
}

fn unknown() -> PublishError {
    PublishError::new(PublishErrorKind::BrokenPipe)
}

fn is_unanswered(error: &PublishError) -> bool {
    match error.kind() {
        PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => true,
        PublishErrorKind::StreamNotFound
        | PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::WrongLastSequence
        | PublishErrorKind::MaxAckPending
        | PublishErrorKind::MaxPayloadExceeded
        | PublishErrorKind::Other => false,
    }
}

/// How long no batch is tried after this refusal.
fn how_long_unwanted(refusal: &PublishError) -> Duration {
    match js_error(refusal).map(jetstream::Error::error_code) {
        // One of it was stored before, or another replica is about to store it.
        Some(
            ErrorCode::ATOMIC_PUBLISH_CONTAINS_DUPLICATE_MESSAGE
            | ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT,
        ) => Duration::ZERO,
        Some(ErrorCode::ATOMIC_PUBLISH_DISABLED) => UNWANTED,
        Some(_) | None => BREATH,
    }
}
