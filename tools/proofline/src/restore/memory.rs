//! What was erased, as a restore that deletes a log has found it, for the next run if it breaks off:
//! the log that knew it may be gone by then.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use proofline_journal::Erasure;

use crate::{backup::keep_ledger, output::say};

const NAME: &str = "erasures-remembered.jsonl";

/// A ledger that restores write and read. It only grows, and holds nothing personal.
pub(super) struct Memory {
    path: PathBuf,
}

impl Memory {
    /// Where somebody wants it, or beside the backup, so that it also serves another one there.
    pub(super) fn beside(backup: &Path, wanted: Option<PathBuf>) -> anyhow::Result<Self> {
        if let Some(path) = wanted {
            return Ok(Self { path });
        }
        let whole = backup.canonicalize();
        let whole = whole.with_context(|| format!("cannot find {}", backup.display()))?;
        Ok(Self { path: whole.with_file_name(NAME) })
    }

    /// The ledger, if an earlier run has left one.
    pub(super) fn find(&self) -> Option<&Path> {
        // Also one that can't be looked at: it is read next, which tells why.
        if !self.path.try_exists().unwrap_or(true) {
            return None;
        }
        say(&format!("An earlier run has left {}: it is read too.", self.path.display()));
        Some(&self.path)
    }

    /// On the disk when it returns.
    pub(super) fn keep(&self, known: &[Erasure]) -> anyhow::Result<()> {
        let shown = self.path.display();
        keep_ledger(&self.path, known).with_context(|| {
            format!("nothing was restored: cannot write {shown}; --remember names another place")
        })?;
        say(&format!(
            "{} erasures are remembered in {shown}, which every later run reads.",
            known.len()
        ));
        Ok(())
    }
}
