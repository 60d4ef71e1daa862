//! What strangers on the public side can't do: hold connections, use up what others need, flood.

mod connections;
mod floods;
mod headers;
mod slow;

/// The services that are open to the public or to callers.
const DOORS: [&str; 3] = ["proofline-intake", "proofline-upload", "proofline-callback-receiver"];
