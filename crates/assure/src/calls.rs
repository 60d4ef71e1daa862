//! The calls, one function each.

use std::time::Duration;

use reqwest::Method;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use crate::{
    Client, Error, ImageDepiction, ImageStream, Process,
    client::{Answer, Call, Turn},
    wire,
};

const JSON: &str = "application/json";

/// The longest page of a list, and the furthest that one can begin.
const PAGE: u64 = 2000;
const MAX_OFFSET: u64 = 200_000;

/// A process that was created.
pub type NewProcess = wire::ProcessCreated;

/// An image on its way to Assure.
pub struct ImageUpload<'a> {
    /// The dossier.
    pub dossier_id: &'a str,
    /// The process.
    pub process_id: &'a str,
    /// Which image.
    pub depiction: ImageDepiction,
    /// Its bytes, streamed.
    pub image: ImageStream,
    /// How long the whole may take.
    pub timeout: Duration,
}

/// A list of processes.
#[derive(Debug, Clone)]
pub struct Processes {
    /// Those that were listed.
    pub processes: Vec<wire::ListedProcess>,
    /// Whether there are no others.
    pub is_complete: bool,
}

/// Which processes are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those in status `pending` or `processing`.
    Open,
    /// Those that have ended, too.
    All,
}

impl Client {
    /// `POST /dossiers`. Not repeated by itself: each call makes a dossier.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_dossier(&self, external_reference: &str) -> Result<wire::Dossier, Error> {
        let call = post("create_dossier", &["dossiers"]);
        let body = wire::CreateDossier { external_reference: Some(external_reference.to_owned()) };
        decode(&self.call(call, |request| request.json(&body)).await?)
    }

    /// The newest dossier with this reference, among the last hundred that Assure lists.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn find_dossier(
        &self,
        external_reference: &str,
    ) -> Result<Option<wire::Dossier>, Error> {
        let call = get("list_dossiers", &["dossiers"]);
        let all: Vec<wire::Dossier> = decode(&self.call(call, |request| request).await?)?;
        let is_it = |d: &wire::Dossier| d.external_reference.as_deref() == Some(external_reference);
        Ok(all.into_iter().filter(is_it).max_by(|a, b| a.created_at.cmp(&b.created_at)))
    }

    /// A dossier's processes; `None` when Assure has no such dossier.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn processes_of(
        &self,
        dossier_id: &str,
    ) -> Result<Option<Vec<wire::ListedProcess>>, Error> {
        let path = ["dossiers", dossier_id];
        let answer = unless_gone(self.call(get("get_dossier", &path), |r| r).await)?;
        let Some(answer) = answer else { return Ok(None) };
        let details: wire::DossierDetails = decode(&answer)?;
        Ok(Some(details.processes))
    }

    /// Those processes of the account that were created since then, the newest first, as far as so
    /// many pages go.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn processes(
        &self,
        which: Which,
        since: OffsetDateTime,
        max_pages: u64,
    ) -> Result<Processes, Error> {
        let since = since.to_offset(UtcOffset::UTC).replace_nanosecond(0).unwrap_or(since);
        let since = since.format(&Rfc3339).map_err(|_| Error::nonsense("a time out of range"))?;
        let mut all = Processes { processes: Vec::new(), is_complete: false };
        let status: &[_] = match which {
            Which::Open => &[("status", "pending"), ("status", "processing")],
            Which::All => &[],
        };
        for page in 0..max_pages.min(MAX_OFFSET / PAGE + 1) {
            let offset = page * PAGE;
            let answer = self
                .call(get("list_processes", &["processes"]), |request| {
                    request
                        .query(&[("startCreationDate", &since)])
                        .query(status)
                        .query(&[("offset", offset), ("limit", PAGE)])
                })
                .await?;
            let list: wire::ProcessList = decode(&answer)?;
            let is_last = list.processes.is_empty() || offset + PAGE >= list.total_results;
            all.processes.extend(list.processes);
            if is_last {
                all.is_complete = true;
                break;
            }
        }
        Ok(all)
    }

    /// Deletes a process; whether it was there.
    ///
    /// # Errors
    /// [`Error`]; Assure refuses while some providers are at work on it.
    pub async fn delete_process(&self, dossier_id: &str, process_id: &str) -> Result<bool, Error> {
        let path = ["dossiers", dossier_id, "processes", process_id];
        let call = Call { method: Method::DELETE, ..get("delete_process", &path) };
        let deleted = unless_gone(self.call(call, |request| request).await)?;
        deleted.as_ref().map_or(Ok(false), |answer| done(answer).map(|()| true))
    }

    /// Deletes a dossier with all that is in it; whether it was there.
    ///
    /// # Errors
    /// [`Error`]; Assure refuses while some providers are at work on a process of it.
    pub async fn delete_dossier(&self, dossier_id: &str) -> Result<bool, Error> {
        let path = ["dossiers", dossier_id];
        let call = Call { method: Method::DELETE, ..get("delete_dossier", &path) };
        let deleted = unless_gone(self.call(call, |request| request).await)?;
        deleted.as_ref().map_or(Ok(false), |answer| done(answer).map(|()| true))
    }

    /// Sets the dossier's user data, whether or not it has some (`POST`, on 409 `PUT`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_user_data(&self, dossier_id: &str, user_data: &Value) -> Result<(), Error> {
        let path = ["dossiers", dossier_id, "userdata"];
        let body = serde_json::json!({ "userData": user_data });
        let created =
            self.call(post("create_user_data", &path), |request| request.json(&body)).await;
        match created {
            Err(Error::Refused(refusal)) if refusal.status == 409 => {}
            other => return done(&other?),
        }
        let call =
            Call { method: Method::PUT, is_repeatable: true, ..post("update_user_data", &path) };
        done(&self.call(call, |request| request.json(&body)).await?)
    }

    /// `POST /dossiers/{dossierId}/processes`. Not repeated by itself: each call makes a process.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_process(
        &self,
        dossier_id: &str,
        body: &wire::CreateProcess,
    ) -> Result<NewProcess, Error> {
        let path = ["dossiers", dossier_id, "processes"];
        decode(&self.call(post("create_process", &path), |request| request.json(body)).await?)
    }

    /// `POST /dossiers/{dossierId}/capture`: Start capture flow. Not repeated by itself: each page
    /// makes a process.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn start_capture(
        &self,
        dossier_id: &str,
        body: &wire::StartCapture,
    ) -> Result<wire::CaptureStarted, Error> {
        let path = ["dossiers", dossier_id, "capture"];
        decode(&self.call(post("start_capture", &path), |request| request.json(body)).await?)
    }

    /// `GET /{provider}/document-types`: what Assure knows of this provider's documents, as it
    /// tells it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn document_types(&self, provider: &str) -> Result<Vec<Value>, Error> {
        let path = [provider, "document-types"];
        let answer = self.call(get("get_document_types", &path), |request| request).await?;
        if answer.body.is_empty() { Ok(Vec::new()) } else { decode(&answer) }
    }

    /// `POST …/images` with one image, streamed. Sent once.
    ///
    /// # Errors
    /// [`Error::SourceBroke`] when the stream broke off: Assure has no complete image then. Else
    /// any other [`Error`].
    pub async fn set_image(&self, upload: ImageUpload<'_>) -> Result<(), Error> {
        let path = ["dossiers", upload.dossier_id, "processes", upload.process_id, "images"];
        let source = upload.image.fate();
        let body = upload.image.into_body(upload.depiction);
        let sent = self
            .call_once(post("set_images", &path), |request| {
                let request =
                    request.timeout(upload.timeout).header("content-type", "application/json");
                match body.length {
                    Some(length) => request.header("content-length", length).body(body.body),
                    None => request.body(body.body),
                }
            })
            .await;
        // A refusal is Assure's word whatever became of the stream: it may stop reading early.
        match sent {
            Err(Error::Unavailable { .. }) if source.is_broken() => Err(Error::SourceBroke),
            other => done(&other?),
        }
    }

    /// `GET /dossiers/{dossierId}/processes/{processId}`; `None` when Assure has no such process.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn get_process(
        &self,
        dossier_id: &str,
        process_id: &str,
    ) -> Result<Option<Process>, Error> {
        let path = ["dossiers", dossier_id, "processes", process_id];
        let answer = unless_gone(self.call(get("get_process", &path), |r| r).await)?;
        let Some(answer) = answer else { return Ok(None) };
        let process = Process::from_answer(decode(&answer)?);
        process.map(Some).ok_or_else(|| Error::nonsense("a process without status"))
    }
}

