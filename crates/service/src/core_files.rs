//! Core files hold whatever a process held: keys, tokens, results in flight. So there are none.

use rustix::process::{Resource, Rlimit, setrlimit};
use tracing::warn;

/// From here on this process leaves none, whatever the machine's habits are.
pub(crate) fn forbid() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        warn!(%error, "core files could not be forbidden; set LimitCORE=0 or ulimit -c 0");
    }
    forbid_dumps();
}

/// A limit does not keep the kernel from handing memory to a program (`core_pattern` with a pipe);
/// nothing to dump does. It keeps other processes of the same user out of that memory, too.
#[cfg(target_os = "linux")]
fn forbid_dumps() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        warn!(%error, "dumps to a program could not be forbidden; see core_pattern");
    }
}

#[cfg(not(target_os = "linux"))]
fn forbid_dumps() {}
