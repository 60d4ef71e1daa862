//! What a backup consists of. It is written last: without it there is no backup.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The form of backups that this version writes and reads.
pub(crate) const FORMAT: u32 = 1;

const NAME: &str = "manifest.json";

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    /// When it was begun, in RFC 3339.
    pub(crate) made_at: String,
    /// The version that made it.
    pub(crate) proofline: String,
    pub(crate) nats_server: String,
    pub(crate) with_keys: bool,
    pub(crate) streams: Vec<Stream>,
    pub(crate) erasures: File,
}

/// A stream: a folder as `nats stream backup` writes it too.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) messages: u64,
    pub(crate) last_sequence: u64,
    pub(crate) consumers: u64,
    /// `backup.json`: configuration and state.
    pub(crate) config: File,
    /// `stream.tar.s2`: messages and consumers.
    pub(crate) data: File,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct File {
    /// Inside the backup.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// In hexadecimal.
    pub(crate) sha256: String,
}

impl Manifest {
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(NAME);
        let written = fs::write(&path, serde_json::to_vec_pretty(self)?);
        written.with_context(|| format!("cannot write {}", path.display()))
    }

    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(NAME);
        let shown = path.display();
        let text = fs::read(&path)
            .with_context(|| format!("{shown} cannot be read: is it a complete backup?"))?;
        let manifest: Self =
            serde_json::from_slice(&text).with_context(|| format!("{shown} is no manifest"))?;
        let format = manifest.format;
        ensure!(format == FORMAT, "{shown} has format {format}, this version reads {FORMAT}");
        Ok(manifest)
    }
}

impl File {
    /// A file of this backup as it is now.
    pub(crate) fn of(folder: &Path, path: &str) -> io::Result<Self> {
        let mut file = fs::File::open(folder.join(path))?;
        let (mut digest, mut bytes) = (Sha256::new(), 0);
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let count = file.read(&mut chunk)?;
            if count == 0 {
                break;
            }
            digest.update(&chunk[..count]);
            bytes += count as u64;
        }
        let sha256 = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: path.to_owned(), bytes, sha256 })
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn fault(&self, folder: &Path) -> Option<String> {
        let path = &self.path;
        match Self::of(folder, path) {
            Err(error) => Some(format!("{path} cannot be read: {error}")),
            Ok(found) if found.bytes != self.bytes => {
                Some(format!("{path} has {} bytes instead of {}", found.bytes, self.bytes))
            }
            Ok(found) if found.sha256 != self.sha256 => {
                Some(format!("{path} is not what was written: its SHA-256 is another"))
            }
            Ok(_) => None,
        }
    }
}
