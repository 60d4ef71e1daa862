//! The ledger of erasures: a line of JSON for each, without personal data.

use std::{fs, path::Path};

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
    fs::write(folder.join(LEDGER), text).context("cannot write the ledger of erasures")?;
    Ok(File::of(folder, LEDGER)?)
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
