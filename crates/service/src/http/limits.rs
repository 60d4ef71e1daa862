//! What a stranger can't get more of.

use std::time::Duration;

use proofline_settings::Reader;

/// The limits of one HTTP server. Who doesn't keep to them is cut off; against many at once
/// an ingress, or `PROOFLINE_MAX_CONNECTIONS_PER_PEER`, is needed besides.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a connection may be without a whole request head; also how long it may be idle.
    pub(super) header_timeout: Duration,
    /// In how long a least part of a body must come, see [`super::paced`].
    pub(super) body_timeout: Duration,
    /// So many connections at once; more wait to be taken.
    pub(super) max_connections: usize,
    /// So many connections of one address at once; more are closed.
    pub(super) max_connections_per_peer: Option<usize>,
    /// How long requests in flight may take once shutdown is asked. Less than the bound of the
    /// whole process: a stranger who sends half a request and then nothing must not turn a good
    /// stop into a failed one.
    pub(super) drain: Duration,
    /// How long before that everything is still taken: a connection that waits to be accepted, a
    /// request that is on its way on an idle one.
    pub(super) linger: Duration,
}

impl Limits {
    /// Those of a port that has no settings for them.
    pub(super) const USUAL: Self = Self {
        header_timeout: Duration::from_secs(30),
        body_timeout: Duration::from_secs(20),
        max_connections: 8192,
        max_connections_per_peer: None,
        drain: Duration::from_secs(7),
        linger: Duration::from_secs(1),
    };

    /// Of the port that stops last, when nobody has anything more to ask.
    pub(super) const ADMIN: Self = Self { linger: Duration::ZERO, ..Self::USUAL };

    /// Reads and documents them.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let header_timeout = r.duration(
            "PROOFLINE_HEADER_TIMEOUT",
            "30s",
            "How long a connection may be without a whole request head; also how long it may be \
             idle. An ingress must give up idle connections earlier.",
        );
        let body_timeout = r.duration(
            "PROOFLINE_BODY_TIMEOUT",
            "20s",
            "How long at most is waited for each 16 KiB of a request body, or for its end.",
        );
        let max_connections = r.integer(
            "PROOFLINE_MAX_CONNECTIONS",
            Self::USUAL.max_connections,
            "connections",
            1..=1_000_000,
            "So many connections at once; more wait to be taken.",
        );
        let max_connections_per_peer = r.optional_parsed(
            "PROOFLINE_MAX_CONNECTIONS_PER_PEER",
            "connections",
            "So many connections of one address at once, more are closed; unset: as many as there \
             are. For ports without an ingress before them, whose address all callers share.",
            |text| match text.parse() {
                Ok(0) | Err(_) => Err("must be a positive integer"),
                Ok(number) => Ok(number),
            },
        );
        Some(Self {
            header_timeout: header_timeout?,
            body_timeout: body_timeout?,
            max_connections: max_connections?,
            max_connections_per_peer: max_connections_per_peer?,
            ..Self::USUAL
        })
    }
}
