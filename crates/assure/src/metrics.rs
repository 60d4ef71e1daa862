//! What is measured of an account. An account has no name in metrics but whether it is the common
//! one or one of a tenant's own; logs say whose.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter},
};

use crate::Error;

const SECONDS: [f64; 13] =
    [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0];

static INSTRUMENTS: LazyLock<Instruments> =
    LazyLock::new(|| Instruments::new(&global::meter("proofline")));

struct Instruments {
    calls: Histogram<f64>,
    in_flight: UpDownCounter<i64>,
    limit: Gauge<u64>,
    limited: Counter<u64>,
    alone_until: Gauge<f64>,
    circuit_open: UpDownCounter<i64>,
    renewals: Counter<u64>,
}

impl Instruments {
    fn new(meter: &Meter) -> Self {
        Self {
            calls: meter
                .f64_histogram("proofline.assure.call.duration")
                .with_unit("s")
                .with_description("Time of a call to Assure, by operation and class")
                .with_boundaries(SECONDS.to_vec())
                .build(),
            in_flight: meter
                .i64_up_down_counter("proofline.assure.calls.in_flight")
                .with_unit("{call}")
                .with_description("Calls to Assure that are being made, or wait for a place")
                .build(),
            limit: meter
                .u64_gauge("proofline.assure.calls.limit")
                .with_unit("{call}")
                .with_description("Calls to Assure that this process makes at once on an account")
                .build(),
            limited: meter
                .u64_counter("proofline.assure.limited")
                .with_unit("{answer}")
                .with_description("Answers 429 of Assure, by what was asked")
                .build(),
            alone_until: meter
                .f64_gauge("proofline.assure.alone_until.time")
                .with_unit("s")
                .with_description("Unix time until when Assure last asked to be left alone")
                .build(),
            circuit_open: meter
                .i64_up_down_counter("proofline.assure.circuit.open")
                .with_unit("{account}")
                .with_description("Accounts that are left alone as Assure does not answer")
                .build(),
            renewals: meter
                .u64_counter("proofline.assure.token.renewals")
                .with_unit("{renewal}")
                .with_description("Access tokens asked for, by what came of it")
                .build(),
        }
    }
}

/// Which account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// That of the settings.
    Common,
    /// A tenant's own.
    Own,
}

/// What of Assure was asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    Call,
    Token,
}

/// A call that is being made.
pub(crate) struct InFlight(Whose);

impl Drop for InFlight {
    fn drop(&mut self) {
        INSTRUMENTS.in_flight.add(-1, &[self.0.label()]);
    }
}

impl Whose {
    fn label(self) -> KeyValue {
        KeyValue::new(
            "account",
            match self {
                Self::Common => "common",
                Self::Own => "own",
            },
        )
    }

    /// So many calls may be made at once; nobody has asked for less yet.
    pub(crate) fn has_limit(self, limit: usize) {
        INSTRUMENTS.alone_until.record(0.0, &[self.label()]);
        self.limit_is(limit);
        for asked in ["call", "token"] {
            INSTRUMENTS.limited.add(0, &[self.label(), KeyValue::new("asked", asked)]);
        }
    }

    /// From now on so many calls may be made at once.
    pub(crate) fn limit_is(self, limit: usize) {
        INSTRUMENTS.limit.record(limit as u64, &[self.label()]);
    }

    /// So many accounts more are left alone, as no call is answered.
    pub(crate) fn circuits_are_open(self, more: i64) {
        INSTRUMENTS.circuit_open.add(more, &[self.label()]);
    }

    /// A call begins, and is over when what this answers is dropped.
    pub(crate) fn begins(self) -> InFlight {
        INSTRUMENTS.in_flight.add(1, &[self.label()]);
        InFlight(self)
    }

    /// A call is over.
    pub(crate) fn called(self, operation: &'static str, class: &'static str, took: Duration) {
        let labels =
            [self.label(), KeyValue::new("operation", operation), KeyValue::new("class", class)];
        INSTRUMENTS.calls.record(took.as_secs_f64(), &labels);
    }

    /// Assure answered 429.
    #[expect(clippy::disallowed_methods, reason = "told as a time of the wall clock")]
    pub(crate) fn is_limited(self, asked: Asked, retry_after: Duration) {
        let what = match asked {
            Asked::Call => "call",
            Asked::Token => "token",
        };
        INSTRUMENTS.limited.add(1, &[self.label(), KeyValue::new("asked", what)]);
        let until = SystemTime::now() + retry_after;
        let until = until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        INSTRUMENTS.alone_until.record(until.as_secs_f64(), &[self.label()]);
    }

    /// A token was asked for.
    pub(crate) fn renewed(self, error: Option<&Error>) {
        let outcome = error.map_or("ok", Error::class);
        INSTRUMENTS.renewals.add(1, &[self.label(), KeyValue::new("outcome", outcome)]);
    }
}
