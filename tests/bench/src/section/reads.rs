//! P14: reading a verification, beside reading one message; and waiting for its end.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, stream};
use http_body_util::Full;
use hyper::header;
use tokio::time::Instant;

use super::TIME;
use crate::{
    anchor::STREAM,
    callbacks,
    harness::{ACME_KEY, Scene, Verification, eventually},
    load::{Call, Latencies, Pool, by_waiting},
    report::{Goal, Sheet, mib, ms},
    ticker::Ticker,
    usage::resident_bytes,
    venue::{INTAKE, RECEIVER, Sync, Venue},
    verifications,
    watch::Watch,
};

const CONNECTIONS: usize = 64;
/// Read in turns.
const READ: usize = 200;
/// Ends that somebody waits for, in each round.
const AWAITED: usize = 100;
/// Longer than it takes to read what is read one by one.
const PATIENCE: Duration = Duration::from_secs(60);
/// Callers that wait for ends that do not come.
const WAITING: usize = 10_000;

pub(super) async fn measure(rounds: usize, sheet: &mut Sheet) {
    let venue = Venue::open(Sync::Default, Scene::new()).await;
    let intake = venue.address(INTAKE);
    let all = verifications::finished_at_assure(&venue.stage, READ).await;
    let ended = ended(&venue).await;
    for _ in 0..rounds {
        reading(&venue, intake, &ended, sheet).await;
        let what = "reading a verification with a next action, which is opened for it";
        sheet.note(what, "/s", Goal::Open, per_second(intake, &all).await);
        waking(&venue, intake, sheet).await;
    }
    sheet.installation(venue.spent());
    drop(venue);
    for _ in 0..rounds {
        waiting(sheet).await;
    }
}

async fn reading(venue: &Venue, intake: SocketAddr, all: &[Verification], sheet: &mut Sheet) {
    let own = per_second(intake, all).await;
    let raw = direct_gets(venue).await;
    let goal = Goal::AtLeast(0.5);
    sheet.compare("reading a verification", "/s", goal, own, ("raw Direct Get", raw));
}

/// Verifications that have their end.
pub(super) async fn ended(venue: &Venue) -> Vec<Verification> {
    let all = verifications::finished_at_assure(&venue.stage, READ).await;
    let subject = "proofline.v1.process-finished.*.*";
    let mut watch = Watch::begin(&venue.jetstream, "VERIFICATIONS", subject).await;
    let pool = Pool::new(venue.address(RECEIVER));
    let answers = join_all(all.iter().map(|v| pool.send(callbacks::of(v)))).await;
    assert!(answers.iter().all(|status| status.is_success()), "{answers:?}");
    watch.reaches(READ).await;
    all
}

/// How often one of these can be read in a second.
pub(super) async fn per_second(intake: SocketAddr, all: &[Verification]) -> f64 {
    let calls: Vec<_> = all.iter().map(|v| look_at(&v.id, None)).collect();
    let turn = Arc::new(AtomicUsize::new(0));
    let next = move || {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        Some(calls[turn % calls.len()].clone())
    };
    by_waiting(intake, CONNECTIONS, TIME, next).await.per_second()
}

/// How long it takes to read each of these, one after the other.
pub(super) async fn one_by_one(intake: SocketAddr, ids: Vec<String>) -> Latencies {
    let count = ids.len();
    let ids = Arc::new(Mutex::new(ids));
    let next = move || ids.lock().unwrap().pop().map(|id| look_at(&id, None));
    let answered = by_waiting(intake, 1, PATIENCE, next).await.answered;
    assert_eq!(answered.len(), count, "all are read in {PATIENCE:?}");
    answered
}

/// Per second, of the last message of a subject, as many at once as there are connections.
async fn direct_gets(venue: &Venue) -> f64 {
    let subject = venue.raw().publish().await;
    let stream = venue.jetstream.get_stream(STREAM).await.unwrap();
    let begun = Instant::now();
    let got = stream::repeat(())
        .take_while(|()| async { begun.elapsed() < TIME })
        .map(|()| stream.direct_get_last_for_subject(subject.as_str()))
        .buffer_unordered(CONNECTIONS)
        .map(Result::unwrap)
        .count()
        .await;
    got as f64 / begun.elapsed().as_secs_f64()
}

