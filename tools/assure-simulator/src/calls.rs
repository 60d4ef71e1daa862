//! The calls that came in: what, when, and how they were answered.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use serde::Serialize;

/// How many calls are remembered one by one; the counts go on.
const REMEMBERED: usize = 100_000;

/// One call.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Call {
    /// From 1, in the order of arrival.
    pub(crate) number: u64,
    /// When its head was read, in ms since 1970.
    pub(crate) at_ms: u64,
    /// When its answer was ready, in ms since 1970.
    pub(crate) answered_at_ms: Option<u64>,
    pub(crate) operation: &'static str,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// Null while there is no answer, and for ever when the connection was reset.
    pub(crate) status: Option<u16>,
    /// The fault it met.
    pub(crate) fault: Option<&'static str>,
}

#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<Log>);

#[derive(Debug, Default)]
struct Log {
    last: u64,
    calls: VecDeque<Call>,
    counts: BTreeMap<&'static str, u64>,
}

impl Calls {
    /// Records a call that has arrived and gives it its number.
    pub(crate) fn begin(&self, mut call: Call) -> u64 {
        let mut log = self.log();
        log.last += 1;
        call.number = log.last;
        *log.counts.entry(call.operation).or_default() += 1;
        if log.calls.len() == REMEMBERED {
            log.calls.pop_front();
        }
        log.calls.push_back(call);
        log.last
    }

    /// Records the answer, unless the list was emptied in between.
    pub(crate) fn end(&self, number: u64, status: Option<StatusCode>, at_ms: u64) {
        let mut log = self.log();
        let found = log.calls.binary_search_by_key(&number, |c| c.number);
        if let Some(call) = found.ok().and_then(|at| log.calls.get_mut(at)) {
            call.status = status.map(|s| s.as_u16());
            call.answered_at_ms = Some(at_ms);
        }
    }

    /// Forgets all; numbers go on.
    pub(crate) fn clear(&self) {
        let mut log = self.log();
        log.calls.clear();
        log.counts.clear();
    }

    /// The calls in order, and how many there were of each operation.
    pub(crate) fn snapshot(&self) -> (Vec<Call>, BTreeMap<&'static str, u64>) {
        let log = self.log();
        (log.calls.iter().cloned().collect(), log.counts.clone())
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
