//! `proofline keys rewrap`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use proofline_journal::{Connection, Rewrap, Settings as NatsSettings, Wrapping};
use proofline_seal::{Keyring, read_sealing_keys};
use proofline_settings::{Reader, Source};
use tokio::time::Instant;

use crate::{
    output::{complain, say},
    patience::patiently,
    provision::wait_for,
};

/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Describes the settings and does nothing else.
    #[arg(long)]
    pub(super) settings: bool,
    /// Only counts what would be wrapped anew.
    #[arg(long)]
    dry_run: bool,
}

/// What it reads.
pub(crate) struct Settings {
    nats: NatsSettings,
    keyring: Keyring,
}

impl Settings {
    /// Reads and documents them.
    pub(crate) fn read(r: &mut Reader) -> Option<Self> {
        let nats = NatsSettings::read(r);
        let keyring = read_sealing_keys(r);
        Some(Self { nats: nats?, keyring: keyring? })
    }
}

/// Every setting, with default and unit.
pub(super) fn describe() -> String {
    let mut reader = Reader::describing();
    Settings::read(&mut reader);
    reader.help()
}

/// Walks over all data keys, and says what came of it.
pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut reader = Reader::new(&Source::from_env());
    let settings = Settings::read(&mut reader);
    let Settings { nats, keyring } = reader.finish(settings)?;
    let connection = Connection::open(&nats, "proofline-keys").await?;
    wait_for(&connection).await?;
    let keyring = Arc::new(keyring);
    let mut walk = Rewrap::new(&connection, Arc::clone(&keyring), arguments.dry_run);
    let mut count = Count::default();
    let walked = walk_all(&mut walk, &mut count).await;
    walked.with_context(|| format!("{}; run it again to go on", count.progress()))?;
    say(&count.summary(&keyring, arguments.dry_run));
    let unreadable = count.unreadable.len();
    ensure!(
        unreadable == 0,
        "{unreadable} data keys cannot be opened with these keys: is one missing that is still needed?"
    );
    Ok(())
}

async fn walk_all(walk: &mut Rewrap, count: &mut Count) -> anyhow::Result<()> {
    let mut told = Instant::now();
    loop {
        let next = patiently(async || walk.step().await);
        let Some(wrapping) = next.await? else { return Ok(()) };
        count.add(wrapping);
        if told.elapsed() > PROGRESS {
            complain(&count.progress());
            told = Instant::now();
        }
    }
}

/// What was met so far.
#[derive(Default)]
struct Count {
    met: u64,
    current: u64,
    /// By the key that they were under.
    renewed: BTreeMap<String, u64>,
    unreadable: Vec<String>,
}

impl Count {
    fn add(&mut self, wrapping: Wrapping) {
        self.met += 1;
        match wrapping {
            Wrapping::Current => self.current += 1,
            Wrapping::Renewed { from } => *self.renewed.entry(from).or_default() += 1,
            Wrapping::Replaced => {}
            Wrapping::Unreadable { owner, why } => {
                complain(&format!("the data key of {owner} cannot be opened: {why}"));
                self.unreadable.push(owner);
            }
        }
    }

    fn progress(&self) -> String {
        let renewed: u64 = self.renewed.values().sum();
        format!("{} wrappings looked at, {renewed} data keys wrapped anew", self.met)
    }

    fn summary(&self, keyring: &Keyring, is_dry: bool) -> String {
        let mut ids = keyring.ids();
        let first = ids.next().unwrap_or_default();
        let mut lines = Vec::new();
        for (from, count) in &self.renewed {
            let what = if is_dry { "would be" } else { "were" };
            lines
                .push(format!("{count} data keys under {from} {what} wrapped anew under {first}."));
        }
        lines.push(format!("{} data keys are under {first}.", self.current));
        if !is_dry && self.unreadable.is_empty() {
            lines.extend(ids.map(|old| {
                format!("No data key needs {old} any more, if every service seals with {first}.")
            }));
            lines.push(STILL_NEEDED.to_owned());
        }
        lines.join("\n")
    }
}

/// Not even services know who has a token.
const STILL_NEEDED: &str = "\
What else may need an older key: addresses given to Assure and end-users, until 7 days after the
latest deadline, where PROOFLINE_TOKEN_KEYS is derived from PROOFLINE_KEYS; and repeats under an
Idempotency-Key, whose bodies are taken as equal once the key is gone.";
