//! Reading stored messages: several at once from any replica, or one from the leader.

use async_nats::jetstream::{self, ErrorCode, message::StreamMessage, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::{
    Connection, Error,
    bus::{Page, Several, Which},
    connection::REQUEST_TIMEOUT,
    nats::Nats,
};

impl Connection {
    /// The last message of each subject of a family, in the order of their sequence.
    pub(crate) async fn last_of_each(&self, stream: &str, family: &str) -> Result<Page, Error> {
        self.bus.direct_get(stream, Several::LastOfEach(family)).await
    }

    /// Messages of a family from a sequence on, at most a hundred.
    pub(crate) async fn page_from(
        &self,
        stream: &str,
        family: &str,
        sequence: u64,
    ) -> Result<Page, Error> {
        let which = Several::From { subject: family, sequence: sequence.max(1), batch: 100 };
        self.bus.direct_get(stream, which).await
    }

    /// How many messages there are on subjects like this, by any replica.
    pub(crate) async fn count(&self, stream: &str, filter: &str) -> Result<u64, Error> {
        let which = Several::From { subject: filter, sequence: 1, batch: 1 };
        let page = self.bus.direct_get(stream, which).await?;
        Ok(page.messages.len() as u64 + page.pending)
    }

    /// One message from the leader, who is never behind.
    pub(crate) async fn leader_get(
        &self,
        stream: &str,
        which: Which<'_>,
    ) -> Result<Option<StreamMessage>, Error> {
        self.bus.leader_get(stream, which).await
    }
}

impl Which<'_> {
    fn request(self) -> Value {
        match self {
            Self::At(sequence) => json!({ "seq": sequence }),
            Self::LastOn(subject) => json!({ "last_by_subj": subject }),
            Self::NextOn(subject, from) => json!({ "seq": from, "next_by_subj": subject }),
        }
    }
}

impl Several<'_> {
    fn request(self) -> Value {
        match self {
            Self::LastOfEach(subject) => json!({ "multi_last": [subject] }),
            Self::From { subject, sequence, batch } => {
                json!({ "seq": sequence, "next_by_subj": subject, "batch": batch })
            }
        }
    }
}

impl Nats {
    pub(crate) async fn message(
        &self,
        stream: &str,
        which: Which<'_>,
    ) -> Result<Option<StreamMessage>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            message: jetstream::stream::RawMessage,
        }
        let subject = format!("STREAM.MSG.GET.{stream}");
        let answer: Response<Answer> =
            self.jetstream.request(subject, &which.request()).await.map_err(Error::unavailable)?;
        match answer {
            Response::Ok(answer) => {
                Ok(Some(answer.message.try_into().map_err(Error::unavailable)?))
            }
            Response::Err { error } if error.error_code() == ErrorCode::NO_MESSAGE_FOUND => {
                Ok(None)
            }
            Response::Err { error } if error.code() == 503 => Err(Error::unavailable(error)),
            Response::Err { error } => Err(Error::Refused(error.to_string())),
        }
    }

    /// By hand, as the client has no API for a Direct Get with several answers: messages until
    /// status 204.
    pub(crate) async fn messages(&self, stream: &str, which: Several<'_>) -> Result<Page, Error> {
        let subject = format!("$JS.API.DIRECT.GET.{stream}");
        let body = which.request().to_string().into();
        let mut answers = self.answers.ask(subject, body).await?;
        let mut page = Page::default();
        let until = Instant::now() + REQUEST_TIMEOUT;
        loop {
            let message = match timeout_at(until, answers.next()).await {
                Ok(Some(message)) => message,
                Ok(None) => return Err(Error::unavailable("the connection is closed")),
                Err(_) => return Err(Error::unavailable("no answer in time")),
            };
            let pending = message.headers.as_ref().and_then(|headers| {
                headers.get("Nats-Num-Pending").and_then(|value| value.as_str().parse().ok())
            });
            match message.status.map(|status| status.as_u16()) {
                None | Some(200) => {
                    if pending.is_none() {
                        return Err(Error::Refused(
                            "this NATS server is too old: 2.14 or later is needed".to_owned(),
                        ));
                    }
                    page.messages.push(message.try_into().map_err(Error::unavailable)?);
                }
                Some(204) => {
                    page.pending = pending.unwrap_or(0);
                    return Ok(page);
                }
                Some(404) => return Ok(page),
                Some(503) => return Err(Error::unavailable("the stream is not there")),
                Some(status) => {
                    return Err(Error::Refused(format!("Direct Get answered {status}")));
                }
            }
        }
    }
}
