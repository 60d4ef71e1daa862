//! Reading stored messages: several at once from any replica, or one from the leader.

use async_nats::{
    Message,
    jetstream::{self, ErrorCode, message::StreamMessage, response::Response},
};
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
    /// status 204. Each says which came before it, so that none can be missing.
    pub(crate) async fn messages(&self, stream: &str, which: Several<'_>) -> Result<Page, Error> {
        let until = Instant::now() + REQUEST_TIMEOUT;
        let subject = format!("$JS.API.DIRECT.GET.{stream}");
        let body = which.request().to_string().into();
        let asked = timeout_at(until, self.answers.ask(subject, body)).await;
        let mut answers = asked.map_err(|_| Error::unavailable("not connected"))??;
        let mut page = Page::default();
        loop {
            let message = match timeout_at(until, answers.next()).await {
                Ok(Some(message)) => message,
                Ok(None) => return Err(Error::unavailable("the connection is closed")),
                Err(_) => return Err(Error::unavailable("no answer in time")),
            };
            let pending = number(&message, "Nats-Num-Pending");
            let last = page.messages.last().map_or(0, |last| last.sequence);
            let is_next =
                number(&message, "Nats-Last-Sequence").is_none_or(|before| before == last);
            match message.status.map(|status| status.as_u16()) {
                None | Some(200 | 204) if !is_next => {
                    return Err(Error::unavailable("a part of the answer is missing"));
                }
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
                // After some messages: one that the server found, and then could not read.
                Some(404) if page.messages.is_empty() => return Ok(page),
                Some(404) => return Err(Error::unavailable("a message can't be read")),
                Some(503) => return Err(Error::unavailable("the stream is not there")),
                Some(status) => {
                    return Err(Error::Refused(format!("Direct Get answered {status}")));
                }
            }
        }
    }
}

fn number(message: &Message, header: &str) -> Option<u64> {
    message.headers.as_ref()?.get(header)?.as_str().parse().ok()
}
