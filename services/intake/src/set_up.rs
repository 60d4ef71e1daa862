//! Setting up a verification in Assure: dossier, user data, process. Each step is recorded when
//! it is done; what is recorded is not done again, and what an attempt that broke off may have left
//! unrecorded is looked for first: a dossier is taken over, a process is deleted once another is recorded.

mod process;

use std::time::Duration;

use proofline_ambient::clock;
use proofline_assure::{Client, Error as AssureError, Refusal as AssureRefusal};
use proofline_events::{EventType, VerificationId, VerificationKey};
use proofline_journal::{ExecuteError, Executed, Lease, VaultError};
use proofline_problem::{Code, Problem};
use proofline_verification::{Command, ProcessDetails, Reason, Refusal, Refused, Verification};
use tokio::time::interval;

use crate::{
    app::App,
    create_verification::in_progress,
    creation::Creation,
    next_action::EndUserAction,
    shared_dossier::{self, Unusable},
};

/// How often, and how many times, the end of a creation that failed is tried to be told.
const FAIL_RETRY: Duration = Duration::from_secs(1);
const FAIL_ATTEMPTS: u32 = 60;

/// When to try again what an operator must mend.
const OPERATOR_RETRY: Duration = Duration::from_secs(60);
/// When to try again what could not be sealed.
const SEALING_RETRY: Duration = Duration::from_secs(2);

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
    /// What the end-user needs could not be sealed.
    Sealing(VaultError),
    /// Assure told no address for the end-user, and would tell none the next time.
    NoPage,
    /// The dossier can't be shared any more.
    Dossier(Problem),
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
            Err(Failure::Log(error)) => Err(proofline_callers::of_execute(&error)),
            Err(Failure::Sealing(error)) => {
                tracing::error!(verification.id = %self.key.id, %error, "a next action could not be sealed");
                Err(Problem::new(Code::StorageUnavailable, "The request could not be stored now.")
                    .retry_after(SEALING_RETRY))
            }
            Err(Failure::NoPage) => {
                self.fail(SETUP_FAILED, is_resumable).await?;
                let detail = "Assure told no address for the end-user. The operator must act.";
                Err(Problem::new(Code::AssureUnavailable, detail).retry_after(OPERATOR_RETRY))
            }
            Err(Failure::Dossier(problem)) => {
                self.fail(SETUP_FAILED, is_resumable).await?;
                Err(problem)
            }
            Err(Failure::LeaseLost) => Err(in_progress()),
        }
    }

    async fn steps(
        &self,
        mut verification: Verification,
        lease: &mut Option<&mut Lease>,
    ) -> Result<Verification, Failure> {
        self.create_key().await?;
        if verification.dossier_id.is_none() {
            let (dossier_id, earlier) = match &self.creation.same_dossier_as {
                Some(other) => self.shared_dossier(other).await?,
                None => (self.dossier(lease).await?, Vec::new()),
            };
            hold(lease).await?;
            verification = self.record_dossier(dossier_id, earlier).await?;
        }
        let dossier_id = verification.dossier_id.clone().unwrap_or_default();
        if let Some(user_data) = &self.creation.user_data {
            self.assure().set_user_data(&dossier_id, user_data).await?;
        }
        if verification.process.is_none() {
            let orphans = self.orphans(&dossier_id, &verification).await?;
            hold(lease).await?;
            let (created, action) = self.create(&dossier_id, &verification).await?;
            if let Err(failure) = hold(lease).await {
                // Another attempt has its own by now, and nobody adopts one that is not recorded.
                if let Some(process_id) = &created.process_id {
                    self.discarded(self.assure().delete_process(&dossier_id, process_id).await);
                }
                return Err(failure);
            }
            let (recorded, is_own) = self.record_process(&dossier_id, created, action).await?;
            if is_own {
                self.discard(&dossier_id, orphans).await;
            }
            verification = recorded;
        }
        Ok(verification)
    }

    /// Makes the data key, but never after an erasure, which an attempt that began before it may not
    /// have seen.
    async fn create_key(&self) -> Result<(), Failure> {
        let App { vault, journal, .. } = self.app;
        vault.create_key(self.key).await.map_err(|e| Failure::Log(e.into()))?;
        let is_erased = journal.is_recorded(self.key, EventType::ErasureRequested).await;
        if is_erased.map_err(|e| Failure::Log(e.into()))? {
            vault.erase(self.key).await.map_err(|e| Failure::Log(e.into()))?;
            return Err(Failure::Log(Refusal::AlreadyFinished.into()));
        }
        Ok(())
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

    /// The dossier of an earlier verification, and the processes that are there already.
    async fn shared_dossier(
        &self,
        other: &VerificationId,
    ) -> Result<(String, Vec<String>), Failure> {
        let joined = shared_dossier::join(self.app, self.key, other).await;
        let dossier_id = joined.map_err(|unusable| match unusable {
            Unusable::Refused(problem) => Failure::Dossier(problem),
            Unusable::Journal(error) => Failure::Log(error.into()),
        })?;
        let earlier = self.assure().processes_of(&dossier_id).await?;
        let earlier = earlier.ok_or(AssureError::Refused(AssureRefusal {
            status: 404,
            title: None,
            detail: Some("The dossier is no longer there.".to_owned()),
            trace_id: None,
        }))?;
        Ok((dossier_id, earlier.into_iter().map(|process| process.process_id).collect()))
    }

    /// The processes that earlier attempts made but did not record: what the end-user needs of them
    /// was lost with those.
    async fn orphans(
        &self,
        dossier_id: &str,
        verification: &Verification,
    ) -> Result<Vec<String>, Failure> {
        if !self.is_repeat {
            return Ok(Vec::new());
        }
        let all = self.assure().processes_of(dossier_id).await?.unwrap_or_default();
        let mut ids: Vec<_> = all.into_iter().map(|process| process.process_id).collect();
        ids.retain(|id| !verification.earlier_process_ids.contains(id));
        Ok(ids)
    }

    /// Deletes orphans, once this attempt's own process is recorded. Before that, an attempt that
    /// stood still could yet record one of them, whoever holds the lease.
    async fn discard(&self, dossier_id: &str, orphans: Vec<String>) {
        for process_id in orphans {
            self.discarded(self.assure().delete_process(dossier_id, &process_id).await);
        }
    }

    /// The client of the tenant's account.
    fn assure(&self) -> &Client {
        self.app.assure.of(self.key.tenant.as_str())
    }

    async fn record_dossier(
        &self,
        dossier_id: String,
        earlier_process_ids: Vec<String>,
    ) -> Result<Verification, Failure> {
        let command = Command::RecordDossier {
            dossier_id: dossier_id.clone(),
            assure_account: self.assure().account_id(),
            earlier_process_ids,
        };
        let recorded = self.app.journal.execute(self.key, command, clock::now()).await;
        let is_in_use = |v: &Verification| v.dossier_id.as_ref() == Some(&dossier_id);
        // One that is shared is others' too.
        if self.creation.same_dossier_as.is_none() && is_unused(&recorded, is_in_use) {
            self.discarded(self.assure().delete_dossier(&dossier_id).await);
        }
        Ok(recorded?.verification)
    }

    /// And whether it is this one that was recorded: another attempt may have recorded its own.
    async fn record_process(
        &self,
        dossier_id: &str,
        mut process: ProcessDetails,
        action: Option<EndUserAction>,
    ) -> Result<(Verification, bool), Failure> {
        // Sealed first: whoever sees the process in the log finds what the end-user needs.
        if let Some(action) = action {
            process.next_action_id = action.seal(&self.app.vault, self.key).await?;
        }
        let (process_id, action_id) = (process.process_id.clone(), process.next_action_id.clone());
        let command = Command::RecordProcess(process);
        let recorded = self.app.journal.execute(self.key, command, clock::now()).await;
        // A capture's has no id, but an address of its own.
        let is_own = |verification: &Verification| {
            let process = verification.process.as_ref();
            process.is_some_and(|it| it.id == process_id && it.next_action_id == action_id)
        };
        if let Some(process_id) = &process_id
            && is_unused(&recorded, is_own)
        {
            self.discarded(self.assure().delete_process(dossier_id, process_id).await);
        }
        let verification = recorded?.verification;
        let is_own = is_own(&verification);
        Ok((verification, is_own))
    }

    fn discarded(&self, deleted: Result<bool, AssureError>) {
        if let Err(error) = deleted {
            tracing::warn!(verification.id = %self.key.id, %error, "what is not needed stays in Assure until all of it is deleted there");
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
                biased;
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

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::Sealing(error)
    }
}

impl From<ExecuteError> for Failure {
    fn from(error: ExecuteError) -> Self {
        Self::Log(error)
    }
}
