//! Where `make test-all` has put what the tests need.

use std::path::PathBuf;

/// A file of the repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}

/// A file below `target/tools`.
pub(crate) fn installed(path: &str) -> PathBuf {
    let file = in_repository("target/tools").join(path);
    assert!(file.exists(), "{} is missing: make test-all installs it", file.display());
    file
}
