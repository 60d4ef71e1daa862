//! What a handler leaves unread of a request body is read on and thrown away, so that a sender who
//! is still sending gets to read the answer. Without this, the connection is closed under its hands,
//! and it sees a reset where we said 413 or 401.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::{Stream, StreamExt};

/// How much is read on; who sends more may see a reset.
const LIMIT: usize = 32 * 1024 * 1024;
/// For how long.
const TIME: Duration = Duration::from_secs(5);

/// A request body, of which the rest is read on when it is dropped.
pub(super) struct Watched {
    rest: BodyDataStream,
    is_over: bool,
}

impl Watched {
    /// A body whose sender sends on, or only when told to.
    pub(super) fn new(rest: BodyDataStream, sends_on: bool) -> Self {
        Self { rest, is_over: !sends_on }
    }
}

impl Stream for Watched {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = self.rest.poll_next_unpin(cx);
        self.is_over |= matches!(item, Poll::Ready(None | Some(Err(_))));
        item
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut rest = mem::replace(&mut self.rest, Body::empty().into_data_stream());
        tokio::spawn(tokio::time::timeout(TIME, async move {
            let mut read = 0;
            while let Some(Ok(chunk)) = rest.next().await {
                read += chunk.len();
                if read > LIMIT {
                    break;
                }
            }
        }));
    }
}
