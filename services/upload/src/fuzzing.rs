//! An image's first bytes, handed to what tells its kind. `fuzz/` calls this too.

use axum::body::Body;
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use proofline_assure::SourceError;

use crate::image::Incoming;

/// An image that comes in chunks of this many bytes.
pub fn image(bytes: &[u8], chunk: usize) {
    let chunks = bytes.chunks(chunk.max(1)).map(Bytes::copy_from_slice);
    let chunks: Vec<Result<_, SourceError>> = chunks.map(Ok).collect();
    let begun = Incoming::begin(Body::from_stream(stream::iter(chunks)));
    let begun = begun.now_or_never().expect("all of it is there");
    let is_image = bytes.starts_with(b"\xff\xd8\xff") || bytes.starts_with(b"\x89PNG\r\n\x1a\n");
    assert_eq!(begun.is_ok(), is_image);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEGINNINGS: &[&[u8]] = &[b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\x89PN"];

    proptest! {
        #[test]
        fn the_kind_is_told_whatever_comes_and_however_it_is_cut(
            begin in prop::sample::select(BEGINNINGS),
            rest in prop::collection::vec(any::<u8>(), 0..100), chunk in 0_usize..20,
        ) {
            image(&[begin, &rest].concat(), chunk);
        }
    }
}
