//! The groups of figures, each measured by itself. One file for each.

mod callbacks;
mod calm;
mod cost;
mod end_to_end;
mod ends;
mod lone;
mod memory;
mod outage;
mod production;
mod reads;
mod round;
mod start;
mod stored;
mod sustained;
mod uploads;

use std::{fmt, time::Duration};

use clap::ValueEnum;
use tokio::time::Instant;

use crate::{
    report::{Goal, Sheet},
    usage::Usage,
    venue::Sync,
};

/// How long one load lasts, unless it says otherwise: long enough for some ten thousand calls.
const TIME: Duration = Duration::from_secs(2);

/// A group of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum Section {
    /// Durable callbacks over 256 connections, on a broker that syncs always.
    P1,
    /// The same over 64.
    P2,
    /// Durable callbacks on a broker that syncs now and then.
    P3,
    /// What a callback costs callback-receiver.
    P4,
    /// One connection.
    P5,
    /// From callback to end, at a steady rate.
    P6,
    /// How many verifications a second.
    P7,
    /// What one costs at saturation.
    P8,
    /// What one costs when there are few, and a service when there are none.
    P9,
    /// Memory.
    P10,
    /// Start, and size of programs.
    P11,
    /// Uploads.
    P12,
    /// Assure away, then back.
    P13,
    /// Reading, and waiting.
    P14,
    /// A log that has grown.
    P15,
    /// TLS, users, and three servers.
    Production,
}

impl Section {
    pub(crate) const ALL: [Self; 16] = [
        Self::P1,
        Self::P2,
        Self::P3,
        Self::P4,
        Self::P5,
        Self::P6,
        Self::P7,
        Self::P8,
        Self::P9,
        Self::P10,
        Self::P11,
        Self::P12,
        Self::P13,
        Self::P14,
        Self::P15,
        Self::Production,
    ];

    /// Measures it so many times.
    pub(crate) async fn measure(self, rounds: usize) -> Sheet {
        let (mut sheet, begun) = (Sheet::new(self), Instant::now());
        let load = Usage::begin(std::process::id());
        match self {
            Self::P1 => callbacks::measure(Sync::Always, &[256], rounds, &mut sheet).await,
            Self::P2 => callbacks::measure(Sync::Always, &[64], rounds, &mut sheet).await,
            Self::P3 => callbacks::measure(Sync::Default, &[64, 256], rounds, &mut sheet).await,
            Self::P4 => cost::measure(rounds, &mut sheet).await,
            Self::P5 => lone::measure(rounds, &mut sheet).await,
            Self::P6 => end_to_end::measure(rounds, &mut sheet).await,
            Self::P7 => sustained::rate(rounds, &mut sheet).await,
            Self::P8 => sustained::cost(rounds, &mut sheet).await,
            Self::P9 => calm::measure(rounds, &mut sheet).await,
            Self::P10 => memory::measure(rounds, &mut sheet).await,
            Self::P11 => start::measure(rounds, &mut sheet).await,
            Self::P12 => uploads::measure(rounds, &mut sheet).await,
            Self::P13 => outage::measure(rounds, &mut sheet).await,
            Self::P14 => reads::measure(rounds, &mut sheet).await,
            Self::P15 => Box::pin(stored::measure(rounds, &mut sheet)).await,
            Self::Production => production::measure(rounds, &mut sheet).await,
        }
        sheet.took = begun.elapsed();
        let what = "CPU of the load, of raw clients and of making verifications";
        sheet.note(what, "s", Goal::Open, load.cpu().as_secs_f64());
        sheet
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value().expect("every section can be asked for");
        f.write_str(value.get_name())
    }
}
