//! An image as it arrives: its kind by its first bytes, its size as it goes. That it keeps some
//! pace is the server's care, which breaks off a body that drips.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use proofline_assure::SourceError;
use tokio::time::Instant;

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
    /// It broke off, or came too slowly.
    Broken,
}

/// Why a stream ended before the image's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cause {
    /// It is larger than allowed.
    #[error("the image is too large")]
    TooLarge,
    /// Whoever sent it is gone, or sends nothing any more.
    #[error("the image broke off")]
    Gone,
    /// It was told to stop: this process is to end, or the upload lost its claim.
    #[error("the upload was stopped")]
    Stopped,
}

/// How far an image has come. Shared, as its stream is given away.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<State>);

#[derive(Debug)]
struct State {
    /// Looked at before each piece goes out, the last above all: a process that stood still does not
    /// hear first what it has missed.
    until: Mutex<Instant>,
    bytes: AtomicU64,
    is_complete: AtomicBool,
    cause: OnceLock<Cause>,
}

impl Progress {
    fn new(until: Instant) -> Self {
        Self(Arc::new(State {
            until: Mutex::new(until),
            bytes: AtomicU64::default(),
            is_complete: AtomicBool::default(),
            cause: OnceLock::default(),
        }))
    }

    /// Nothing more is sent from then on.
    pub(crate) fn may_go_on_until(&self, until: Instant) {
        *self.0.until.lock().expect("no panic while held") = until;
    }

    fn may_go_on(&self) -> bool {
        Instant::now() < *self.0.until.lock().expect("no panic while held")
    }

    /// How many bytes have come.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Why it ended before its end, if it did.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.0.cause.get().copied()
    }

    /// Whether all of it has come. Less than that is never a complete image at Assure.
    pub(crate) fn is_complete(&self) -> bool {
        self.0.is_complete.load(Ordering::Relaxed)
    }

    /// Ends it before its end.
    pub(crate) fn stop(&self) {
        self.0.cause.get_or_init(|| Cause::Stopped);
    }

    fn broke(&self, cause: Cause) -> SourceError {
        (*self.0.cause.get_or_init(|| cause)).into()
    }

    fn add(&self, chunk: &Bytes) -> u64 {
        let length = chunk.len() as u64;
        self.0.bytes.fetch_add(length, Ordering::Relaxed) + length
    }
}

impl Incoming {
    /// Reads as much as tells the kind: the bytes decide, not the header.
    pub(crate) async fn begin(body: Body) -> Result<Self, Unfit> {
        let mut rest = body.into_data_stream();
        let mut head: Vec<Bytes> = Vec::new();
        let mut first = Vec::with_capacity(PNG.len());
        while first.len() < PNG.len() {
            match rest.next().await {
                Some(Ok(chunk)) => {
                    first.extend(chunk.iter().take(PNG.len() - first.len()));
                    head.push(chunk);
                }
                None => break,
                Some(Err(_)) => return Err(Unfit::Broken),
            }
        }
        let media_type = media_type(&first).ok_or(Unfit::Unsupported)?;
        Ok(Self { media_type, head, rest })
    }

    /// The whole image as a stream that ends with an error when it is larger than allowed, breaks
    /// off, comes too slowly, or is not whole by `until` ([`Progress::may_go_on_until`]).
    pub(crate) fn into_stream(
        self,
        max_bytes: u64,
        until: Instant,
    ) -> (impl Stream<Item = Result<Bytes, SourceError>> + Send + use<>, Progress) {
        let progress = Progress::new(until);
        let (come, ended) = (progress.clone(), progress.clone());
        let rest = stream::unfold((self.rest, ended), async |(mut rest, ended)| {
            let item = match rest.next().await {
                Some(item) => item.map_err(|_| Cause::Gone),
                None if ended.may_go_on() => {
                    ended.0.is_complete.store(true, Ordering::Relaxed);
                    return None;
                }
                None => Err(Cause::Stopped),
            };
            Some((item, (rest, ended)))
        });
        let whole = stream::iter(self.head).map(Ok).chain(rest).map(move |item| {
            let chunk = item.map_err(|cause| come.broke(cause))?;
            if come.add(&chunk) > max_bytes {
                Err(come.broke(Cause::TooLarge))
            } else if come.may_go_on() {
                Ok(chunk)
            } else {
                Err(come.broke(Cause::Stopped))
            }
        });
        (whole, progress)
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
    use std::time::Duration;

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

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn what_may_not_go_on_any_more_is_never_whole() {
        for is_over_at_once in [true, false] {
            let incoming = Incoming::begin(body(&[JPEG, b"12345"])).await.ok().unwrap();
            let until = if is_over_at_once { Instant::now() } else { later() };
            let (stream, progress) = incoming.into_stream(100, until);
            let mut stream = std::pin::pin!(stream);
            if !is_over_at_once {
                while progress.size_bytes() < 8 {
                    stream.next().await.unwrap().unwrap();
                }
                // All has gone out but that this was all.
                progress.may_go_on_until(Instant::now());
            }
            assert!(stream.next().await.unwrap().is_err());
            assert_eq!((progress.is_complete(), progress.cause()), (false, Some(Cause::Stopped)));
        }
    }

    #[tokio::test]
    async fn one_byte_too_many_ends_the_stream_with_an_error() {
        let image = [JPEG, b"12345"];
        for (max, is_ok) in [(8, true), (7, false)] {
            let incoming = Incoming::begin(body(&image)).await.ok().unwrap();
            let (stream, progress) = incoming.into_stream(max, later());
            assert_eq!(stream.try_collect::<Vec<_>>().await.is_ok(), is_ok);
            assert_eq!(progress.size_bytes(), 8);
            assert_eq!(progress.cause(), (!is_ok).then_some(Cause::TooLarge));
            assert_eq!(progress.is_complete(), is_ok);
        }
    }
}
