//! Everything that was done to somebody, with its time since the beginning.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

/// A file that is written line by line, so that a run that breaks off leaves it too.
pub(super) struct Diary {
    began: Instant,
    is_printed: bool,
    pages: Mutex<Pages>,
}

struct Pages {
    file: File,
    counts: BTreeMap<&'static str, u64>,
    complaints: Vec<String>,
}

impl Diary {
    pub(super) fn open(folder: &Path, seed: u64, is_printed: bool) -> Self {
        fs::create_dir_all(folder).unwrap();
        let file = File::create(folder.join(format!("seed-{seed}.log"))).unwrap();
        let pages = Pages { file, counts: BTreeMap::new(), complaints: Vec::new() };
        Self { began: Instant::now(), is_printed, pages: Mutex::new(pages) }
    }

    #[expect(
        clippy::print_stdout,
        reason = "whoever starts a long run wants to see that it goes on"
    )]
    pub(super) fn note(&self, what: &str) {
        let line = format!("+{:8.3} s  {what}", self.began.elapsed().as_secs_f64());
        writeln!(self.pages().file, "{line}").unwrap();
        if self.is_printed {
            println!("{line}");
        }
    }

    /// Somebody is struck, in this way.
    pub(super) fn strike(&self, how: &'static str, whom: &str) {
        *self.pages().counts.entry(how).or_default() += 1;
        self.note(&format!("{how}: {whom}"));
    }

    /// A promise was broken on the way.
    pub(super) fn complain(&self, what: String) {
        self.note(&what);
        self.pages().complaints.push(what);
    }

    /// How often who was struck, by way.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.pages().counts.clone()
    }

    /// How many processes were killed.
    pub(super) fn kills(&self) -> u64 {
        self.counts().iter().filter(|(how, _)| how.starts_with("kill -9")).map(|(_, n)| n).sum()
    }

    pub(super) fn complaints(&self) -> Vec<String> {
        self.pages().complaints.clone()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
