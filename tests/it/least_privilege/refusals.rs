//! A client that hears what it is refused.

use async_nats::{Client, Event, ServerError};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

use crate::harness::{PATIENCE, Stage, servers};

/// A user of the bus, and what the server has refused to it.
pub(super) struct User {
    pub(super) name: &'static str,
    pub(super) client: Client,
    refusals: UnboundedReceiver<String>,
}

impl User {
    pub(super) async fn of(stage: &Stage, name: &'static str) -> Self {
        let (sender, refusals) = unbounded_channel();
        let login = stage.guard.as_ref().unwrap().login(name).event_callback(move |event| {
            if let Event::ServerError(ServerError::Other(text)) = event {
                let _ = sender.send(text);
            }
            std::future::ready(())
        });
        let url = stage.broker.lock().await.url();
        Self { name, client: login.connect(servers(&url)).await.unwrap(), refusals }
    }

    /// Publishes, and must not be let.
    pub(super) async fn may_not_publish(&mut self, subject: &str) {
        self.client.publish(subject.to_owned(), "".into()).await.unwrap();
        self.is_refused("Publish", subject).await;
    }

    /// Subscribes, and must not be let.
    pub(super) async fn may_not_subscribe(&mut self, subject: &str) {
        let _subscriber = self.client.subscribe(subject.to_owned()).await.unwrap();
        self.is_refused("Subscription", subject).await;
    }

    /// Waits until it is told that it may not do this.
    pub(super) async fn is_refused(&mut self, what: &str, subject: &str) {
        let refusal = timeout(PATIENCE, self.refusals.recv()).await;
        let refusal = refusal.unwrap_or_else(|_| panic!("{}: {what} {subject}", self.name));
        let expected = format!("Permissions Violation for {what} to \"{subject}\"");
        assert_eq!(refusal.unwrap().to_lowercase(), expected.to_lowercase(), "{}", self.name);
    }

    /// Everything that was refused and not looked at yet.
    pub(super) fn refused(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.refusals.try_recv().ok()).collect()
    }
}
