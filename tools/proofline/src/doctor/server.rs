//! What the NATS servers tell about themselves, at their monitoring endpoints.

use std::time::Duration;

use proofline_settings::Url;
use reqwest::{Client, redirect::Policy};
use serde::Deserialize;

use super::finding::{Check, Finding, Verdict};

const PATIENCE: Duration = Duration::from_secs(5);
/// Less than this part of the disk is too little: there must be time to do something.
const ENOUGH_FREE: f64 = 0.2;

const UNKNOWN: &str = "PROOFLINE_NATS_MONITORING is not set, so nobody can look";

/// `/jsz`.
#[derive(Deserialize)]
struct JetStream {
    storage: u64,
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    max_storage: u64,
    /// Nanoseconds.
    sync_interval: u64,
    #[serde(default)]
    sync_always: bool,
}

/// Whether they sync, and how full they are.
pub(super) async fn examine(monitoring: &[Url]) -> Vec<Finding> {
    let unchecked = |why: &str| {
        [Check::SyncInterval, Check::Disk]
            .map(|check| Verdict::Unchecked(why.to_owned()).of(check))
            .into()
    };
    if monitoring.is_empty() {
        return unchecked(UNKNOWN);
    }
    let mut servers = Vec::new();
    for url in monitoring {
        match look(url).await {
            Ok(server) => servers.push((url, server)),
            Err(error) => {
                // Without what it may hold: an address is enough.
                let (at, error) = (shown(url), error.without_url());
                return unchecked(&format!("{at} does not tell: {error}"));
            }
        }
    }
    vec![syncs(&servers).of(Check::SyncInterval), room(&servers).of(Check::Disk)]
}

async fn look(url: &Url) -> Result<JetStream, reqwest::Error> {
    let http = Client::builder().timeout(PATIENCE).redirect(Policy::none()).build()?;
    let mut url = url.clone();
    url.set_path("/jsz");
    http.get(url).send().await?.error_for_status()?.json().await
}

fn shown(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
}

fn syncs(servers: &[(&Url, JetStream)]) -> Verdict {
    let lazy = servers.iter().find(|(_, server)| !server.config.sync_always);
    let Some((url, server)) = lazy else {
        return Verdict::Fine("always".to_owned());
    };
    let interval = Duration::from_nanos(server.config.sync_interval);
    Verdict::problem(
        format!("{} syncs every {interval:?}, what it acknowledged since can be lost", shown(url)),
        "Set `sync_interval: always` in the jetstream block of every server.",
    )
}

fn room(servers: &[(&Url, JetStream)]) -> Verdict {
    let free = |server: &JetStream| match server.config.max_storage {
        0 => 0.0,
        max => 1.0 - server.storage as f64 / max as f64,
    };
    let fullest = servers.iter().min_by(|(_, a), (_, b)| free(a).total_cmp(&free(b)));
    let Some((url, server)) = fullest else {
        return Verdict::Unchecked(UNKNOWN.to_owned());
    };
    let found = format!(
        "{} has {:.0} % of {} MiB free",
        shown(url),
        free(server) * 100.0,
        server.config.max_storage / 1024 / 1024
    );
    if free(server) >= ENOUGH_FREE {
        return Verdict::Fine(found);
    }
    Verdict::problem(
        found,
        "Enlarge the disk and max_file_store, or shorten the retentions; a full NATS stores nothing.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(storage: u64, sync_always: bool) -> JetStream {
        let config = Config { max_storage: 1000, sync_interval: 120_000_000_000, sync_always };
        JetStream { storage, config }
    }

    #[test]
    fn one_lazy_or_full_server_is_enough_for_a_problem() {
        let url: Url = "http://nats-0:8222".parse().unwrap();
        let both = [(&url, server(0, true)), (&url, server(801, false))];
        let Verdict::Problem { found, .. } = syncs(&both) else { panic!("it syncs too seldom") };
        assert!(found.starts_with("nats-0:8222 syncs every 120s"), "{found}");
        let Verdict::Problem { found, .. } = room(&both) else { panic!("it is full") };
        assert!(found.starts_with("nats-0:8222 has 20 % of"), "{found}");
        let good = [(&url, server(790, true))];
        assert!(matches!(syncs(&good), Verdict::Fine(_)));
        assert!(matches!(room(&good), Verdict::Fine(_)));
    }
}
