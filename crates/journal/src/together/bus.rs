//! All but publishing is as it is below.

use async_nats::{
    HeaderMap, header,
    jetstream::{context::PublishError, message::StreamMessage, publish::PublishAck},
};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};

use super::Together;
use crate::{
    Error,
    bus::{Bus, Heard, Left, Outgoing, Page, Pull, Several, Which},
};

impl Bus for Together {
    fn publish(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> BoxFuture<'_, Result<PublishAck, PublishError>> {
        if !may_go_together(&headers) {
            return self.bus.publish(subject, headers, payload);
        }
        self.publish_some_way(Outgoing { subject, headers, payload }).boxed()
    }

    fn publish_together(
        &self,
        messages: Vec<Outgoing>,
    ) -> BoxFuture<'_, Result<PublishAck, PublishError>> {
        self.bus.publish_together(messages)
    }

    fn leader_get<'a>(
        &'a self,
        stream: &'a str,
        which: Which<'a>,
    ) -> BoxFuture<'a, Result<Option<StreamMessage>, Error>> {
        self.bus.leader_get(stream, which)
    }

    fn direct_get<'a>(
        &'a self,
        stream: &'a str,
        which: Several<'a>,
    ) -> BoxFuture<'a, Result<Page, Error>> {
        self.bus.direct_get(stream, which)
    }

    fn delete<'a>(
        &'a self,
        stream: &'a str,
        sequence: u64,
        left: Left,
    ) -> BoxFuture<'a, Result<(), Error>> {
        self.bus.delete(stream, sequence, left)
    }

    fn consumer<'a>(
        &'a self,
        stream: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Pull>, Error>> {
        self.bus.consumer(stream, name)
    }

    fn subscribe(&self, subject: String) -> BoxFuture<'_, Result<Heard, Error>> {
        self.bus.subscribe(subject)
    }

    fn is_connected(&self) -> bool {
        self.bus.is_connected()
    }
}

/// What is refused for its guard, or may be stored twice, is nobody else's trouble.
fn may_go_together(headers: &HeaderMap) -> bool {
    headers.get(header::NATS_MESSAGE_ID).is_some()
        && headers.get(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE).is_none()
}
