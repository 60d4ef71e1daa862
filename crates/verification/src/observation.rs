//! What a look at Assure showed.

/// What Get process said about our process under our own dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// This status, as Assure spelt it.
    Status(String),
    /// Assure has no such process.
    Gone,
    /// There is no process to ask for (yet).
    NoProcess,
    /// Assure could not be asked.
    Unanswered,
}

/// Whether a status is final. Assure says that only `pending` and `processing` are not, so a
/// status that is not known counts as final.
pub fn is_final(status: &str) -> bool {
    !is_pending(status) && !status.eq_ignore_ascii_case("processing")
}

/// Whether verification has not been requested yet.
pub(crate) fn is_pending(status: &str) -> bool {
    status.eq_ignore_ascii_case("pending")
}
