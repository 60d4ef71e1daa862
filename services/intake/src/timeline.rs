//! `GET /v1/verifications/{id}/events`: everything that happened, oldest first.

use axum::{Json, extract::State};
use proofline_events::{Recorded, to_json};
use proofline_problem::Problem;
use serde::Serialize;
use serde_json::Value;

use crate::{
    app::{SharedApp, Target},
    view::rfc3339,
};

#[derive(Serialize)]
pub(crate) struct Timeline {
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
) -> Result<Json<Timeline>, Problem> {
    let log = app
        .journal
        .timeline(&key, 0)
        .await
        .map_err(|error| proofline_callers::of_journal(&error))?;
    if log.is_empty() {
        return Err(proofline_callers::not_found());
    }
    Ok(Json(Timeline { events: log.iter().map(Entry::of).collect() }))
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
