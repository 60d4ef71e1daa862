//! `PUT /v1/verifications/{id}/images/{depiction}`.
//!
//! Claim, send, report. Between claim and report no submission is taken; a claim is kept for as
//! long as its image is on its way. A report that never comes counts as "nobody knows" once the
//! claim is over, and then the image must come again.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, Uri, header},
};
use futures_util::StreamExt;
use proofline_ambient::{chance, clock};
use proofline_assure::{Error as AssureError, ImageDepiction, ImageStream, ImageUpload};
use proofline_callers::{not_found, of_assure, of_execute};
use proofline_events::{Word, v1::Depiction};
use proofline_journal::ExecuteError;
use proofline_problem::{Code, Problem};
use proofline_verification::{Command, ImageReceived, Refusal, UploadResult, Verification};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, interval_at, timeout_at};
use tracing::Instrument;

use crate::{
    access::{Target, authorise},
    app::SharedApp,
    image::{Cause, Incoming, Progress, Unfit},
    metrics, problems,
};

/// A request that we broke off.
const BROKEN_OFF: AssureError =
    AssureError::Unavailable { cause: "the upload was broken off", may_have_happened: true };
/// How long sending an image may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a claim holds unless it is kept: what the sudden death of this process costs an uploader.
const CLAIM: Duration = Duration::from_secs(30);
/// How often it is kept.
const KEEP_CLAIM_EVERY: Duration = Duration::from_secs(8);
/// An upload whose claim could not be kept for so long is stopped, well before another may begin.
const STOP_AFTER: Duration = Duration::from_secs(20);

pub(crate) async fn put_image(
    State(app): State<SharedApp>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    // What is not even text names nothing.
    let Path((id, depiction)) = path.map_err(|_| not_found())?;
    let target = authorise(&app, &headers, &uri, (&id, &depiction))?;
    tracing::Span::current().record("verification.id", target.key.id.as_str());
    let max_bytes = app.settings.max_image_bytes;
    let length = content_length(&headers);
    if length.is_some_and(|length| length > max_bytes) {
        return Err(problems::too_large(max_bytes));
    }
    // An uploader that hangs up must not leave a claim behind: the report is made without them.
    let tasks = app.tasks.clone();
    let place = Arc::clone(&app.places).try_acquire_owned().map_err(|_| problems::too_many())?;
    let upload = Upload { app, target, _place: place };
    let task = tasks.spawn(async move { upload.run(length, body).await }.in_current_span());
    task.await.unwrap_or_else(|_| {
        Err(Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR, "Something is broken here."))
    })
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

struct Upload {
    app: SharedApp,
    target: Target,
    _place: OwnedSemaphorePermit,
}

impl Upload {
    async fn run(self, length: Option<u64>, body: Body) -> Result<StatusCode, Problem> {
        let begun = tokio::select! {
            biased;
            begun = Incoming::begin(body) => begun,
            () = self.app.stop_streams.cancelled() => return Err(problems::stopped()),
        };
        let incoming = begun.map_err(|unfit| match unfit {
            Unfit::Unsupported => problems::unsupported(),
            Unfit::Broken => of_assure(&AssureError::SourceBroke),
        })?;
        let upload_id = chance::id().simple().to_string();
        // Before the clock is read that the claim runs out by: who stands still while it is stored
        // has it for as much shorter.
        let claimed_at = Instant::now();
        let verification = self.begin(&upload_id).await?;
        let media_type = incoming.media_type;
        let begun_at = Instant::now();
        let (sent, progress) =
            self.send(&verification, &upload_id, claimed_at, incoming, length).await;
        let (result, answer) = self.judge(sent, &progress, media_type);
        let (depiction, bytes) = (self.target.depiction, progress.size_bytes());
        metrics::uploaded(depiction, &result, bytes, begun_at.elapsed());
        let reported = self.report(upload_id, result).await;
        // Also after an image that failed: its claim may be all that another one's submission
        // was waiting for.
        let submitted = match &reported {
            Ok(verification) => self.submit_if_complete(verification).await,
            Err(_) => Ok(()),
        };
        answer?;
        reported?;
        submitted?;
        Ok(StatusCode::NO_CONTENT)
    }

