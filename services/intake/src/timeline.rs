//! `GET /v1/verifications/{id}/events`: everything that happened, oldest first; with
//! `Accept: text/event-stream` live, until the end.

mod live;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use proofline_callers::{not_found, of_journal};
use proofline_events::{Recorded, to_json};
use proofline_problem::Problem;
use serde::Serialize;
use serde_json::Value;

use crate::{
    app::{SharedApp, Target},
    view::rfc3339,
};

#[derive(Serialize)]
struct Timeline {
    events: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    sequence: u64,
    r#type: String,
    time: String,
    source: String,
    data: Value,
}

pub(crate) async fn get(
    State(app): State<SharedApp>,
    Target(key): Target,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if wants_stream(&headers) {
        return live::stream(app, key, live::resume_after(&headers)).await;
    }
    let log = app.journal.timeline(&key, 0).await.map_err(|error| of_journal(&error))?;
    if log.is_empty() {
        return Err(not_found());
    }
    Ok(Json(Timeline { events: log.iter().map(Entry::of).collect() }).into_response())
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = accepted.flat_map(|value| value.split(','));
    types.any(|kind| {
        kind.split(';')
            .next()
            .is_some_and(|name| name.trim().eq_ignore_ascii_case("text/event-stream"))
    })
}

impl Entry {
    fn of(recorded: &Recorded) -> Self {
        Self {
            sequence: recorded.sequence,
            r#type: recorded.event.event_type().ce_type(),
            time: rfc3339(recorded.envelope.time),
            source: recorded.envelope.source.clone(),
            data: to_json(&recorded.event),
        }
    }
}