impl Turn<'_> {
    /// `POST /dossiers/{dossierId}/processes/{processId}`: Start verification, with the
    /// provider's members of it. Not repeated by itself: the answer to a repeat says little.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn start_verification(
        self,
        dossier_id: &str,
        process_id: &str,
        parameters: Option<&Value>,
    ) -> Result<(), Error> {
        let path = ["dossiers", dossier_id, "processes", process_id];
        let started = self.call(post("start_verification", &path), |request| match parameters {
            Some(parameters) => request.json(parameters),
            None => request,
        });
        done(&started.await?)
    }
}

fn post<'a>(operation: &'static str, path: &'a [&'a str]) -> Call<'a> {
    Call { operation, method: Method::POST, path, accept: JSON, is_repeatable: false }
}

fn get<'a>(operation: &'static str, path: &'a [&'a str]) -> Call<'a> {
    Call { operation, method: Method::GET, path, accept: JSON, is_repeatable: true }
}

/// `None` when Assure has no such thing.
fn unless_gone(result: Result<Answer, Error>) -> Result<Option<Answer>, Error> {
    match result {
        Err(Error::Refused(refusal)) if matches!(refusal.status, 404 | 410) => Ok(None),
        other => other.map(Some),
    }
}

/// A success without anything to read. Assure answers such calls with JSON or with nothing; a page
/// comes from something in between, and says nothing about what became of the call.
fn done(answer: &Answer) -> Result<(), Error> {
    if answer.body.is_empty() { Ok(()) } else { decode::<IgnoredAny>(answer).map(drop) }
}

fn decode<T: DeserializeOwned>(answer: &Answer) -> Result<T, Error> {
    serde_json::from_slice(&answer.body)
        .map_err(|_| Error::nonsense("its answer could not be read"))
}
