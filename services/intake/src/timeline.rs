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
use utoipa::ToSchema;

use crate::{
    app::{SharedApp, Target},
    openapi::problems,
    view::rfc3339,
};

/// Everything that happened to a verification, oldest first.
#[derive(Serialize, ToSchema)]
struct Timeline {
    /// The events.
    events: Vec<Entry>,
}

/// One event; `type` tells which members `data` has.
#[derive(Serialize, ToSchema)]
#[schema(as = TimelineEvent)]
struct Entry {
    /// Grows with every event.
    #[schema(minimum = 1)]
    sequence: u64,
    /// What happened.
    r#type: String,
    /// When it happened.
    #[schema(format = DateTime)]
    time: String,
    /// The service that said so.
    #[schema(examples("/proofline/intake"))]
    source: String,
    /// The event itself.
    data: Value,
}

/// Lists what happened
///
/// Oldest first; with `Accept: text/event-stream` live, until the end.
#[utoipa::path(
    get, path = "/v1/verifications/{id}/events", tag = "verifications",
    operation_id = "getTimeline",
    params(
        ("id" = String, Path, description = "The verification's id."),
        ("Last-Event-ID" = Option<String>, Header, example = "4",
            description = "With `Accept: text/event-stream`: goes on after the event of this \
                sequence. Anything else is as good as nothing."),
    ),
    responses(
        (status = 200, description = "Everything until now; or, as Server-Sent Events, each event \
            as it comes: `id` is its sequence, `event` its type, `data` the same as in the list. \
            The stream closes after the end.",
            content((Timeline = "application/json"), (String = "text/event-stream"))),
        problems::Read,
    ),
)]
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
