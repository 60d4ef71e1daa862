//! An event as it travels: nine members, one of them the data.

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use uuid::Uuid;

use crate::status::Status;
use crate::store::{Dossier, Process};

/// Seven digits, as the samples of the vendor's other services have them.
const STAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");

/// `process.complete`. Sender and account are invented: the reference could not read them.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    pub(crate) id: String,
    timestamp: String,
    sender: &'static str,
    event_name: &'static str,
    pub(crate) event_data: EventData,
    account_id: &'static str,
    organization_id: Option<&'static str>,
    expires_at: String,
    pub(crate) tags: Vec<String>,
    /// `expires_at`, to reckon with.
    #[serde(skip)]
    pub(super) expires: OffsetDateTime,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventData {
    #[serde(skip_serializing_if = "Option::is_none")]
    external_reference: Option<String>,
    pub(crate) dossier_id: String,
    pub(crate) process_id: String,
    provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_type: Option<&'static str>,
    pub(crate) status: Status,
}

impl Event {
    /// What is told of a process as it is now.
    pub(crate) fn of(
        dossier: &Dossier,
        process: &Process,
        now: OffsetDateTime,
        lifetime: Duration,
    ) -> Self {
        let data = EventData {
            external_reference: dossier.external_reference.clone(),
            dossier_id: dossier.id.clone(),
            process_id: process.id.clone(),
            provider: process.provider.as_str().to_owned(),
            process_type: process.process_type,
            status: process.status.clone(),
        };
        Self::new(data, process.request.event_tags.clone(), now, lifetime)
    }

    /// A test event, as the vendor's dashboard sends them: about nothing that exists.
    pub(crate) fn mock(now: OffsetDateTime, lifetime: Duration) -> Self {
        let data = EventData {
            external_reference: None,
            dossier_id: Uuid::new_v4().to_string(),
            process_id: Uuid::new_v4().to_string(),
            provider: "onfido".to_owned(),
            process_type: Some("document"),
            status: Status::Accepted,
        };
        Self::new(data, vec!["mock".to_owned()], now, lifetime)
    }

    fn new(
        event_data: EventData,
        tags: Vec<String>,
        now: OffsetDateTime,
        lifetime: Duration,
    ) -> Self {
        let expires = now + lifetime;
        Self {
            id: Uuid::new_v4().simple().to_string(),
            timestamp: stamp(now),
            sender: "assure-api",
            event_name: "process.complete",
            event_data,
            account_id: "a-simulated",
            organization_id: None,
            expires_at: stamp(expires),
            tags,
            expires,
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an event is plain JSON")
    }
}

fn stamp(instant: OffsetDateTime) -> String {
    instant.format(STAMP).expect("a date-time has every part of the format")
}
