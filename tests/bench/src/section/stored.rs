//! P15: what a million finished verifications in the log cost those that come after.

use std::time::Duration;

use async_nats::{
    HeaderMap,
    jetstream::{
        self, AckKind,
        consumer::{Consumer, pull},
    },
};
use futures_util::{StreamExt, stream};
use proofline_events::{
    Envelope, Event, Service, VerificationId, VerificationKey, timestamp,
    v1::{DossierCreated, Flow, Outcome, ProcessCreated, ProcessFinished, VerificationRequested},
};
use time::OffsetDateTime;
use tokio::{process::Command, time::Instant};

use super::{callbacks, ends, reads, round, start};
use crate::{
    callbacks::Callbacks,
    harness::{SERVICES, Scene, Verification, type_with},
    report::{Goal, Sheet, mib, ms},
    ticker::Ticker,
    usage::{Usage, resident_bytes},
    venue::{BROKER, INTAKE, RECEIVER, Sync, VERIFIER, Venue},
};

/// Finished verifications.
const STORED: usize = 1_000_000;
/// Publishes in flight.
const AT_ONCE: usize = 1_000;
/// Messages that are taken from a consumer at a time.
const TAKEN: usize = 5_000;
const CONNECTIONS: usize = 64;
const AT_ONCE_MEANS: Duration = Duration::from_millis(50);
/// For so long every read was answered at once.
const CALM: Duration = Duration::from_secs(5);
const PER_SECOND: f64 = 100.0;
const ENDS: usize = 300;
/// Verifications that a round of reconciliation finds to have ended.
const OVERDUE: usize = 500;
/// Of the stored ones, far apart.
const READ: usize = 200;
/// The broker is at rest when it uses less than a tenth of a core, so many times in a row: for longer
/// than the half minute in which each service asks its consumers once, which then look through the log.
const A_WHILE: Duration = Duration::from_secs(1);
const CALM_WHILES: usize = 35;
/// Longer than it may take until then.
const UNREST: Duration = Duration::from_secs(300);

/// The log of one of two installations grows once; then both are measured, so many times in turns.
pub(super) async fn measure(rounds: usize, sheet: &mut Sheet) {
    let (large, small) = (installation().await, installation().await);
    let to_read = reads::ended(&large).await;
    let empty = resident_bytes(large.pid(BROKER));

    let begun = Instant::now();
    let longest = fill(&large).await;
    let filled = begun.elapsed();
    let full = resident_bytes(large.pid(BROKER));
    let begun = Instant::now();
    broker_is_at_rest(&large).await;
    let rested = begun.elapsed();

    Box::pin(compare(&large, &small, &to_read, rounds, sheet)).await;
    for _ in 0..rounds {
        let tenants = large.stage.folder().join("tenants.toml").display().to_string();
        let settings =
            [("PROOFLINE_NATS_URL", large.nats().to_owned()), ("PROOFLINE_TENANTS_FILE", tenants)];
        let begun = Instant::now();
        type_with(&settings, &["provision"]).await.worked();
        let what = format!("{STORED} stored: proofline provision");
        sheet.note(what, "ms", Goal::AtMost(1000.0), ms(begun.elapsed()));
        let what = format!("{STORED} stored: start of callback-receiver to first durable answer");
        sheet.note(what, "ms", Goal::AtMost(1000.0), start::of_the_receiver(&large).await);
        let took = round::with_overdue(&large, OVERDUE).await;
        let what = format!("{STORED} stored: a round of reconciliation that finds {OVERDUE} ends");
        sheet.note(what, "ms", Goal::AtMost(1000.0), ms(took));
    }
    let old = (0..READ).map(|number| id_of(number * (STORED / READ)).to_string()).collect();
    let read = reads::one_by_one(large.address(INTAKE), old).await;
    let new = reads::ended(&small).await.into_iter().map(|verification| verification.id).collect();
    let usual = reads::one_by_one(small.address(INTAKE), new).await;
    let what = format!("{STORED} stored: reading some of them, far apart, one by one: p50");
    let usual = ("a new one", ms(usual.median()));
    sheet.compare(what, "ms", Goal::AtMost(1.1), ms(read.median()), usual);
    let each = full.saturating_sub(empty) as f64 / STORED as f64;
    sheet.note("memory of the broker for each verification", "B", Goal::Open, each);
    sheet.note("memory of the broker with all", "MiB", Goal::Open, mib(full));
    let what = format!("longest read once the services, away while {STORED} ended, are back");
    sheet.note(what, "ms", Goal::Open, ms(longest));
    sheet.installation(large.spent());
    sheet.installation(small.spent());
    sheet.note("(time to fill the log)", "s", Goal::Open, filled.as_secs_f64());
    sheet.note("(time until the broker was at rest)", "s", Goal::Open, rested.as_secs_f64());
}

