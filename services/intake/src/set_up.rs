//! Setting up a verification in Assure: dossier, user data, process. Each step is recorded when
//! it is done; what is recorded is not done again, and what an attempt that broke off may have left
//! unrecorded is looked for first.

use proofline_assure::{Client, Error as AssureError, wire};
use proofline_events::VerificationKey;
use proofline_journal::{ExecuteError, Executed, Lease};
use proofline_problem::Problem;
use proofline_seal::{Capability, Purpose};
use proofline_service::clock;
use proofline_verification::{Command, ProcessDetails, Reason, Refusal, Refused, Verification};
use secrecy::ExposeSecret;
use time::Duration;
use tokio::time::interval;

use crate::{app::App, create_verification::in_progress, creation::Creation};

/// A capability outlives the deadline by this, for late callbacks.
const CAPABILITY_AFTER_DEADLINE: Duration = Duration::days(7);

/// How often, and how many times, the end of a creation that failed is tried to be told.
const FAIL_RETRY: std::time::Duration = std::time::Duration::from_secs(1);
const FAIL_ATTEMPTS: u32 = 60;

/// One attempt at setting up.
pub(crate) struct SetUp<'a> {
    pub(crate) app: &'a App,
    pub(crate) key: &'a VerificationKey,
    pub(crate) creation: &'a Creation,
    /// An earlier attempt may have left something in Assure.
    pub(crate) is_repeat: bool,
}

enum Failure {
    Assure(AssureError),
    Log(ExecuteError),
    LeaseLost,
}

impl SetUp<'_> {
    /// Does what is left to do.
    ///
    /// # Errors
    /// What the caller is told. A refusal by Assure ends the verification; so does any failure
    /// without a lease, as nobody could come back to complete it.
    pub(crate) async fn run(
        &self,
        verification: Verification,
        mut lease: Option<&mut Lease>,
    ) -> Result<Verification, Problem> {
        let is_resumable = lease.is_some();
        match self.steps(verification, &mut lease).await {
            Ok(verification) => Ok(verification),
            Err(Failure::Assure(error)) => {
                tracing::warn!(verification.id = %self.key.id, %error, is_resumable, "not set up");
                if let Some(refused) = end_of_it(&error, is_resumable) {
                    self.fail(refused, is_resumable).await?;
                }
                Err(proofline_callers::of_assure(&error))
            }
            Err(Failure::Log(error)) => {
                if !is_resumable {
                    fail_later(self.app, self.key, SETUP_FAILED);
                }
                Err(proofline_callers::of_execute(&error))
            }
            Err(Failure::LeaseLost) => Err(in_progress()),
        }
    }

    async fn steps(
        &self,
        mut verification: Verification,
        lease: &mut Option<&mut Lease>,
    ) -> Result<Verification, Failure> {
        self.app.vault.create_key(self.key).await.map_err(|e| Failure::Log(e.into()))?;
        if verification.dossier_id.is_none() {
            let dossier_id = self.dossier(lease).await?;
            hold(lease).await?;
            verification = self.record_dossier(dossier_id).await?;
        }
        let dossier_id = verification.dossier_id.clone().unwrap_or_default();
        if let Some(user_data) = &self.creation.user_data {
            self.assure().set_user_data(&dossier_id, user_data).await?;
        }
        if verification.process.is_none() {
            let created = self.process(&dossier_id, &verification, lease).await?;
            hold(lease).await?;
            verification = self.record_process(&dossier_id, created).await?;
        }
        Ok(verification)
    }

    /// A dossier that an earlier attempt made, but did not record, or a new one.
    async fn dossier(&self, lease: &mut Option<&mut Lease>) -> Result<String, Failure> {
        let reference = self.key.id.as_str();
        if self.is_repeat {
            if let Some(found) = self.assure().find_dossier(reference).await? {
                return Ok(found.dossier_id);
            }
            hold(lease).await?;
        }
        Ok(self.assure().create_dossier(reference).await?.dossier_id)
    }

    /// A new process. One that an earlier attempt made but did not record is deleted: its SDK token
    /// was lost with that attempt.
    async fn process(
        &self,
        dossier_id: &str,
        verification: &Verification,
        lease: &mut Option<&mut Lease>,
    ) -> Result<ProcessDetails, Failure> {
        let assure = self.assure();
        if self.is_repeat {
            for orphan in assure.processes_of(dossier_id).await?.unwrap_or_default() {
                hold(lease).await?;
                assure.delete_process(dossier_id, &orphan).await?;
            }
        }
        hold(lease).await?;
        let body = self.process_body(verification);
        let created = assure.create_process(dossier_id, &body).await?;
        let pages = created.artefacts.get("documentPages").and_then(serde_json::Value::as_u64);
        let document_pages = pages.and_then(|pages| pages.try_into().ok()).unwrap_or(0);
        Ok(ProcessDetails { process_id: created.process_id, document_pages })
    }

    fn process_body(&self, verification: &Verification) -> wire::CreateProcess {
        let VerificationKey { tenant, id } = self.key;
        let mut body = self.creation.process(format!("proofline:{tenant}:{id}"));
        if self.app.settings.completion.by_callback {
            let (token, authorization) = self.app.settings.keys.tokens.mint_callback(&Capability {
                purpose: Purpose::Callback,
                tenant: tenant.to_string(),
                verification_id: id.to_string(),
                expires_at: verification.request.expires_at + CAPABILITY_AFTER_DEADLINE,
                detail: None,
            });
            let base = self.app.settings.public_url.as_str().trim_end_matches('/');
            body.notification_url = Some(format!("{base}/callbacks/{token}"));
            body.authorization_header = Some(authorization.expose_secret().to_owned());
        }
        body
    }

    /// The client of the tenant's account.
    fn assure(&self) -> &Client {
        self.app.assure.of(self.key.tenant.as_str())
    }

    async fn record_dossier(&self, dossier_id: String) -> Result<Verification, Failure> {
        let assure_account = self.assure().account_id();
        let command = Command::RecordDossier { dossier_id: dossier_id.clone(), assure_account };
        let recorded = self.app.journal.execute(self.key, command, clock::now()).await;
        let is_in_use = |v: &Verification| v.dossier_id.as_ref() == Some(&dossier_id);
        if is_unused(&recorded, is_in_use) {
            self.discarded(self.assure().delete_dossier(&dossier_id).await);
        }
        Ok(recorded?.verification)
    }

    async fn record_process(
        &self,
        dossier_id: &str,
        process: ProcessDetails,
    ) -> Result<Verification, Failure> {
        let process_id = process.process_id.clone();
        let command = Command::RecordProcess(process);
        let recorded = self.app.journal.execute(self.key, command, clock::now()).await;
        let is_in_use =
            |v: &Verification| v.process.as_ref().is_some_and(|p| p.process_id == process_id);
        if is_unused(&recorded, is_in_use) {
            self.discarded(self.assure().delete_process(dossier_id, &process_id).await);
        }
        Ok(recorded?.verification)
    }

    fn discarded(&self, deleted: Result<bool, AssureError>) {
        if let Err(error) = deleted {
            tracing::warn!(verification.id = %self.key.id, %error, "what is not needed stays in Assure until the end");
        }
    }

    async fn fail(&self, refused: Refused, is_resumable: bool) -> Result<(), Problem> {
        let command = Command::FailSetup(refused.clone());
        let failed = self.app.journal.execute(self.key, command, clock::now()).await;
        if let Err(ExecuteError::Journal(_)) = &failed
            && !is_resumable
        {
            fail_later(self.app, self.key, refused);
        }
        failed.map(drop).map_err(|error| proofline_callers::of_execute(&error))
    }
}

