//! `POST /v1/verifications`.
//!
//! The log comes first: what is asked for is durable before anything is created in Assure. With
//! an idempotency key a repeat meets its own log and completes what broke off; without one nobody
//! could, so a failure ends the verification at once.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use proofline_ambient::{chance, clock};
use proofline_events::VerificationKey;
use proofline_journal::Lease;
use proofline_problem::{Code, Problem};
use proofline_verification::{Command, Request, Verification};
use serde_json::Value;
use std::time::Duration;
use tracing::Instrument;

use crate::{
    app::{App, Caller, SharedApp},
    creation::Creation,
    idempotency,
    openapi::{problems, requests},
    set_up::{SETUP_FAILED, SetUp, fail_later},
    shared_dossier::{self, Unusable},
    view::{View, view},
};

/// When to ask again for a creation that is in progress.
const IN_PROGRESS_RETRY: Duration = Duration::from_secs(1);

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Creates a verification
///
/// Sets it up in Assure and answers what to do next. Repeat the request with the same
/// `Idempotency-Key` when the answer is lost, or is a 503: it goes on where it stopped, and leaves
/// one verification.
#[utoipa::path(
    post, path = "/v1/verifications", tag = "verifications", operation_id = "createVerification",
    params((
        "Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255,
        pattern = "^[ -~]{1,255}$",
        description = "Of your choice, printable ASCII: the same key names the same verification.",
    )),
    request_body(content = requests::CreateVerification, description = "At most 1 MiB."),
    responses(
        (status = 201, description = "It is created.", body = View,
            headers(("Location" = String, description = "Its address."))),
        (status = 200, description = "It was created by an earlier request with this key.",
            body = View,
            headers(
                ("Idempotent-Replayed" = String, description = "`true`."),
                ("Location" = String, description = "Its address."),
            )),
        problems::Create,
    ),
)]
pub(crate) async fn create(
    State(app): State<SharedApp>,
    Caller(tenant): Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let idempotency_key = idempotency::key_of(&headers)?;
    let body = parse(body)?;
    let creation = Creation::read(&body, &tenant).map_err(|faults| {
        Problem::new(Code::InvalidRequest, "The request is not valid.").faults(faults)
    })?;
    let tenant = tenant.name;
    let id = match &idempotency_key {
        Some(key) => idempotency::id_for(&tenant, key),
        None => proofline_events::VerificationId::from_bytes(*chance::id_by_time().as_bytes()),
    };
    let key = VerificationKey { tenant, id };
    // A caller that hangs up must not leave a creation half done: it goes on without them.
    let tasks = app.tasks.clone();
    let work =
        async move { Attempt { app, key, creation, body }.run(idempotency_key.is_some()).await };
    let task = tasks.spawn(work.in_current_span());
    task.await.unwrap_or_else(|_| {
        Err(Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR, "Something is broken here."))
    })
}

/// The JSON of a body.
pub(crate) fn parse(body: Result<Bytes, BytesRejection>) -> Result<Value, Problem> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(Code::PayloadTooLarge, "A request body has at most 1 MiB.")
        }
        _ => Problem::new(Code::Malformed, "The body broke off."),
    })?;
    serde_json::from_slice(&body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::new(
            Code::Malformed,
            format!("The body is not JSON (line {line}, column {column})."),
        )
    })
}

struct Attempt {
    app: Arc<App>,
    key: VerificationKey,
    creation: Creation,
    body: Value,
}

impl Attempt {
    async fn run(self, is_resumable: bool) -> Result<Response, Problem> {
        if !is_resumable {
            self.check_dossier().await?;
            let answer = self.create_at_once().await;
            if let Err(problem) = &answer
                && problem.code() == Some(Code::StorageUnavailable)
            {
                fail_later(&self.app, &self.key, SETUP_FAILED);
            }
            return answer;
        }
        let history = self
            .app
            .journal
            .read(&self.key)
            .await
            .map_err(|e| proofline_callers::of_journal(&e))?;
        if let Some(verification) = &history.verification
            && let Some(answer) = self.replay(verification).await?
        {
            return Ok(answer);
        }
        let lease = Lease::take(self.app.journal.connection(), &self.key).await;
        let Some(mut lease) = lease.map_err(|e| proofline_callers::of_journal(&e))? else {
            return Err(in_progress());
        };
        let answer = self.resume(&mut lease).await;
        lease.release().await;
        answer
    }

