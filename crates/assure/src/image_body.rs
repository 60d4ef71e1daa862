//! An image as the body of Set images, made while it is sent: binary in, a JSON object with one
//! data URL out. The image is never whole in memory.

use std::{
    error::Error as StdError,
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use base64::{Engine, engine::general_purpose};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};

/// By several bytes at once where the processor can: in a third of the time.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64: LazyLock<base64::engine::Simd> =
    LazyLock::new(|| base64::engine::Simd::standard(general_purpose::PAD));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static BASE64: LazyLock<general_purpose::GeneralPurpose> =
    LazyLock::new(|| general_purpose::STANDARD);

/// Why a source ended before its end.
pub type SourceError = Box<dyn StdError + Send + Sync>;

/// Which member of the body the image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageDepiction {
    /// `front`
    Front,
    /// `back`
    Back,
    /// `selfie`
    Selfie,
}

impl ImageDepiction {
    fn member(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Back => "back",
            Self::Selfie => "selfie",
        }
    }
}

/// The bytes of an image.
pub struct ImageStream {
    source: BoxStream<'static, Result<Bytes, SourceError>>,
    media_type: &'static str,
    size_bytes: Option<u64>,
    fate: Fate,
}

/// Whether the source broke off; known to whoever sends it, as a transport's error does not tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fate(Arc<AtomicBool>);

impl Fate {
    pub(crate) fn is_broken(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request body and its length, where that is known.
pub(crate) struct ImageBody {
    pub(crate) body: reqwest::Body,
    pub(crate) length: Option<u64>,
}

impl ImageStream {
    /// An image of this media type (`image/jpeg` or `image/png`), and its size where it is known.
    pub fn new(
        source: BoxStream<'static, Result<Bytes, SourceError>>,
        media_type: &'static str,
        size_bytes: Option<u64>,
    ) -> Self {
        Self { source, media_type, size_bytes, fate: Fate::default() }
    }

    pub(crate) fn fate(&self) -> Fate {
        self.fate.clone()
    }

    pub(crate) fn into_body(self, depiction: ImageDepiction) -> ImageBody {
        let head = format!("{{\"{}\":\"data:{};base64,", depiction.member(), self.media_type);
        let framing = head.len() as u64 + 2;
        let length = self.size_bytes.map(|size| framing + size.div_ceil(3) * 4);
        let encoded =
            Encode { source: self.source, fate: self.fate, rest: Vec::new(), is_done: false };
        let body =
            futures_util::stream::once(std::future::ready(Ok(Bytes::from(head)))).chain(encoded);
        ImageBody { body: reqwest::Body::wrap_stream(body), length }
    }
}

/// Base64, three bytes at a time across chunk borders, then the end of the JSON object.
struct Encode {
    source: BoxStream<'static, Result<Bytes, SourceError>>,
    fate: Fate,
    rest: Vec<u8>,
    is_done: bool,
}

impl Encode {
    fn whole_groups(&mut self, chunk: &[u8]) -> Vec<u8> {
        let missing = (3 - self.rest.len()) % 3;
        if missing > chunk.len() {
            self.rest.extend_from_slice(chunk);
            return Vec::new();
        }
        let (first, others) = chunk.split_at(missing);
        self.rest.extend_from_slice(first);
        let (whole, rest) = others.split_at(others.len() - others.len() % 3);
        let mut text = vec![0; (self.rest.len() + whole.len()) / 3 * 4];
        let (begin, end) = text.split_at_mut(self.rest.len() / 3 * 4);
        for (bytes, room) in [(self.rest.as_slice(), begin), (whole, end)] {
            BASE64.encode_slice(bytes, room).expect("whole groups need so much");
        }
        self.rest.clear();
        self.rest.extend_from_slice(rest);
        text
    }
}

impl Stream for Encode {
    type Item = Result<Bytes, SourceError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.is_done {
                return Poll::Ready(None);
            }
            match self.source.poll_next_unpin(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(chunk))) => {
                    let text = self.whole_groups(&chunk);
                    if !text.is_empty() {
                        return Poll::Ready(Some(Ok(text.into())));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    self.is_done = true;
                    self.fate.0.store(true, Ordering::Relaxed);
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => {
                    self.is_done = true;
                    let end = format!("{}\"}}", BASE64.encode(&self.rest));
                    return Poll::Ready(Some(Ok(end.into())));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{TryStreamExt, stream};

    use super::*;

    async fn encoded(chunks: Vec<Vec<u8>>) -> Vec<u8> {
        let source = stream::iter(chunks.into_iter().map(|c| Ok(Bytes::from(c)))).boxed();
        let encode = Encode { source, fate: Fate::default(), rest: Vec::new(), is_done: false };
        encode
            .try_fold(Vec::new(), async |mut all, chunk| {
                all.extend_from_slice(&chunk);
                Ok(all)
            })
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn chunk_borders_do_not_show_in_the_encoding() {
        let image: Vec<u8> = (0..=255).collect();
        for size in [0, 1, 2, 3, 255, 256] {
            for step in [1, 2, 3, 4, 5, 7, 100, 300] {
                let whole = &image[..size];
                let chunks = whole.chunks(step).map(<[u8]>::to_vec).collect();
                let expected = format!("{}\"}}", general_purpose::STANDARD.encode(whole));
                assert_eq!(
                    encoded(chunks).await,
                    expected.into_bytes(),
                    "{size} in steps of {step}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_source_that_breaks_off_ends_the_body_with_an_error() {
        let source = stream::iter([Ok(Bytes::from_static(b"abc")), Err("broke".into())]).boxed();
        let fate = Fate::default();
        let encode = Encode { source, fate: fate.clone(), rest: Vec::new(), is_done: false };
        assert!(encode.try_collect::<Vec<_>>().await.is_err());
        assert!(fate.is_broken());
    }
}
