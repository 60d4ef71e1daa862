//! What happened in a run, line by line, for whoever has to understand a failure.

use std::sync::Mutex;

use tokio::time::Instant;

/// Written down only when asked, as a run is repeated for it.
#[derive(Debug)]
pub(crate) struct Trace {
    begun: Instant,
    lines: Option<Mutex<Vec<String>>>,
}

impl Trace {
    pub(crate) fn new(is_kept: bool) -> Self {
        Self { begun: Instant::now(), lines: is_kept.then(Mutex::default) }
    }

    pub(crate) fn say(&self, what: impl FnOnce() -> String) {
        if let Some(lines) = &self.lines {
            let line = format!("{:9.3}  {}", self.begun.elapsed().as_secs_f64(), what());
            lines.lock().expect("no panic while held").push(line);
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.lines.as_ref().map(|lines| lines.lock().expect("no panic while held"));
        lines.map(|lines| lines.clone()).unwrap_or_default()
    }
}