    /// Without a key: nobody can come back to what breaks off.
    async fn create_at_once(&self) -> Result<Response, Problem> {
        let verification = self.record_request(false).await?;
        self.set_up(verification, false, None).await
    }

    /// With the lease in hand: whoever had it before may have done everything meanwhile.
    async fn resume(&self, lease: &mut Lease) -> Result<Response, Problem> {
        let before = self
            .app
            .journal
            .read_latest(&self.key)
            .await
            .map_err(|e| proofline_callers::of_journal(&e))?;
        if let Some(verification) = &before.verification
            && let Some(answer) = self.replay(verification).await?
        {
            return Ok(answer);
        }
        let is_repeat = before.verification.is_some();
        if !is_repeat {
            self.check_dossier().await?;
        }
        let verification = self.record_request(true).await?;
        self.set_up(verification, is_repeat, Some(lease)).await
    }

    /// That the dossier of `same_dossier_as` can be used again, before anything is recorded.
    async fn check_dossier(&self) -> Result<(), Problem> {
        let Some(earlier) = &self.creation.same_dossier_as else { return Ok(()) };
        match shared_dossier::usable(&self.app, &self.key.tenant, earlier).await {
            Ok(_) => Ok(()),
            Err(Unusable::Refused(problem)) => Err(problem),
            Err(Unusable::Journal(error)) => Err(proofline_callers::of_journal(&error)),
        }
    }

    async fn record_request(&self, resumable: bool) -> Result<Verification, Problem> {
        let App { journal, settings, .. } = &*self.app;
        let now = clock::now();
        let creation = &self.creation;
        let fingerprint = idempotency::fingerprint(&settings.keys.sealing, &self.body);
        let command = Command::Request(Request {
            flow: creation.flow,
            provider: creation.provider.clone(),
            process_type: creation.capability.process_type.to_owned(),
            capture_by: creation.capture_by,
            submit_when: creation.submit_when.clone(),
            reference: creation.reference.clone(),
            tags: creation.tags.clone(),
            expires_at: now + creation.expires_in.unwrap_or(settings.expires_after),
            resumable,
            same_dossier_as: creation.same_dossier_as.clone(),
            fingerprint: (fingerprint.digest.to_vec(), fingerprint.key_id),
        });
        let executed = journal.execute(&self.key, command, now).await;
        let executed = executed.map_err(|error| proofline_callers::of_execute(&error))?;
        if !executed.appended.is_empty() {
            tracing::info!(verification.id = %self.key.id, tenant = %self.key.tenant, "verification requested");
        }
        Ok(executed.verification)
    }

    async fn set_up(
        &self,
        verification: Verification,
        is_repeat: bool,
        lease: Option<&mut Lease>,
    ) -> Result<Response, Problem> {
        let set_up = SetUp { app: &self.app, key: &self.key, creation: &self.creation, is_repeat };
        let verification = set_up.run(verification, lease).await?;
        self.answer(&verification, StatusCode::CREATED).await
    }

    /// The answer to a repeat of a creation that was completed, or never will be; `None` when there
    /// is something left to do.
    async fn replay(&self, verification: &Verification) -> Result<Option<Response>, Problem> {
        if !idempotency::is_same(&self.app.settings.keys.sealing, verification, &self.body) {
            return Err(Problem::new(
                Code::IdempotencyKeyReused,
                "This idempotency key was used for a request with another meaning.",
            ));
        }
        let is_open = verification.process.is_none()
            && verification.setup_failure.is_none()
            && verification.end.is_none()
            && !verification.is_discarded();
        if is_open {
            return Ok(None);
        }
        let mut answer = self.answer(verification, StatusCode::OK).await?;
        answer.headers_mut().insert(REPLAYED, header::HeaderValue::from_static("true"));
        Ok(Some(answer))
    }

    async fn answer(
        &self,
        verification: &Verification,
        status: StatusCode,
    ) -> Result<Response, Problem> {
        let location = format!("/v1/verifications/{}", self.key.id);
        let body = Json(view(&self.app, verification).await?);
        Ok((status, [(header::LOCATION, location)], body).into_response())
    }
}

/// Another attempt is at work on this creation.
pub(crate) fn in_progress() -> Problem {
    Problem::new(Code::InProgress, "This creation is in progress.").retry_after(IN_PROGRESS_RETRY)
}
