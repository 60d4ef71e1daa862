//! What Assure holds of a finished process, handed on as it comes.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use reqwest::{Method, Response, header};

use crate::{Client, Error, Lost, client::Call};

/// How long handing on the whole may take.
const TIMEOUT: Duration = Duration::from_secs(600);

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// An image, by Assure's name of its depiction.
    Image(&'static str),
    /// The video.
    Video,
    /// The provider's raw data and all media, as a zip.
    Download,
}

/// A stream of bytes, and what is known of it.
pub struct MediaStream {
    response: Response,
}

impl MediaStream {
    /// The media type that Assure gave, if it gave one worth the name.
    pub fn media_type(&self) -> Option<&str> {
        let value = self.response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
        (value != "application/octet-stream").then_some(value)
    }

    /// The bytes. An error means that they are not whole; it holds no address.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        self.response.bytes_stream().map_err(|error| Error::transport(Lost::of(&error)))
    }
}

impl Client {
    /// Opens an image, the video or the download of a process; `None` when there is none.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn open_media(
        &self,
        dossier_id: &str,
        process_id: &str,
        media: Media,
    ) -> Result<Option<MediaStream>, Error> {
        let (operation, last) = match media {
            Media::Image(_) => ("get_image", "images"),
            Media::Video => ("get_video", "video"),
            Media::Download => ("download", "download"),
        };
        let path = ["dossiers", dossier_id, "processes", process_id, last];
        let call = Call {
            operation,
            method: Method::GET,
            path: &path,
            accept: "*/*",
            is_repeatable: true,
        };
        let opened = self.call_for_stream(call, |request| {
            let request = request.timeout(TIMEOUT);
            match media {
                Media::Image(depiction) => request.query(&[("depiction", depiction)]),
                Media::Video | Media::Download => request,
            }
        });
        match opened.await {
            // Finished, but not ready yet.
            Ok(response) if response.status().as_u16() == 204 => Ok(None),
            Ok(response) => Ok(Some(MediaStream { response })),
            // 400: this process type has no such thing.
            Err(Error::Refused(refusal)) if matches!(refusal.status, 400 | 404 | 410) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
