//! Requests that have several answers, all heard by one subscription: one for each would cost the
//! server as much again as the request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use async_nats::{Client, Message, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::Error;

/// Where answers come, and who waits for them.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    client: Client,
    inbox: String,
    waiting: Arc<Mutex<Waiting>>,
    /// Hands on what comes, until the last of these is dropped.
    _handing_on: Arc<AbortOnDropHandle<()>>,
}

/// The answers to one request.
pub(crate) struct Awaited {
    answers: mpsc::UnboundedReceiver<Message>,
    number: u64,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Tells requests apart.
    number: u64,
    by_number: HashMap<u64, mpsc::UnboundedSender<Message>>,
}

impl Answers {
    pub(crate) async fn open(client: &Client) -> Result<Self, Error> {
        let inbox = client.new_inbox();
        let all = client.subscribe(format!("{inbox}.*")).await.map_err(Error::unavailable)?;
        let waiting = Arc::<Mutex<Waiting>>::default();
        let handing_on = tokio::spawn(hand_on(all, inbox.len() + 1, Arc::clone(&waiting)));
        Ok(Self {
            client: client.clone(),
            inbox,
            waiting,
            _handing_on: Arc::new(AbortOnDropHandle::new(handing_on)),
        })
    }

    /// Asks. Nobody waits any longer once the answers are dropped.
    pub(crate) async fn ask(&self, subject: String, body: Bytes) -> Result<Awaited, Error> {
        let (hear, answers) = mpsc::unbounded_channel();
        let number = {
            let mut waiting = locked(&self.waiting);
            waiting.number += 1;
            let number = waiting.number;
            waiting.by_number.insert(number, hear);
            number
        };
        let awaited = Awaited { answers, number, waiting: Arc::clone(&self.waiting) };
        let answer_to = format!("{}.{number}", self.inbox);
        let asked = self.client.publish_with_reply(subject, answer_to, body).await;
        asked.map_err(Error::unavailable)?;
        Ok(awaited)
    }
}

impl Awaited {
    /// The next answer. `None` once the connection is closed for good.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        self.answers.recv().await
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        locked(&self.waiting).by_number.remove(&self.number);
    }
}

async fn hand_on(mut all: Subscriber, prefix: usize, waiting: Arc<Mutex<Waiting>>) {
    while let Some(answer) = all.next().await {
        let number = answer.subject.get(prefix..).and_then(|number| number.parse().ok());
        let waiting = locked(&waiting);
        // What comes too late is nobody's.
        if let Some(hear) = number.and_then(|number: u64| waiting.by_number.get(&number)) {
            // Whoever waited may be gone this very moment.
            let _ = hear.send(answer);
        }
    }
    locked(&waiting).by_number.clear();
}

fn locked(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().expect("no panic while held")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proofline_broker::{Options, Server};
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Answers each request with three messages that say it again.
    async fn three_times(client: &Client) -> AbortOnDropHandle<()> {
        let (answering, mut asked) = (client.clone(), client.subscribe("ask").await.unwrap());
        AbortOnDropHandle::new(tokio::spawn(async move {
            while let Some(Message { reply: Some(reply), payload, .. }) = asked.next().await {
                for _ in 0..3 {
                    answering.publish(reply.clone(), payload.clone()).await.unwrap();
                }
            }
        }))
    }

    #[tokio::test]
    async fn each_request_has_its_own_answers_and_what_comes_too_late_is_nobodys() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { dir: dir.path().to_owned(), ..Options::default() };
        let server = Server::start(options).await.unwrap();
        let client = async_nats::connect(server.url()).await.unwrap();
        let _answering = three_times(&client).await;
        let answers = Answers::open(&client).await.unwrap();
        timeout(PATIENCE, each_has_its_own(&client, answers)).await.unwrap();
    }

    async fn each_has_its_own(client: &Client, answers: Answers) {
        let ask = async |what: &'static str| {
            answers.ask("ask".to_owned(), Bytes::from_static(what.as_bytes())).await.unwrap()
        };

        let impatient = ask("impatient").await;
        let (mut first, mut second) = (ask("first").await, ask("second").await);
        // Nothing was answered yet: what these wrote goes out when this test next waits.
        drop(impatient);

        for _ in 0..3 {
            assert_eq!(second.next().await.unwrap().payload, "second");
            assert_eq!(first.next().await.unwrap().payload, "first");
        }
        assert_eq!(locked(&answers.waiting).by_number.len(), 2);
        drop((first, second));
        assert!(locked(&answers.waiting).by_number.is_empty());

        let mut last = ask("last").await;
        assert_eq!(last.next().await.unwrap().payload, "last");
        client.drain().await.unwrap();
        while last.next().await.is_some() {}
    }
}
