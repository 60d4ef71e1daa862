//! Core files hold whatever a process held: keys, tokens, results in flight. So there are none.

use rustix::process::{Resource, Rlimit, setrlimit};
use tracing::warn;

/// From here on this process and its children leave none, whatever the machine's habits are.
pub(crate) fn forbid() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        warn!(%error, "core files could not be forbidden; set LimitCORE=0 or ulimit -c 0");
    }
}