    /// Claims the depiction. A claim whose acknowledgement was lost must not hold it for nothing.
    async fn begin(&self, upload_id: &str) -> Result<Verification, Problem> {
        let claimed = self.claim(upload_id).await;
        if let Err(problem) = &claimed
            && problem.code() == Some(Code::StorageUnavailable)
        {
            let code = Code::StorageUnavailable.to_string();
            let nothing_sent = UploadResult::NotReceived { code };
            if self.report(upload_id.to_owned(), nothing_sent).await.is_err() {
                tracing::debug!("whether the claim stands is not known; it runs out by itself");
            }
        }
        claimed
    }

    async fn claim(&self, upload_id: &str) -> Result<Verification, Problem> {
        let (upload_id, depiction) = (upload_id.to_owned(), self.target.depiction);
        let now = clock::now();
        let command = Command::StartUpload { upload_id, depiction, until: now + CLAIM };
        let executed = self.app.journal.execute(&self.target.key, command, now).await;
        Ok(executed.map_err(|error| of_execute(&error))?.verification)
    }

    async fn claim_again(&self, upload_id: &str) -> Result<(), ExecuteError> {
        let (upload_id, depiction) = (upload_id.to_owned(), self.target.depiction);
        let now = clock::now();
        let command = Command::KeepClaim { upload_id, depiction, until: now + CLAIM };
        self.app.journal.execute(&self.target.key, command, now).await.map(drop)
    }

    async fn send(
        &self,
        verification: &Verification,
        upload_id: &str,
        claimed_at: Instant,
        incoming: Incoming,
        length: Option<u64>,
    ) -> (Result<(), AssureError>, Progress) {
        let media_type = incoming.media_type;
        let max_bytes = self.app.settings.max_image_bytes;
        let (stream, progress) = incoming.into_stream(max_bytes, claimed_at + STOP_AFTER);
        let assure = self.app.assure.of(self.target.key.tenant.as_str());
        let sending = assure.set_image(ImageUpload {
            dossier_id: verification.dossier_id.as_deref().unwrap_or_default(),
            process_id: verification
                .process
                .as_ref()
                .and_then(|process| process.id.as_deref())
                .unwrap_or_default(),
            depiction: member(self.target.depiction),
            image: ImageStream::new(stream.boxed(), media_type, length),
            timeout: SEND_TIMEOUT,
        });
        let sent = tokio::select! {
            biased;
            sent = sending => sent,
            // Dropped here, the request is broken off.
            () = self.keep_claim(upload_id, claimed_at, &progress) => {
                progress.stop();
                Err(BROKEN_OFF)
            }
            () = self.app.stop_streams.cancelled() => {
                progress.stop();
                Err(BROKEN_OFF)
            }
        };
        // Of an image of which not all has come Assure can't have all.
        let sent = match sent {
            Err(AssureError::Unavailable { may_have_happened: true, cause })
                if !progress.is_complete() =>
            {
                Err(AssureError::Unavailable { may_have_happened: false, cause })
            }
            sent => sent,
        };
        (sent, progress)
    }