/// Our own giving up.
pub(crate) const SETUP_FAILED: Refused =
    Refused { reason: Reason::SetupFailed, http_status: None, assure_trace_id: None };

/// Without a key nobody can come back, so it ends at once, or as soon as NATS is back. Also where
/// the request itself may yet turn out to be in the log.
pub(crate) fn fail_later(app: &App, key: &VerificationKey, refused: Refused) {
    let (journal, key, shutdown) = (app.journal.clone(), key.clone(), app.shutdown.clone());
    app.tasks.spawn(async move {
        let mut tick = interval(FAIL_RETRY);
        for _ in 0..FAIL_ATTEMPTS {
            tokio::select! {
                _ = tick.tick() => {}
                () = shutdown.cancelled() => break,
            }
            let command = Command::FailSetup(refused.clone());
            match journal.execute(&key, command, clock::now()).await {
                Err(ExecuteError::Journal(_) | ExecuteError::Refused(Refusal::NotFound)) => {}
                Ok(_) | Err(ExecuteError::Refused(_)) => return,
            }
        }
        tracing::warn!(verification.id = %key.id, "a creation that failed ends at its deadline");
    });
}

/// Whether what was created is used by nobody: the verification is over, or another attempt has
/// recorded its own. That nobody knows (NATS is away) is not that.
fn is_unused(
    recorded: &Result<Executed, ExecuteError>,
    is_in_use: impl FnOnce(&Verification) -> bool,
) -> bool {
    match recorded {
        Ok(executed) => !is_in_use(&executed.verification),
        Err(ExecuteError::Refused(_)) => true,
        Err(ExecuteError::Journal(_)) => false,
    }
}

/// Whether a failure ends the verification: a refusal does, and so does anything that nobody could
/// come back to.
fn end_of_it(error: &AssureError, is_resumable: bool) -> Option<Refused> {
    match error {
        AssureError::Refused(refusal) => Some(Refused {
            reason: Reason::SetupRefused,
            http_status: Some(refusal.status),
            assure_trace_id: refusal.trace_id.clone(),
        }),
        AssureError::Limited { .. }
        | AssureError::Unavailable { .. }
        | AssureError::Credentials
        | AssureError::SourceBroke => (!is_resumable).then_some(Refused {
            reason: Reason::SetupFailed,
            http_status: None,
            assure_trace_id: None,
        }),
    }
}

/// Holds the lease for the next step. Called after each answer of Assure and before anything is
/// changed by it: an answer may have taken longer than the lease lasts, and then another attempt
/// may have done all this meanwhile, and use what looks left behind.
async fn hold(lease: &mut Option<&mut Lease>) -> Result<(), Failure> {
    let Some(lease) = lease else { return Ok(()) };
    let is_held = lease.renew().await.map_err(|error| Failure::Log(error.into()))?;
    if is_held { Ok(()) } else { Err(Failure::LeaseLost) }
}

impl From<AssureError> for Failure {
    fn from(error: AssureError) -> Self {
        Self::Assure(error)
    }
}

impl From<ExecuteError> for Failure {
    fn from(error: ExecuteError) -> Self {
        Self::Log(error)
    }
}