/// How long after a consumer has an end its caller has the answer.
async fn waking(venue: &Venue, intake: SocketAddr, sheet: &mut Sheet) {
    let all = verifications::finished_at_assure(&venue.stage, AWAITED).await;
    let subject = "proofline.v1.process-finished.*.*";
    let mut watch = Watch::begin(&venue.jetstream, "VERIFICATIONS", subject).await;
    let waiters = Pool::new(intake);
    let waiting: Vec<_> = all
        .iter()
        .map(|v| {
            let (waiters, call) = (waiters.clone(), look_at(&v.id, Some(Duration::from_secs(20))));
            tokio::spawn(async move { (waiters.send(call).await, Instant::now()) })
        })
        .collect();
    let receiver = Pool::new(venue.address(RECEIVER));
    for verification in &all {
        assert!(receiver.send(callbacks::of(verification)).await.is_success());
    }
    watch.reaches(AWAITED).await;
    let mut latencies = Latencies::default();
    for (verification, waited) in all.iter().zip(join_all(waiting).await) {
        let (status, answered) = waited.unwrap();
        assert!(status.is_success(), "{status}");
        latencies.add(answered.saturating_duration_since(watch.came(&verification.id)));
    }
    let what = "end at a consumer to answer of a waiting caller";
    sheet.note(format!("{what}: p50"), "ms", Goal::AtMost(5.0), ms(latencies.median()));
    sheet.note(format!("{what}: p99"), "ms", Goal::AtMost(5.0), ms(latencies.p99()));
}

/// In an intake that has not had as many before, and kept some of the memory.
async fn waiting(sheet: &mut Sheet) {
    let scene = Scene::new().with(INTAKE, "PROOFLINE_MAX_CONNECTIONS", 2 * WAITING);
    let venue = Venue::open(Sync::Default, scene).await;
    let intake = venue.address(INTAKE);
    let all = verifications::finished_at_assure(&venue.stage, READ).await;
    // What reading takes is no part of what waiting does.
    per_second(intake, &all).await;
    let pid = venue.pid(INTAKE);
    let before = resident_bytes(pid);
    let waiters = Pool::holding(intake, WAITING);
    let mut arrivals = Ticker::new(2 * TIME / u32::try_from(WAITING).unwrap());
    let mut waiting = Vec::new();
    for index in 0..WAITING {
        arrivals.next().await;
        let call = look_at(&all[index % all.len()].id, Some(Duration::from_secs(60)));
        let waiters = waiters.clone();
        waiting.push(tokio::spawn(async move { waiters.send(call).await }));
    }
    eventually("all of them are connected", async || match waiters.opened() {
        WAITING => Ok(()),
        count => Err(count.to_string()),
    })
    .await;
    // Until intake has read what they ask.
    by_waiting(intake, 1, TIME, {
        let call = look_at(&all[0].id, None);
        move || Some(call.clone())
    })
    .await;
    let grown = mib(resident_bytes(pid).saturating_sub(before));
    let what = format!("{WAITING} waiting callers: memory of {INTAKE}");
    sheet.note(what, "MiB", Goal::AtMost(200.0), grown);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    sheet.installation(venue.spent());
}

/// `GET /v1/verifications/{id}`, which may wait so long for the end.
fn look_at(id: &str, wait: Option<Duration>) -> Call {
    let mut request = hyper::Request::get(format!("/v1/verifications/{id}"))
        .header(header::HOST, "intake")
        .header(header::AUTHORIZATION, format!("Bearer {ACME_KEY}"));
    if let Some(wait) = wait {
        request = request.header("prefer", format!("wait={}", wait.as_secs()));
    }
    request.body(Full::default()).unwrap()
}
