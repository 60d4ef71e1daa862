//! The classes of bad input: each makes of a good request some that are not.

mod bodies;
mod framing;
mod heads;

use super::route::Route;

/// A class, and its requests as bytes on the wire.
#[derive(Clone, Copy)]
pub(super) struct Class {
    pub(super) name: &'static str,
    pub(super) requests: fn(&Route) -> Vec<Vec<u8>>,
}

/// All of them.
pub(super) fn all() -> Vec<Class> {
    [&bodies::CLASSES[..], &heads::CLASSES, &framing::CLASSES].concat()
}
