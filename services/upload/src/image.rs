//! An image as it arrives: its kind by its first bytes, its size as it goes, its pace.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use proofline_assure::SourceError;
use tokio::time::timeout;

/// An uploader that sends nothing for so long has gone.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

const JPEG: &[u8] = &[0xff, 0xd8, 0xff];
const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];

/// The beginning of an image, and the rest still to come.
pub(crate) struct Incoming {
    pub(crate) media_type: &'static str,
    head: Vec<Bytes>,
    rest: BodyDataStream,
}

/// Why an image is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Neither JPEG nor PNG.
    Unsupported,
    /// It broke off, or nothing came for too long.
    Broken,
}

/// How many bytes have come. Shared, as the stream is given away.
#[derive(Debug, Clone, Default)]
pub(crate) struct Size(Arc<AtomicU64>);

impl Size {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct TooLarge;

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the image is too large")
    }
}

impl std::error::Error for TooLarge {}

impl Incoming {
    /// Reads as much as tells the kind: the bytes decide, not the header.
    pub(crate) async fn begin(body: Body) -> Result<Self, Unfit> {
        let mut rest = body.into_data_stream();
        let mut head: Vec<Bytes> = Vec::new();
        let mut first = Vec::with_capacity(PNG.len());
        while first.len() < PNG.len() {
            match timeout(IDLE_TIMEOUT, rest.next()).await {
                Ok(Some(Ok(chunk))) => {
                    first.extend(chunk.iter().take(PNG.len() - first.len()));
                    head.push(chunk);
                }
                Ok(None) => break,
                Ok(Some(Err(_))) | Err(_) => return Err(Unfit::Broken),
            }
        }
        let media_type = media_type(&first).ok_or(Unfit::Unsupported)?;
        Ok(Self { media_type, head, rest })
    }

    /// The whole image as a stream that ends with an error when it is larger than allowed, breaks
    /// off, or stops coming.
    pub(crate) fn into_stream(
        self,
        max_bytes: u64,
    ) -> (impl Stream<Item = Result<Bytes, SourceError>> + Send + use<>, Size) {
        let size = Size::default();
        let counted = size.clone();
        let rest = stream::unfold(self.rest, async |mut rest| {
            let item: Result<Bytes, SourceError> = match timeout(IDLE_TIMEOUT, rest.next()).await {
                Ok(None) => return None,
                Ok(Some(Ok(chunk))) => Ok(chunk),
                Ok(Some(Err(error))) => Err(error.into()),
                Err(idle) => Err(idle.into()),
            };
            Some((item, rest))
        });
        let whole = stream::iter(self.head).map(Ok).chain(rest).map(move |item| {
            let chunk = item?;
            let so_far =
                counted.0.fetch_add(chunk.len() as u64, Ordering::Relaxed) + chunk.len() as u64;
            if so_far > max_bytes { Err(TooLarge.into()) } else { Ok(chunk) }
        });
        (whole, size)
    }
}

fn media_type(first: &[u8]) -> Option<&'static str> {
    if first.starts_with(JPEG) {
        Some("image/jpeg")
    } else if first.starts_with(PNG) {
        Some("image/png")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    fn body(chunks: &[&[u8]]) -> Body {
        let chunks: Vec<Result<Bytes, SourceError>> =
            chunks.iter().map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        Body::from_stream(stream::iter(chunks))
    }

    #[tokio::test]
    async fn the_first_bytes_decide_however_they_are_cut() {
        let png: Vec<&[u8]> = PNG.chunks(1).collect();
        assert_eq!(Incoming::begin(body(&png)).await.ok().unwrap().media_type, "image/png");
        assert_eq!(
            Incoming::begin(body(&[&JPEG[..2], &JPEG[2..]])).await.ok().unwrap().media_type,
            "image/jpeg"
        );
        let heic: &[u8] = b"\0\0\0\x18ftypheic";
        for unfit in [&[heic][..], &[b"".as_slice()], &[&JPEG[..2]]] {
            assert_eq!(Incoming::begin(body(unfit)).await.err(), Some(Unfit::Unsupported));
        }
    }

    #[tokio::test]
    async fn one_byte_too_many_ends_the_stream_with_an_error() {
        let image = [JPEG, b"12345"];
        for (max, is_ok) in [(8, true), (7, false)] {
            let incoming = Incoming::begin(body(&image)).await.ok().unwrap();
            let (stream, size) = incoming.into_stream(max);
            assert_eq!(stream.try_collect::<Vec<_>>().await.is_ok(), is_ok);
            assert_eq!(size.get(), 8);
        }
    }
}