    /// Keeps the claim while the image is on its way, and returns if it is lost or that fails for too
    /// long: then another upload could begin, and Assure might get ours after theirs, so ours must end.
    async fn keep_claim(&self, upload_id: &str, claimed_at: Instant, progress: &Progress) {
        let mut kept_at = claimed_at;
        let mut tick = interval_at(kept_at + KEEP_CLAIM_EVERY, KEEP_CLAIM_EVERY / 4);
        while kept_at.elapsed() < STOP_AFTER {
            tick.tick().await;
            let begun_at = Instant::now();
            if begun_at - kept_at >= KEEP_CLAIM_EVERY {
                match timeout_at(kept_at + STOP_AFTER, self.claim_again(upload_id)).await {
                    Ok(Ok(())) => {
                        kept_at = begun_at;
                        progress.may_go_on_until(kept_at + STOP_AFTER);
                    }
                    Ok(Err(ExecuteError::Refused(_))) => return,
                    // Perhaps the next time.
                    Ok(Err(ExecuteError::Journal(_))) | Err(_) => {}
                }
            }
        }
    }

    /// What to report, and what to answer.
    fn judge(
        &self,
        sent: Result<(), AssureError>,
        progress: &Progress,
        media_type: &str,
    ) -> (UploadResult, Result<(), Problem>) {
        let max_bytes = self.app.settings.max_image_bytes;
        let error = match sent {
            Ok(()) => {
                let media_type = media_type.to_owned();
                let received = ImageReceived { size_bytes: progress.size_bytes(), media_type };
                return (UploadResult::Received(received), Ok(()));
            }
            Err(error) => error,
        };
        let problem = match (progress.cause(), &error) {
            (Some(Cause::TooLarge), AssureError::SourceBroke) => problems::too_large(max_bytes),
            (Some(Cause::Stopped), AssureError::SourceBroke | AssureError::Unavailable { .. }) => {
                problems::stopped()
            }
            (_, AssureError::Refused(refusal)) if refusal.status == 413 => {
                problems::too_large_for_assure()
            }
            (_, error) => of_assure(error),
        };
        let code = problem.code().map_or_else(String::new, |code| code.to_string());
        tracing::warn!(
            verification.id = %self.target.key.id,
            depiction = self.target.depiction.word(),
            %error,
            "an image did not get through"
        );
        let may_have_happened =
            matches!(error, AssureError::Unavailable { may_have_happened: true, .. });
        let result = match may_have_happened {
            true => UploadResult::Unknown { code },
            false => UploadResult::NotReceived { code },
        };
        (result, Err(problem))
    }

    async fn report(
        &self,
        upload_id: String,
        result: UploadResult,
    ) -> Result<Verification, Problem> {
        let Target { key, depiction } = &self.target;
        let is_received = matches!(result, UploadResult::Received(_));
        let command = Command::FinishUpload { upload_id, depiction: *depiction, result };
        let executed = self.app.journal.execute(key, command, clock::now()).await;
        let executed = executed.map_err(|error| of_execute(&error))?;
        if is_received {
            tracing::info!(verification.id = %key.id, tenant = %key.tenant, depiction = depiction.word(), "image uploaded");
        }
        Ok(executed.verification)
    }

    /// The answer waits for this: if it can't be stored, the uploader comes again.
    async fn submit_if_complete(&self, verification: &Verification) -> Result<(), Problem> {
        if verification.request.submit_when.is_empty() {
            return Ok(());
        }
        let command = Command::Submit { automatic: true, parameters: None };
        match self.app.journal.execute(&self.target.key, command, clock::now()).await {
            Ok(executed) => {
                if !executed.appended.is_empty() {
                    tracing::info!(verification.id = %self.target.key.id, "submitted by itself");
                }
                Ok(())
            }
            // Not complete yet, or another upload is under way, whose report will look again.
            Err(ExecuteError::Refused(
                Refusal::ImagesMissing(_) | Refusal::UploadInProgress(_) | Refusal::AlreadyFinished,
            )) => Ok(()),
            Err(error) => Err(of_execute(&error)),
        }
    }
}

fn member(depiction: Depiction) -> ImageDepiction {
    match depiction {
        Depiction::Back => ImageDepiction::Back,
        Depiction::Selfie => ImageDepiction::Selfie,
        Depiction::Front | Depiction::Unspecified => ImageDepiction::Front,
    }
}
