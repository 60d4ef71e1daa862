//! What is measured of uploads.

use std::{sync::LazyLock, time::Duration};

use opentelemetry::{KeyValue, global, metrics::Histogram};
use proofline_events::{Word, v1::Depiction};
use proofline_verification::UploadResult;

const SECONDS: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0, 120.0];
const BYTES: [f64; 9] = [
    32_768.0,
    131_072.0,
    524_288.0,
    1_048_576.0,
    2_097_152.0,
    4_194_304.0,
    8_388_608.0,
    16_777_216.0,
    33_554_432.0,
];

static UPLOADS: LazyLock<Uploads> = LazyLock::new(|| {
    let meter = global::meter("proofline");
    Uploads {
        duration: meter
            .f64_histogram("proofline.upload.duration")
            .with_unit("s")
            .with_description("Time from the claim of a depiction until its image was through")
            .with_boundaries(SECONDS.to_vec())
            .build(),
        size: meter
            .u64_histogram("proofline.upload.size")
            .with_unit("By")
            .with_description("Bytes that came of an image")
            .with_boundaries(BYTES.to_vec())
            .build(),
    }
});

struct Uploads {
    duration: Histogram<f64>,
    size: Histogram<u64>,
}

/// An image got through, or did not.
pub(crate) fn uploaded(depiction: Depiction, result: &UploadResult, bytes: u64, took: Duration) {
    let outcome = match result {
        UploadResult::Received(_) => "received",
        UploadResult::NotReceived { .. } => "not_received",
        UploadResult::Unknown { .. } => "unknown",
    };
    let labels = [KeyValue::new("depiction", depiction.word()), KeyValue::new("outcome", outcome)];
    UPLOADS.duration.record(took.as_secs_f64(), &labels);
    UPLOADS.size.record(bytes, &labels);
}
