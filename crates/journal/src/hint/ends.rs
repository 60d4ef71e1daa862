//! Who waits for an end, all served by one subscription to every end, from the first who waits on:
//! one for each would take 7 KiB of this process for as long as somebody waits, and two messages to
//! the server for each who comes and goes.

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
    /// Always there, until it is dropped.
    told: Option<watch::Receiver<()>>,
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
    Awaited { subject, told: Some(told), waiting: Arc::clone(waiting) }
}

impl Awaited {
    /// Returns when it was told since this was last asked.
    pub(super) async fn next(&mut self) {
        let told = self.told.as_mut().expect("it is taken when this is dropped");
        told.changed().await.expect("its sender is kept for as long as somebody waits");
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let mut waiting = locked(&self.waiting);
        // While nobody else begins or ends to wait: else two that leave at once leave it to each other.
        self.told = None;
        if waiting.get(&self.subject).is_some_and(|end| end.receiver_count() == 0) {
            waiting.remove(&self.subject);
        }
    }
}

async fn listen(connection: &Connection) -> Result<Listening, Error> {
    let ends = connection.bus.subscribe(EventType::ProcessFinished.any_subject()).await?;
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
}

fn locked(waiting: &Mutex<BySubject>) -> MutexGuard<'_, BySubject> {
    waiting.lock().expect("no panic while held")
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread, time::Duration};

    use bytes::Bytes;
    use futures_util::{FutureExt, stream};
    use tokio::{sync::mpsc, time::timeout};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

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

    fn two_for(waiting: &Waiting, subject: &str) -> (Awaited, Awaited) {
        (wait_for(waiting, subject.to_owned()), wait_for(waiting, subject.to_owned()))
    }

    #[tokio::test]
    async fn all_who_wait_for_an_end_are_told_once_and_nobody_else() {
        let (tell, waiting, _handing_on) = listening();
        let (mut first, mut second) = two_for(&waiting, "a");
        let mut other = wait_for(&waiting, "b".to_owned());

        tell.send(end_of("nobody's")).unwrap();
        tell.send(end_of("a")).unwrap();

        timeout(PATIENCE, first.next()).await.unwrap();
        // It was told before it was asked for.
        assert_eq!(second.next().now_or_never(), Some(()));
        for awaited in [&mut first, &mut second, &mut other] {
            assert_eq!(awaited.next().now_or_never(), None);
        }
    }

    #[test]
    fn who_no_longer_waits_leaves_nothing_behind() {
        let waiting = Waiting::default();
        let (first, second) = two_for(&waiting, "a");
        drop(first);
        assert_eq!(locked(&waiting).len(), 1);
        drop(second);
        assert!(locked(&waiting).is_empty());
    }

    #[test]
    fn nor_do_two_who_leave_at_once() {
        let waiting = Waiting::default();
        for _ in 0..1_000 {
            let (first, second) = two_for(&waiting, "a");
            let together = Barrier::new(2);
            let leave = |awaited: Awaited| {
                together.wait();
                drop(awaited);
            };
            thread::scope(|scope| {
                scope.spawn(|| leave(first));
                leave(second);
            });
            assert!(locked(&waiting).is_empty());
        }
    }
}