async fn installation() -> Venue {
    let scene = Scene::new().with(VERIFIER, "PROOFLINE_RECONCILE_INTERVAL", round::INTERVAL);
    let venue = Venue::open(Sync::Default, scene).await;
    ends::at(&venue, ENDS, PER_SECOND, &[]).await;
    venue
}

/// `old` ended before the log grew.
async fn compare(
    large: &Venue,
    small: &Venue,
    old: &[Verification],
    rounds: usize,
    sheet: &mut Sheet,
) {
    let beside = "without them";
    let (new, others) = (reads::ended(large).await, reads::ended(small).await);
    let p50 = async |venue| {
        let ends = ends::at(venue, ENDS, PER_SECOND, &[]).await;
        venue.settles().await;
        ms(ends.latencies.median())
    };
    for round in 0..rounds {
        let (own, other) = in_turns(round, Box::pin(p50(large)), Box::pin(p50(small))).await;
        let what = format!("{STORED} stored: callback to ProcessFinished, {PER_SECOND}/s, p50");
        sheet.compare(what, "ms", Goal::AtMost(1.1), own, (beside, other));

        for (when, ended) in [("after", &*new), ("before", old)] {
            let own = reads::per_second(large.address(INTAKE), ended);
            let other = reads::per_second(small.address(INTAKE), &others);
            let (own, other) = in_turns(round, own, other).await;
            let what = format!("{STORED} stored: reading verifications that ended {when} them");
            sheet.compare(what, "/s", Goal::AtLeast(0.9), own, (beside, other));
        }
    }
    // After the reads: these are signals of verifications that there are not, which others must pass over.
    let rate = async |venue: &Venue| {
        let callbacks = Callbacks::mint(20_000);
        let sent = callbacks::send(venue.address(RECEIVER), CONNECTIONS, callbacks).await;
        venue.settles().await;
        sent.per_second()
    };
    for round in 0..rounds {
        let (own, other) = in_turns(round, rate(large), rate(small)).await;
        let what = format!("{STORED} stored: durable callbacks");
        sheet.compare(what, "/s", Goal::AtLeast(0.9), own, (beside, other));
    }
}

/// The figures of both, one after the other; in every other round the other way round.
async fn in_turns(
    round: usize,
    own: impl Future<Output = f64>,
    other: impl Future<Output = f64>,
) -> (f64, f64) {
    if round.is_multiple_of(2) {
        let own = own.await;
        (own, other.await)
    } else {
        let other = other.await;
        (own.await, other)
    }
}

/// Appends them, as if everybody had long handled them: while the services stand still, everything is
/// acknowledged in their place. Returns the longest that a read took once they went on.
async fn fill(venue: &Venue) -> Duration {
    for service in SERVICES {
        venue.stage.process(service).signal("-STOP").await;
    }
    let jetstream = &venue.jetstream;
    stream::iter(0..STORED)
        .map(|number| append(jetstream, number))
        .buffer_unordered(AT_ONCE)
        .collect::<()>()
        .await;
    for consumer in venue.consumers().await {
        settle_all(consumer).await;
    }
    for service in SERVICES {
        venue.stage.process(service).signal("-CONT").await;
    }
    let longest = until_it_answers_at_once(venue).await;
    venue.settles().await;
    longest
}

