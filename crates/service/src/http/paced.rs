//! A request body must come at some pace: whoever lets it drip would hold a connection, and what
//! its handler holds, for as long as they like. Only the time that we wait for the sender counts,
//! not what a handler takes to go on reading.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{BoxError, body::Bytes};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep_until};

/// So much must come in each stretch of waiting, or the end.
const LEAST_BYTES: usize = 16 * 1024;

/// The sender was too slow.
#[derive(Debug, Clone, Copy)]
struct TooSlow;

impl std::fmt::Display for TooSlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body came too slowly")
    }
}

impl std::error::Error for TooSlow {}

pub(super) struct Paced<S> {
    body: S,
    stretch: Duration,
    /// What is left of this stretch.
    left: Duration,
    /// What has come in it.
    bytes: usize,
    /// Since when we wait, if we do.
    waiting_since: Option<Instant>,
    /// Made when there is something to wait for: most bodies come with their head.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    /// A body that breaks off when it comes slower than this.
    pub(super) fn new(body: S, stretch: Duration) -> Self {
        Self { body, stretch, left: stretch, bytes: 0, waiting_since: None, alarm: None }
    }

    fn has_come(&mut self, bytes: usize) {
        if let Some(since) = self.waiting_since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        self.bytes += bytes;
        if self.bytes >= LEAST_BYTES {
            (self.bytes, self.left) = (0, self.stretch);
        }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let until = *self.waiting_since.get_or_insert(now) + self.left;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if alarm.deadline() != until {
            alarm.as_mut().reset(until);
        }
        alarm.as_mut().poll(cx)
    }
}

impl<S, E> Stream for Paced<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<BoxError>,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.body.poll_next_unpin(cx) {
            Poll::Ready(item) => {
                if let Some(Ok(chunk)) = &item {
                    self.has_come(chunk.len());
                }
                Poll::Ready(item.map(|chunk| chunk.map_err(Into::into)))
            }
            Poll::Pending => self.poll_alarm(cx).map(|()| Some(Err(TooSlow.into()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(10);

    async fn pass(time: Duration) {
        sleep_until(Instant::now() + time).await;
    }

    /// A sender that waits for so long and then sends so many bytes, again and again.
    fn sender(pause: Duration, bytes: usize, times: usize) -> Body {
        let chunks = stream::iter(0..times).then(move |_| async move {
            pass(pause).await;
            Ok::<_, BoxError>(Bytes::from(vec![0; bytes]))
        });
        Body::from_stream(Box::pin(chunks))
    }

    /// How much comes of a body whose reader takes so long over each part.
    async fn read(body: Body, stretch: Duration, takes: Duration) -> Result<usize, BoxError> {
        let mut paced = Paced::new(body.into_data_stream(), stretch);
        let mut read = 0;
        while let Some(chunk) = paced.next().await {
            read += chunk?.len();
            pass(takes).await;
        }
        Ok(read)
    }

    #[tokio::test]
    async fn who_keeps_the_least_pace_may_take_longer_than_one_stretch() {
        let body = sender(Duration::from_millis(400), LEAST_BYTES, 6);
        let read = read(body, Duration::from_secs(2), Duration::ZERO).await;
        assert_eq!(read.unwrap(), 6 * LEAST_BYTES);
    }

    #[tokio::test]
    async fn who_drips_or_stops_is_given_up() {
        let (stretch, begun) = (Duration::from_millis(200), Instant::now());
        for body in [sender(MOMENT, 1, usize::MAX), sender(Duration::from_secs(3600), 1, 1)] {
            let error = read(body, stretch, Duration::ZERO).await.unwrap_err();
            assert_eq!(error.to_string(), "the body came too slowly");
        }
        assert!(begun.elapsed() >= 2 * stretch);
    }

    #[tokio::test]
    async fn a_reader_that_takes_its_time_is_not_the_senders_fault() {
        let stretch = Duration::from_secs(1);
        let read = read(sender(MOMENT, 1024, 4), stretch, stretch / 2).await;
        assert_eq!(read.unwrap(), 4 * 1024);
    }
}
