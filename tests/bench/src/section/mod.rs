//! The groups of figures, each measured by itself. One file for each.

mod callbacks;
mod cost;
mod lone;

use std::{fmt, time::Duration};

use clap::ValueEnum;

use crate::{report::Sheet, venue::Sync};

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
}

impl Section {
    pub(crate) const ALL: [Self; 5] = [Self::P1, Self::P2, Self::P3, Self::P4, Self::P5];

    /// Measures it so many times.
    pub(crate) async fn measure(self, rounds: usize) -> Sheet {
        let mut sheet = Sheet::new(self);
        match self {
            Self::P1 => callbacks::measure(Sync::Always, &[256], rounds, &mut sheet).await,
            Self::P2 => callbacks::measure(Sync::Always, &[64], rounds, &mut sheet).await,
            Self::P3 => callbacks::measure(Sync::Default, &[64, 256], rounds, &mut sheet).await,
            Self::P4 => cost::measure(rounds, &mut sheet).await,
            Self::P5 => lone::measure(rounds, &mut sheet).await,
        }
        sheet
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
