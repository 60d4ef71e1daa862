//! The timeline as Server-Sent Events: `id` is the sequence, `event` the type. `Last-Event-ID`
//! resumes after that event; the stream closes after the end.

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderMap, HeaderName},
    response::{
        IntoResponse, Response,
        sse::{Event as SseEvent, KeepAlive, Sse},
    },
};
use futures_util::{StreamExt, stream};
use proofline_callers::{not_found, of_journal};
use proofline_events::{EventType, Recorded, VerificationKey};
use proofline_journal::Hint;
use proofline_problem::Problem;

use super::Entry;
use crate::app::SharedApp;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// So that proxies do not take a quiet stream for a dead one.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The sequence after which the caller wants to go on; 0 for all.
pub(super) fn resume_after(headers: &HeaderMap) -> u64 {
    let text = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

pub(super) async fn stream(
    app: SharedApp,
    key: VerificationKey,
    after: u64,
) -> Result<Response, Problem> {
    // Listened to before the first read, so that nothing comes unheard in between.
    let hint = Hint::of_anything(&app.journal, &key).await.map_err(|error| of_journal(&error))?;
    let history = app.journal.read(&key).await.map_err(|error| of_journal(&error))?;
    if history.verification.is_none() {
        return Err(not_found());
    }
    let batches = stream::unfold(
        Live { app, key, hint, next: after.saturating_add(1), state: State::First },
        Live::next_batch,
    );
    let events = batches.flat_map(|batch| {
        stream::iter(batch.into_iter().map(|recorded| Ok::<_, Infallible>(sse(&recorded))))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

struct Live {
    app: SharedApp,
    key: VerificationKey,
    hint: Hint,
    /// The sequence from which on nothing was sent yet.
    next: u64,
    state: State,
}

enum State {
    /// Nothing was read yet.
    First,
    /// Reads again when there is a hint.
    Waiting,
    /// It had its end when nothing new was read: the end may have come in between.
    Looking,
    /// The end was sent, or this process stops.
    Over,
}

impl Live {
    /// What is new, as soon as there is something; `None` once it is over.
    async fn next_batch(mut self) -> Option<(Vec<Recorded>, Self)> {
        loop {
            match self.state {
                State::Over => return None,
                State::First => self.state = State::Waiting,
                State::Looking => {}
                State::Waiting => tokio::select! {
                    biased;
                    () = self.hint.next() => {}
                    () = self.app.shutdown.cancelled() => return None,
                },
            }
            // Whoever listens resumes after the last event they have, so nothing is lost by ending.
            let log = self.app.journal.timeline(&self.key, self.next).await.ok()?;
            let is_end =
                |recorded: &Recorded| recorded.event.event_type() == EventType::ProcessFinished;
            if let Some(last) = log.last() {
                self.next = last.sequence + 1;
                if log.iter().any(is_end) {
                    self.state = State::Over;
                }
                return Some((log, self));
            }
            if self.is_over().await {
                if matches!(self.state, State::Looking) {
                    return None;
                }
                self.state = State::Looking;
            }
        }
    }

    /// Whether the end was sent before this stream was resumed.
    async fn is_over(&self) -> bool {
        let history = self.app.journal.read(&self.key).await;
        history.is_ok_and(|history| history.open().is_none())
    }
}

fn sse(recorded: &Recorded) -> SseEvent {
    let entry = Entry::of(recorded);
    let event = SseEvent::default().id(entry.sequence.to_string()).event(&entry.r#type);
    event.json_data(&entry).unwrap_or_default()
}
