//! Panics of this thread: our tasks and the services' turn them into errors, and none should be.

use std::{cell::Cell, panic, sync::Once};

thread_local! {
    static SEEN: Cell<u64> = const { Cell::new(0) };
}

/// How many there were in this thread so far.
pub(crate) fn seen() -> u64 {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            SEEN.set(SEEN.get() + 1);
            usual(panic);
        }));
    });
    SEEN.get()
}
