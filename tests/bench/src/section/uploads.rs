//! P12: images on their way to Assure as data URLs, beside a proxy that passes bodies on, and beside
//! the program that one writes first.
//!
//! All end in the same sink, which reads to the end and is content: the simulator decodes and
//! hashes every image, which would hide the way there.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::Full;
use hyper::header;
use serde_json::json;

use crate::{
    anchor::{Anchor, Running},
    harness::{ACME_KEY, Scene, jpeg},
    load::{Call, Pool},
    report::{Goal, Sheet, mib, ms},
    usage::Usage,
    venue::{Sync, UPLOAD, Venue, anywhere},
};

const AT_ONCE: usize = 32;
/// As cameras of telephones make them.
const USUAL: usize = 5 << 20;

/// What came of all uploads together.
struct Uploads {
    took: Duration,
    cpu: Duration,
    peak_bytes: u64,
}

pub(super) async fn measure(rounds: usize, sheet: &mut Sheet) {
    let sink = Running::start(&Anchor::Sink { listen: anywhere() }).await;
    let sink_url = format!("http://{}", sink.address);
    let scene = Scene::new()
        .with(UPLOAD, "ASSURE_BASE_URL", &sink_url)
        .with(UPLOAD, "ASSURE_TOKEN_URL", format!("{sink_url}/token"))
        .with(UPLOAD, "PROOFLINE_MAX_IMAGE_BYTES", 10 * USUAL);
    let venue = Venue::open(Sync::Default, scene).await;
    let to = sink_url.clone();
    let proxy = Running::start(&Anchor::Proxy { listen: anywhere(), to }).await;
    let buffered = Running::start(&Anchor::Buffered { listen: anywhere(), to: sink_url }).await;
    let plain = ("plain proxy", &proxy, [Goal::AtLeast(0.9), Goal::AtMost(1.3)]);
    let whole = ("buffered base64", &buffered, [Goal::Open, Goal::Open]);
    // Buffered, the larger would take gigabytes.
    for (size, anchors) in [(USUAL, [plain, whole].as_slice()), (10 * USUAL, &[plain])] {
        let image = Bytes::from([jpeg(""), vec![b'x'; size]].concat()).slice(..size);
        let what = format!("{AT_ONCE} uploads of {} MiB at once", size >> 20);
        // Connections, tokens.
        upload(&venue, &image).await;
        for (_, anchor, _) in anchors {
            pass_on(anchor, &image).await;
        }
        for _ in 0..rounds {
            let own = upload(&venue, &image).await;
            let peak = mib(own.peak_bytes);
            sheet.note(format!("{what}: peak memory"), "MiB", Goal::AtMost(24.0), peak);
            for (name, anchor, goals) in anchors {
                let beside = pass_on(anchor, &image).await;
                let each = |uploads: &Uploads| {
                    let rate = mib((AT_ONCE * size) as u64) / uploads.took.as_secs_f64();
                    (rate, ms(uploads.cpu) / AT_ONCE as f64)
                };
                let ((own_rate, own_cpu), (rate, cpu)) = (each(&own), each(&beside));
                let [rate_goal, cpu_goal] = *goals;
                sheet.compare(&what, "MiB/s", rate_goal, own_rate, (name, rate));
                let costs = format!("{what}: CPU for each");
                sheet.compare(costs, "ms", cpu_goal, own_cpu, (name, cpu));
                let peak = mib(beside.peak_bytes);
                sheet.note(format!("{what}: peak memory of {name}"), "MiB", Goal::Open, peak);
            }
        }
    }
    let anchors = proxy.spent("plain proxy").into_iter().chain(buffered.spent("buffered base64"));
    let all = venue.spent().into_iter().chain(anchors).chain(sink.spent("sink"));
    sheet.installation(all);
}

async fn upload(venue: &Venue, image: &Bytes) -> Uploads {
    let given = venue.stage.acts().0;
    let creating = (0..AT_ONCE).map(|_| given.a_verification(json!({})));
    let verifications = join_all(creating).await;
    let paths = verifications.iter().map(|v| format!("/v1/verifications/{}/images/front", v.id));
    let calls = paths.map(|path| put(path, image)).collect();
    sent(venue.pid(UPLOAD), &Pool::new(venue.address(UPLOAD)), calls).await
}

async fn pass_on(proxy: &Running, image: &Bytes) -> Uploads {
    let calls = (0..AT_ONCE).map(|_| put("/".to_owned(), image)).collect();
    sent(proxy.pid(), &Pool::new(proxy.address), calls).await
}

async fn sent(pid: u32, pool: &Pool, calls: Vec<Call>) -> Uploads {
    let used = Usage::begin(pid);
    let begun = Instant::now();
    let statuses = join_all(calls.into_iter().map(|call| pool.send(call))).await;
    let took = begun.elapsed();
    assert!(statuses.iter().all(|status| status.is_success()), "{statuses:?}");
    Uploads { took, cpu: used.cpu(), peak_bytes: used.peak_bytes() }
}

fn put(path: String, image: &Bytes) -> Call {
    hyper::Request::put(path)
        .header(header::HOST, "upload")
        .header(header::AUTHORIZATION, format!("Bearer {ACME_KEY}"))
        .body(Full::new(image.clone()))
        .unwrap()
}
