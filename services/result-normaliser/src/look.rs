//! Looking at Assure: what stands there of a verification's process.

use proofline_assure::{Accounts, Client, Error as AssureError, Process, wire::ListedProcess};
use proofline_verification::{Candidate, Observation, Verification, is_final, the_one_that_counts};

/// What a look at Assure showed.
pub(crate) struct Look {
    pub(crate) observation: Observation,
    /// The process that was looked at.
    pub(crate) process_id: Option<String>,
    /// Get process' answer, if there was one.
    pub(crate) process: Option<Process>,
    /// When Assure can be asked again, if it could not be asked.
    pub(crate) error: Option<AssureError>,
}

impl Look {
    /// Looks at the verification's process, or at this one of a capture's.
    pub(crate) async fn take(
        accounts: &Accounts,
        verification: &Verification,
        which: Option<&str>,
    ) -> Self {
        if verification.setup_failure.is_some() {
            return Self::of(Observation::NoProcess);
        }
        let (Some(dossier_id), Some(process)) = (&verification.dossier_id, &verification.process)
        else {
            return Self::of(Observation::NoProcess);
        };
        let assure = accounts.of(verification.key.tenant.as_str());
        let looked = match which.or(process.id.as_deref()) {
            Some(process_id) => look_at(assure, dossier_id, process_id).await,
            None => look_for(assure, dossier_id, verification).await,
        };
        match looked {
            // A client of another account knows nothing of it: this is a setting that is wrong (or a
            // client that was replaced), and no word of Assure's.
            Ok(Self { observation: Observation::Gone, .. })
                if verification.is_elsewhere(&assure.account_id()) =>
            {
                tracing::error!(verification.id = %verification.key.id, "not found, and created under another Assure account: is PROOFLINE_TENANTS_FILE the same everywhere?");
                let cause = "the process is in another account";
                Self::unanswered(AssureError::Unavailable { cause, may_have_happened: false })
            }
            Ok(look) => look,
            Err(error) => Self::unanswered(error),
        }
    }

    /// Whether Assure has an end, which stays as it is.
    pub(crate) fn is_final(&self) -> bool {
        matches!(&self.observation, Observation::Status(status) if is_final(status))
    }

    pub(crate) fn of(observation: Observation) -> Self {
        Self { observation, process_id: None, process: None, error: None }
    }

    fn unanswered(error: AssureError) -> Self {
        Self { error: Some(error), ..Self::of(Observation::Unanswered) }
    }
}

/// Get process tells.
async fn look_at(assure: &Client, dossier_id: &str, process_id: &str) -> Result<Look, AssureError> {
    let process = assure.get_process(dossier_id, process_id).await?;
    let Some(process) = process else { return Ok(Look::of(Observation::Gone)) };
    Ok(Look {
        observation: Observation::Status(process.status.clone()),
        process_id: Some(process_id.to_owned()),
        process: Some(process),
        error: None,
    })
}

/// A capture's process is made when the end-user gets there, perhaps more than once.
async fn look_for(
    assure: &Client,
    dossier_id: &str,
    verification: &Verification,
) -> Result<Look, AssureError> {
    let all = assure.processes_of(dossier_id).await?;
    let Some(all) = all else { return Ok(Look::of(Observation::Gone)) };
    let own = verification.own_processes(all.into_iter().map(candidate).collect());
    match the_one_that_counts(&own) {
        // Usually no end comes of it, and this is all that need be known.
        Some(open) if !is_final(&open.status) => Ok(Look {
            process_id: Some(open.id.clone()),
            ..Look::of(Observation::Status(open.status.clone()))
        }),
        Some(counts) => look_at(assure, dossier_id, &counts.id).await,
        None => Ok(Look::of(Observation::NoProcess)),
    }
}

pub(crate) fn candidate(listed: ListedProcess) -> Candidate {
    Candidate {
        id: listed.process_id,
        provider: listed.provider,
        process_type: listed.process_type.unwrap_or_default(),
        status: listed.status,
        created_at: listed.created_at.unwrap_or_default(),
    }
}
