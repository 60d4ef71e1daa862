//! `same_dossier_as`: another process in the dossier of an earlier verification.
//!
//! One verification of a dossier is unfinished at a time, so that everybody knows whose process is
//! whose. Who shares a dossier is written down before the dossier is used again, so that it goes
//! with the last of them.

use proofline_events::{TenantName, VerificationId, VerificationKey};
use proofline_journal::{Error as JournalError, Members};
use proofline_problem::{Code, Problem};
use proofline_verification::Verification;

use crate::app::App;

/// How often the list of a dossier is read again because another changed it in between.
const MAX_CONFLICTS: usize = 20;

/// What is said of a dossier whose last verification has left it.
const DELETED: &str = "has a dossier that was deleted";

/// Why a dossier can't be shared.
pub(crate) enum Unusable {
    /// It can't, and this is what the caller is told.
    Refused(Problem),
    /// NATS.
    Journal(JournalError),
}

impl From<JournalError> for Unusable {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// The id of the dossier, if it can be used again now.
pub(crate) async fn usable(
    app: &App,
    tenant: &TenantName,
    earlier: &VerificationId,
) -> Result<String, Unusable> {
    let dossier_id = dossier_of(app, tenant, earlier).await?;
    let members = app.dossiers.members(tenant, &dossier_id).await?;
    newest_is_finished(app, tenant, &members).await?;
    if members.is_gone() { Err(refused(DELETED)) } else { Ok(dossier_id) }
}

/// Writes down that this verification shares the dossier, whose id is answered.
pub(crate) async fn join(
    app: &App,
    key: &VerificationKey,
    earlier: &VerificationId,
) -> Result<String, Unusable> {
    let dossier_id = dossier_of(app, &key.tenant, earlier).await?;
    for _ in 0..MAX_CONFLICTS {
        let members = app.dossiers.members(&key.tenant, &dossier_id).await?;
        if members.ids.contains(&key.id) {
            return Ok(dossier_id);
        }
        newest_is_finished(app, &key.tenant, &members).await?;
        if members.is_gone() {
            return Err(refused(DELETED));
        }
        let mut ids = members.ids.clone();
        if !members.is_list() {
            ids.push(earlier.clone());
        }
        ids.push(key.id.clone());
        if app.dossiers.replace(&key.tenant, &dossier_id, &members, &ids).await? {
            return Ok(dossier_id);
        }
    }
    Err(JournalError::Contended.into())
}

async fn dossier_of(
    app: &App,
    tenant: &TenantName,
    earlier: &VerificationId,
) -> Result<String, Unusable> {
    let account = app.assure.of(tenant.as_str()).account_id();
    match read(app, tenant, earlier).await? {
        None => Err(refused("is no verification of yours")),
        Some(v) if v.is_erasure_requested => Err(refused("was erased")),
        Some(v) if v.end.is_none() => Err(in_use("That verification is not finished.")),
        Some(v) if v.is_elsewhere(&account) => Err(refused("is in another account at Assure")),
        Some(v) => v.dossier_id.ok_or_else(|| refused("has no dossier")),
    }
}

async fn newest_is_finished(
    app: &App,
    tenant: &TenantName,
    members: &Members,
) -> Result<(), Unusable> {
    let Some(newest) = members.ids.last() else { return Ok(()) };
    // A member without a log is one whose log has been kept long enough.
    let newest = read(app, tenant, newest).await?;
    match newest.is_none_or(|verification| verification.end.is_some()) {
        true => Ok(()),
        false => Err(in_use("Another verification in that dossier is not finished.")),
    }
}

async fn read(
    app: &App,
    tenant: &TenantName,
    id: &VerificationId,
) -> Result<Option<Verification>, JournalError> {
    let key = VerificationKey { tenant: tenant.clone(), id: id.clone() };
    Ok(app.journal.read_latest(&key).await?.verification)
}

fn refused(detail: &str) -> Unusable {
    let problem = Problem::new(Code::InvalidRequest, "The request is not valid.");
    Unusable::Refused(problem.fault("/same_dossier_as", detail))
}

fn in_use(detail: &str) -> Unusable {
    Unusable::Refused(Problem::new(Code::DossierInUse, detail))
}
