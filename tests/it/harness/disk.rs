//! What stands on a disk.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Visits every file below a folder.
pub(crate) fn every_file(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { every_file(&path, visit) } else { visit(&path) }
    }
}

/// The files below a folder that have these bytes in them.
pub(crate) fn files_with(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    every_file(folder, &mut |path| {
        // A file may go while others are read.
        let content = fs::read(path).unwrap_or_default();
        if content.windows(bytes.len()).any(|part| part == bytes) {
            found.push(path.to_owned());
        }
    });
    found
}
