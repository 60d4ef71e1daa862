//! `GET /processes`: all filters, paging, order; the last 30 days.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use proofline_assure::wire;
use serde::Serialize;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::clock::stamp;
use crate::error::Refusal;
use crate::simulator::Simulator;
use crate::status::Status;
use crate::store::{Dossier, Process};

const LOOK_BACK: Duration = Duration::days(30);
const MAX_OFFSET: usize = 200_000;
const MAX_LIMIT: usize = 2_000;
const DEFAULT_LIMIT: usize = 100;

/// List processes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProcessList {
    processes: Vec<Entry>,
    filters: Filters,
    total_results: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    process_id: String,
    dossier: wire::Dossier,
    provider: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_type: Option<&'static str>,
    created_at: String,
    updated_at: String,
    external_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_reason: Option<Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Filters {
    #[serde(with = "time::serde::rfc3339")]
    start_creation_date: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    end_creation_date: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    status: Vec<Status>,
    offset: usize,
    limit: usize,
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Order {
    CreatedAtDescending,
    CreatedAtAscending,
}

/// `GET /processes`.
pub(crate) async fn list(
    State(simulator): State<Arc<Simulator>>,
    uri: Uri,
) -> Result<Json<ProcessList>, Refusal> {
    let filters = Filters::parse(uri.query().unwrap_or_default()).map_err(Refusal::bad_request)?;
    let oldest = simulator.clock.now() - LOOK_BACK;
    let store = simulator.store();
    let mut found: Vec<(&Dossier, &Process)> = store
        .dossiers()
        .into_iter()
        .flat_map(|d| d.processes.iter().map(move |p| (d, p)))
        .filter(|(_, p)| p.created_at >= oldest && filters.fit(p))
        .collect();
    found.sort_by_key(|(_, p)| p.number);
    if filters.order == Order::CreatedAtDescending {
        found.reverse();
    }
    let total_results = found.len();
    let page = found.into_iter().skip(filters.offset).take(filters.limit);
    Ok(Json(ProcessList {
        processes: page.map(|(d, p)| entry(d, p)).collect(),
        filters,
        total_results,
    }))
}

fn entry(dossier: &Dossier, process: &Process) -> Entry {
    let status = process.visible_status().clone();
    let fail_reason = if status == Status::Failed { process.fail_reason.clone() } else { None };
    Entry {
        process_id: process.id.clone(),
        dossier: dossier.wire(),
        provider: process.provider.as_str().to_owned(),
        status,
        process_type: process.process_type,
        created_at: stamp(process.created_at),
        updated_at: stamp(process.updated_at),
        external_id: process.external_id.clone(),
        fail_reason,
    }
}

impl Filters {
    fn parse(query: &str) -> Result<Self, &'static str> {
        let mut start = None;
        let mut filters = Self {
            start_creation_date: OffsetDateTime::UNIX_EPOCH,
            end_creation_date: None,
            status: Vec::new(),
            offset: 0,
            limit: DEFAULT_LIMIT,
            order: Order::CreatedAtDescending,
        };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "startCreationDate" => start = Some(instant(&value)?),
                "endCreationDate" => filters.end_creation_date = Some(instant(&value)?),
                "status" => {
                    let status = Status::from(value.as_ref());
                    if !status.is_documented() {
                        return Err("There is no such status.");
                    }
                    filters.status.push(status);
                }
                "offset" => filters.offset = number(&value, 0, MAX_OFFSET)?,
                "limit" => filters.limit = number(&value, 1, MAX_LIMIT)?,
                "order" => {
                    filters.order = match value.as_ref() {
                        "createdAtDescending" => Order::CreatedAtDescending,
                        "createdAtAscending" => Order::CreatedAtAscending,
                        _ => return Err("There is no such order."),
                    }
                }
                // The reference says nothing about unknown parameters.
                _ => {}
            }
        }
        filters.start_creation_date = start.ok_or("startCreationDate is missing.")?;
        Ok(filters)
    }

    fn fit(&self, process: &Process) -> bool {
        process.created_at >= self.start_creation_date
            && self.end_creation_date.is_none_or(|end| process.created_at <= end)
            && (self.status.is_empty() || self.status.contains(process.visible_status()))
    }
}

fn instant(text: &str) -> Result<OffsetDateTime, &'static str> {
    let instant = OffsetDateTime::parse(text, &Rfc3339);
    match instant {
        Ok(instant) if instant.offset().is_utc() => Ok(instant),
        _ => Err("A date must be ISO 8601 in UTC."),
    }
}

fn number(text: &str, min: usize, max: usize) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err("offset or limit is out of bounds."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_out_of_bounds_are_refused() {
        for query in [
            "",
            "startCreationDate=yesterday",
            "startCreationDate=2026-02-03T08:15:30%2B01:00",
            "startCreationDate=2026-02-03T08:15:30Z&limit=0",
            "startCreationDate=2026-02-03T08:15:30Z&limit=2001",
            "startCreationDate=2026-02-03T08:15:30Z&offset=200001",
            "startCreationDate=2026-02-03T08:15:30Z&offset=-1",
            "startCreationDate=2026-02-03T08:15:30Z&order=updatedAtDescending",
            "startCreationDate=2026-02-03T08:15:30Z&status=pending,processing",
        ] {
            assert!(Filters::parse(query).is_err(), "{query}");
        }
    }

    #[test]
    fn status_may_be_repeated_and_bounds_are_legal() {
        let query = "startCreationDate=2026-02-03T08:15:30.5Z&status=pending&status=processing\
                     &offset=200000&limit=2000&order=createdAtAscending";
        let filters = Filters::parse(query).unwrap();
        assert_eq!(filters.status, [Status::Pending, Status::Processing]);
        assert_eq!(filters.order, Order::CreatedAtAscending);
    }
}
