//! The programs under test: built before the tests, beside them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::SystemTime,
};

use tokio::process::Command;

const ALL: [&str; 7] = [
    "assure-simulator",
    "proofline",
    "proofline-callback-receiver",
    "proofline-intake",
    "proofline-result-normaliser",
    "proofline-upload",
    "proofline-verifier",
];

/// Which programs: of the sources as they are, or those in a folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Build(Option<PathBuf>);

impl From<PathBuf> for Build {
    fn from(folder: PathBuf) -> Self {
        Self(Some(folder))
    }
}

impl Build {
    /// One of the programs, with an empty environment.
    pub(crate) fn program(&self, name: &str) -> Command {
        self.0.as_ref().map_or_else(|| program(name), |folder| in_folder(folder, name))
    }
}

/// One of the programs of today, with an empty environment.
pub(crate) fn program(name: &str) -> Command {
    static CHECKED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = match CHECKED.get_or_init(check) {
        Ok(folder) => folder,
        Err(complaint) => panic!("{complaint}"),
    };
    in_folder(folder, name)
}

fn in_folder(folder: &Path, name: &str) -> Command {
    let mut command = Command::new(folder.join(name));
    command.env_clear().kill_on_drop(true);
    command
}

/// Cargo puts tests into `deps`, and programs one directory up.
fn check() -> Result<PathBuf, String> {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let complaints: Vec<_> = ALL.iter().filter_map(|name| complaint(&folder, name).err()).collect();
    if complaints.is_empty() {
        return Ok(folder);
    }
    Err(format!(
        "these tests run the programs in {}, and\n  {}\nBuild them first: cargo build --workspace --bins (make test does).",
        folder.display(),
        complaints.join("\n  ")
    ))
}

/// A program that is older than what it is made of would tell yesterday's truth.
fn complaint(folder: &Path, name: &str) -> Result<(), String> {
    let modified = |path: &Path| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    let built = modified(&folder.join(name)).ok_or_else(|| format!("{name} is missing"))?;
    // What cargo knows of its sources; one that is gone makes it older than expected too.
    let made_of = fs::read_to_string(folder.join(format!("{name}.d"))).unwrap_or_default();
    let sources = made_of.split_once(": ").map_or("", |(_, sources)| sources);
    for source in sources.replace("\\ ", "\u{0}").split_whitespace() {
        let source = PathBuf::from(source.replace('\u{0}', " "));
        if modified(&source).is_none_or(|changed| changed > built) {
            return Err(format!("{name} is older than {}", source.display()));
        }
    }
    Ok(())
}
