//! Who waits for an end, all served by one subscription: one for each would take 7 KiB of this
//! process for as long as somebody waits, and two messages to the server for each who comes and goes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use futures_util::StreamExt;
use proofline_events::{EventType, VerificationKey};
use tokio::sync::{OnceCell, watch};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    Connection, Error,
    bus::{Heard, Notice},
};

/// The ends that are told, from the first time that somebody waits for one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ends(Arc<OnceCell<Listening>>);

#[derive(Debug)]
struct Listening {
    waiting: Waiting,
    _handing_on: AbortOnDropHandle<()>,
}

/// How to reach all who wait for the end of a subject.
type BySubject = HashMap<String, watch::Sender<()>>;
type Waiting = Arc<Mutex<BySubject>>;

/// The end that one caller waits for.
pub(super) struct Awaited {
    subject: String,
    told: watch::Receiver<()>,
    waiting: Waiting,
}

impl Ends {
    /// Begins to wait: whatever is told from now on is heard.
    pub(super) async fn wait_for(
        &self,
        connection: &Connection,
        key: &VerificationKey,
    ) -> Result<Awaited, Error> {
        let listening = self.0.get_or_try_init(|| listen(connection)).await?;
        Ok(wait_for(&listening.waiting, EventType::ProcessFinished.subject(key)))
    }
}

fn wait_for(waiting: &Waiting, subject: String) -> Awaited {
    let told = locked(waiting).entry(subject.clone()).or_default().subscribe();
    Awaited { subject, told, waiting: Arc::clone(waiting) }
}

impl Awaited {
    /// Returns when it was told since this was last asked; `false` once nothing is heard any more.
    pub(super) async fn next(&mut self) -> bool {
        self.told.changed().await.is_ok()
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let mut waiting = locked(&self.waiting);
        // Nobody begins to wait meanwhile, and this one still counts.
        if waiting.get(&self.subject).is_some_and(|end| end.receiver_count() == 1) {
            waiting.remove(&self.subject);
        }
    }
}

async fn listen(connection: &Connection) -> Result<Listening, Error> {
    let every_end = EventType::ProcessFinished.subject_filter();
    let ends = connection.bus.subscribe(every_end).await?;
    let waiting = Waiting::default();
    let handing_on = tokio::spawn(hand_on(ends, Arc::clone(&waiting)));
    Ok(Listening { waiting, _handing_on: AbortOnDropHandle::new(handing_on) })
}

async fn hand_on(mut ends: Heard, waiting: Waiting) {
    while let Some(Notice { subject, .. }) = ends.next().await {
        if let Some(end) = locked(&waiting).get(subject.as_str()) {
            end.send_replace(());
        }
    }
    locked(&waiting).clear();
}

fn locked(waiting: &Mutex<BySubject>) -> MutexGuard<'_, BySubject> {
    waiting.lock().expect("no panic while held")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::{FutureExt, stream};
    use tokio::sync::mpsc;

    use super::*;

    fn listening() -> (mpsc::UnboundedSender<Notice>, Waiting, AbortOnDropHandle<()>) {
        let (tell, mut told) = mpsc::unbounded_channel();
        let waiting = Waiting::default();
        let heard: Heard = Box::pin(stream::poll_fn(move |cx| told.poll_recv(cx)));
        let handing_on = tokio::spawn(hand_on(heard, Arc::clone(&waiting)));
        (tell, waiting, AbortOnDropHandle::new(handing_on))
    }

    fn end_of(subject: &str) -> Notice {
        Notice { subject: subject.into(), payload: Bytes::new() }
    }

    #[tokio::test]
    async fn all_who_wait_for_an_end_are_told_and_nobody_else() {
        let (tell, waiting, _handing_on) = listening();
        let mut both = [wait_for(&waiting, "a".into()), wait_for(&waiting, "a".into())];
        let mut other = wait_for(&waiting, "b".into());

        tell.send(end_of("nobody's")).unwrap();
        tell.send(end_of("a")).unwrap();

        for awaited in &mut both {
            assert!(awaited.next().await);
        }
        assert_eq!(other.next().now_or_never(), None);
    }

    #[tokio::test]
    async fn what_is_told_before_it_is_asked_for_is_heard_once() {
        let (tell, waiting, _handing_on) = listening();
        let (mut first, mut second) =
            (wait_for(&waiting, "a".into()), wait_for(&waiting, "a".into()));
        tell.send(end_of("a")).unwrap();
        assert!(first.next().await);
        assert_eq!(second.next().now_or_never(), Some(true));
        assert_eq!(second.next().now_or_never(), None);
    }

    #[tokio::test]
    async fn who_no_longer_waits_leaves_nothing_behind() {
        let (tell, waiting, _handing_on) = listening();
        let (first, second) = (wait_for(&waiting, "a".into()), wait_for(&waiting, "a".into()));
        drop(first);
        assert_eq!(locked(&waiting).len(), 1);
        drop(second);
        assert_eq!(locked(&waiting).len(), 0);

        let mut last = wait_for(&waiting, "a".into());
        drop(tell);
        assert!(!last.next().await);
    }
}
