//! Images of nobody, and one that takes its time.

use std::fmt::Write as _;

use bytes::Bytes;
use futures_util::stream;
use reqwest::Body;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

/// A JPEG as far as its first bytes tell, with this content.
pub(crate) fn jpeg(content: &str) -> Vec<u8> {
    [&[0xff, 0xd8, 0xff, 0xe0], content.as_bytes()].concat()
}

/// A PNG likewise.
pub(crate) fn png(content: &str) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n", content.as_bytes()].concat()
}

/// What telephones take, and nobody here does.
pub(crate) fn heic() -> Vec<u8> {
    b"\0\0\0\x18ftypheic".to_vec()
}

/// SHA-256 in hexadecimal digits, as the simulator shows it.
pub(crate) fn digest(image: &[u8]) -> String {
    Sha256::digest(image).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// A body that comes in pieces, when the test says so, without a length.
pub(crate) struct Trickle(mpsc::UnboundedSender<Bytes>);

impl Trickle {
    pub(crate) fn new() -> (Self, Body) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let pieces = stream::unfold(receiver, async |mut receiver| {
            let piece: Bytes = receiver.recv().await?;
            Some((Ok::<_, std::io::Error>(piece), receiver))
        });
        (Self(sender), Body::wrap_stream(pieces))
    }

    pub(crate) fn send(&self, piece: &[u8]) {
        self.0.send(Bytes::copy_from_slice(piece)).unwrap();
    }

    /// The body ends here, complete.
    pub(crate) fn end(self) {}
}
