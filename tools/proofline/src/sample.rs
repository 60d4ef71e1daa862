//! A picture of nobody, for demonstrations.

use base64::{Engine, engine::general_purpose::STANDARD};

/// One grey pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

/// A PNG.
pub(crate) fn image() -> Vec<u8> {
    STANDARD.decode(PNG).expect("a constant")
}
