//! What the simulator was asked, call by call.

use serde_json::Value;

/// A call that reached the simulator.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// When its head was read, in ms since 1970.
    pub(crate) at_ms: u64,
    /// When its answer was ready; none as long as there is no answer.
    pub(crate) answered_at_ms: Option<u64>,
    /// None when it never got an answer.
    pub(crate) status: Option<u64>,
}

impl Call {
    /// A call as the admin API shows it.
    pub(super) fn read(call: &Value) -> Self {
        let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
        Self {
            operation: text("operation"),
            path: text("path"),
            query: text("query"),
            at_ms: call["atMs"].as_u64().unwrap(),
            answered_at_ms: call["answeredAtMs"].as_u64(),
            status: call["status"].as_u64(),
        }
    }

    /// Whether it is for this and has come in, answered or not.
    pub(crate) fn is(&self, operation: &str) -> bool {
        self.operation == operation
    }
}
