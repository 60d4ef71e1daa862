//! Setting up a verification in Assure: dossier, user data, process. Each step is recorded when
//! it is done; what is recorded is not done again, and what an attempt that broke off may have left
//! unrecorded is looked for first.

use proofline_assure::{Error as AssureError, wire};
use proofline_events::VerificationKey;
use proofline_journal::{ExecuteError, Lease};
use proofline_problem::{Code, Problem};
use proofline_seal::{Capability, Purpose};
use proofline_service::clock;
use proofline_verification::{Command, ProcessDetails, Reason, Refused, Verification};
use secrecy::ExposeSecret;
use time::Duration;

use crate::{app::App, creation::Creation};

/// A capability outlives the deadline by this, for late callbacks.
const CAPABILITY_AFTER_DEADLINE: Duration = Duration::days(7);

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
                    self.fail(refused).await?;
                }
                Err(proofline_callers::of_assure(&error))
            }
            Err(Failure::Log(error)) => Err(proofline_callers::of_execute(&error)),
            Err(Failure::LeaseLost) => {
                Err(Problem::new(Code::InProgress, "Another request goes on with this creation."))
            }
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
            let command = Command::RecordDossier { dossier_id: dossier_id.clone() };
            verification = self.record_or_discard(command, &dossier_id).await?;
        }
        let dossier_id = verification.dossier_id.clone().unwrap_or_default();
        if let Some(user_data) = &self.creation.user_data {
            self.app.assure.set_user_data(&dossier_id, user_data).await?;
        }
        if verification.process.is_none() {
            let created = self.process(&dossier_id, &verification, lease).await?;
            hold(lease).await?;
            let command = Command::RecordProcess(created);
            verification = self.record_or_discard(command, &dossier_id).await?;
        }
        Ok(verification)
    }

    /// A dossier that an earlier attempt made, but did not record, or a new one.
    async fn dossier(&self, lease: &mut Option<&mut Lease>) -> Result<String, Failure> {
        let reference = self.key.id.as_str();
        if self.is_repeat {
            if let Some(found) = self.app.assure.find_dossier(reference).await? {
                return Ok(found.dossier_id);
            }
            hold(lease).await?;
        }
        Ok(self.app.assure.create_dossier(reference).await?.dossier_id)
    }

    /// A new process. One that an earlier attempt made but did not record is deleted: its SDK token
    /// was lost with that attempt.
    async fn process(
        &self,
        dossier_id: &str,
        verification: &Verification,
        lease: &mut Option<&mut Lease>,
    ) -> Result<ProcessDetails, Failure> {
        let assure = &self.app.assure;
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

    /// Records what was created. Should the verification be over meanwhile, nobody will ever use
    /// it, so the dossier goes, with all that is in it.
    async fn record_or_discard(
        &self,
        command: Command,
        dossier_id: &str,
    ) -> Result<Verification, Failure> {
        let recorded = self.app.journal.execute(self.key, command, clock::now()).await;
        if let Err(ExecuteError::Refused(_)) = &recorded
            && let Err(error) = self.app.assure.delete_dossier(dossier_id).await
        {
            tracing::warn!(verification.id = %self.key.id, %error, "a dossier that is not needed stays in Assure");
        }
        Ok(recorded?.verification)
    }

    async fn fail(&self, refused: Refused) -> Result<(), Problem> {
        let command = Command::FailSetup(refused);
        let failed = self.app.journal.execute(self.key, command, clock::now()).await;
        failed.map(drop).map_err(|error| proofline_callers::of_execute(&error))
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
