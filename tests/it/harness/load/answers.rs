//! Every answer that callers got, counted.

use std::{collections::BTreeMap, fmt};

use crate::harness::Answer;

/// What came of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said {
    /// An answer of this status, that does not say when to come again.
    Status(u16),
    /// An answer of this status with `Retry-After`.
    ComeAgain(u16),
    /// Nobody took the connection.
    NoConnection,
    /// The connection was lost before the answer was whole.
    BrokenOff,
    /// The caller has waited long enough.
    TimedOut,
}

/// How often what was said to whom: by step, such as `create`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers(BTreeMap<(&'static str, Said), u64>);

impl Said {
    pub(super) fn of(answer: &Result<Answer, reqwest::Error>) -> Self {
        match answer {
            Ok(answer) if answer.header("retry-after").is_some() => Self::ComeAgain(answer.status),
            Ok(answer) => Self::Status(answer.status),
            Err(error) if error.is_connect() => Self::NoConnection,
            Err(error) if error.is_timeout() => Self::TimedOut,
            Err(_) => Self::BrokenOff,
        }
    }

    /// Whether it is what was asked for, or a 503 that says when to come again.
    fn is_as_promised(self) -> bool {
        match self {
            Self::Status(status) => (200..400).contains(&status),
            Self::ComeAgain(status) => status == 503,
            Self::NoConnection | Self::BrokenOff | Self::TimedOut => false,
        }
    }

    fn is_an_answer(self) -> bool {
        matches!(self, Self::Status(_) | Self::ComeAgain(_))
    }
}

impl Answers {
    pub(super) fn add(&mut self, step: &'static str, said: Said) {
        *self.0.entry((step, said)).or_default() += 1;
    }

    /// How often this was said, whatever the step.
    pub(crate) fn count(&self, wanted: Said) -> u64 {
        self.sum(|said| said == wanted)
    }

    /// How often there was no answer, or only a part of one.
    pub(crate) fn missing(&self) -> u64 {
        self.sum(|said| !said.is_an_answer())
    }

    /// Every answer but success and a 503 with `Retry-After`, with its step and how often it was
    /// given. What repeats after a lost connection may bring, a 409 that says when to come again,
    /// is among them.
    pub(crate) fn others(&self) -> Vec<(&'static str, Said, u64)> {
        let all = self.0.iter().map(|((step, said), count)| (*step, *said, *count));
        all.filter(|(_, said, _)| said.is_an_answer() && !said.is_as_promised()).collect()
    }

    fn sum(&self, is_it: impl Fn(Said) -> bool) -> u64 {
        let all = self.0.iter().filter(|((_, said), _)| is_it(*said));
        all.map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::ComeAgain(status) => write!(f, "{status} with Retry-After"),
            Self::NoConnection => f.write_str("no connection"),
            Self::BrokenOff => f.write_str("broken off"),
            Self::TimedOut => f.write_str("timed out"),
        }
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((step, said), count) in &self.0 {
            writeln!(f, "  {:<34} {count:>8}", format!("{step}: {said}"))?;
        }
        Ok(())
    }
}
