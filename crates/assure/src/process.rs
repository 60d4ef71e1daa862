//! Get process: its few members that we act on, and the whole answer untouched.

use serde_json::Value;

/// A process as Assure tells it.
#[derive(Clone)]
pub struct Process {
    /// As Assure spells it.
    pub status: String,
    /// The whole answer. Full of personal data.
    pub answer: Value,
}

impl Process {
    /// Takes an answer that has at least a status.
    pub(crate) fn from_answer(answer: Value) -> Option<Self> {
        let status = answer.get("status")?.as_str()?.to_owned();
        (!status.is_empty() && status.len() <= 64).then_some(Self { status, answer })
    }
}

/// Shows the status alone.
impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").field("status", &self.status).finish_non_exhaustive()
    }
}
