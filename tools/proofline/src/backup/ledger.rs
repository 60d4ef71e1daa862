//! The ledger of erasures: a line of JSON for each, without personal data.

use std::{fs, io::Write as _, path::Path};

use anyhow::Context as _;
use proofline_events::VerificationKey;
use proofline_journal::Erasure;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::File;

/// Its name in a backup.
pub(crate) const LEDGER: &str = "erasures.jsonl";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    tenant: String,
    verification_id: String,
    requested_at: String,
}

pub(super) fn write(folder: &Path, erasures: &[Erasure]) -> anyhow::Result<File> {
    let written = fs::write(folder.join(LEDGER), text(erasures)?);
    written.context("cannot write the ledger of erasures")?;
    Ok(File::of(folder, LEDGER)?)
}

/// Writes one that is whole or as it was before, whatever happens, and on the disk afterwards.
pub(crate) fn keep(path: &Path, erasures: &[Erasure]) -> anyhow::Result<()> {
    let new = path.with_added_extension("new");
    let mut file = fs::File::create(&new)?;
    file.write_all(text(erasures)?.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

fn text(erasures: &[Erasure]) -> anyhow::Result<String> {
    let mut text = String::new();
    for Erasure { key, requested_at } in erasures {
        let line = Line {
            tenant: key.tenant.to_string(),
            verification_id: key.id.to_string(),
            requested_at: requested_at.format(&Rfc3339)?,
        };
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
    }
    Ok(text)
}

/// What a ledger lists, or everything that is wrong with it.
pub(crate) fn read(path: &Path) -> Result<Vec<Erasure>, Vec<String>> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| vec![format!("{shown}: {error}")])?;
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines()) {
        match parse(line) {
            Some(erasure) => all.push(erasure),
            None => faults.push(format!("{shown}, line {number}: not an erasure")),
        }
    }
    if faults.is_empty() { Ok(all) } else { Err(faults) }
}

fn parse(line: &str) -> Option<Erasure> {
    let line: Line = serde_json::from_str(line).ok()?;
    Some(Erasure {
        key: VerificationKey::parse(&line.tenant, &line.verification_id).ok()?,
        requested_at: OffsetDateTime::parse(&line.requested_at, &Rfc3339).ok()?,
    })
}