/// Where a consumer was not asked for while millions of messages came that are not its own, the server
/// looks through all of them for the next that is, and nobody else is answered meanwhile. A service
/// that runs asks every half minute. Returns the longest that a read took until then.
async fn until_it_answers_at_once(venue: &Venue) -> Duration {
    let stream = venue.jetstream.get_stream("VERIFICATIONS").await.unwrap();
    let mut longest = Duration::ZERO;
    let (mut slow_at, mut pace) = (Instant::now(), Ticker::new(AT_ONCE_MEANS));
    while slow_at.elapsed() < CALM {
        let asked = pace.next().await.max(Instant::now());
        // Of a subject that there is not.
        let read = stream.direct_get_last_for_subject("proofline.v1.process-finished.acme.nobody");
        let _ = read.await;
        if asked.elapsed() > AT_ONCE_MEANS {
            slow_at = Instant::now();
        }
        longest = longest.max(asked.elapsed());
    }
    longest
}

/// What the filling left to do is no part of what the stored ones cost: pages to be written, garbage,
/// consumers that must pass over what came in their absence.
async fn broker_is_at_rest(venue: &Venue) {
    let synced = Command::new("sync").status().await;
    assert!(synced.is_ok_and(|status| status.success()), "sync");
    let (mut pace, mut calm, begun) = (Ticker::new(A_WHILE), 0, Instant::now());
    pace.next().await;
    while calm < CALM_WHILES {
        assert!(begun.elapsed() < UNREST, "the broker is never at rest");
        let used = Usage::begin(venue.pid(BROKER));
        pace.next().await;
        calm = if used.cpu() < A_WHILE / 10 { calm + 1 } else { 0 };
    }
}

async fn settle_all(mut consumer: Consumer<pull::Config>) {
    while consumer.info().await.unwrap().num_pending > 0 {
        let mut messages = consumer.fetch().max_messages(TAKEN).messages().await.unwrap();
        while let Some(message) = messages.next().await {
            message.unwrap().ack_with(AckKind::Ack).await.unwrap();
        }
    }
}

fn id_of(number: usize) -> VerificationId {
    VerificationId::parse(&format!("vrf_stored{number:020}")).unwrap()
}

/// One verification, with the least that its log may have.
async fn append(jetstream: &jetstream::Context, number: usize) {
    let id = id_of(number);
    let key = VerificationKey::parse("acme", id.as_str()).unwrap();
    let (tenant, verification_id) = ("acme".to_owned(), id.to_string());
    let (dossier_id, process_id) = (format!("d-{number:030}"), format!("p-{number:030}"));
    let [requested_at, finished_at] = [0, 60].map(|seconds| {
        OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000) + time::Duration::seconds(seconds)
    });
    let events: [Event; 4] = [
        VerificationRequested {
            tenant: tenant.clone(),
            verification_id: verification_id.clone(),
            flow: Flow::Eid.into(),
            provider: "nbid".to_owned(),
            requested_at: Some(timestamp(requested_at)),
            expires_at: Some(timestamp(requested_at + time::Duration::DAY)),
            ..Default::default()
        }
        .into(),
        DossierCreated {
            tenant: tenant.clone(),
            verification_id: verification_id.clone(),
            dossier_id: dossier_id.clone(),
            ..Default::default()
        }
        .into(),
        ProcessCreated {
            tenant: tenant.clone(),
            verification_id: verification_id.clone(),
            dossier_id: dossier_id.clone(),
            process_id: process_id.clone(),
            ..Default::default()
        }
        .into(),
        ProcessFinished {
            tenant,
            verification_id,
            flow: Flow::Eid.into(),
            outcome: Outcome::Accepted.into(),
            dossier_id,
            process_id,
            assure_status: "accepted".to_owned(),
            requested_at: Some(timestamp(requested_at)),
            finished_at: Some(timestamp(finished_at)),
            ..Default::default()
        }
        .into(),
    ];
    let mut acks = Vec::new();
    for event in events {
        let kind = event.event_type();
        let envelope = Envelope::new(kind, &key, Service::Intake, requested_at);
        let mut headers = HeaderMap::new();
        for (name, value) in envelope.headers(kind, &key) {
            headers.insert(name, value);
        }
        let subject = kind.subject(&key);
        acks.push(jetstream.publish_with_headers(subject, headers, event.encode().into()).await);
    }
    for ack in acks {
        ack.unwrap().await.unwrap();
    }
}
