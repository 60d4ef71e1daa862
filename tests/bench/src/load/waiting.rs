//! A closed loop: so many connections, each of which calls again as soon as it is answered.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::future::join_all;

use super::{Call, Connection, Latencies};

/// What came of a load.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// Calls that were answered with 2xx, and how long each took.
    pub(crate) answered: Latencies,
    /// Calls that were not.
    pub(crate) refused: usize,
    pub(crate) took: Duration,
}

impl Load {
    /// Answers of 2xx per second.
    pub(crate) fn per_second(&self) -> f64 {
        self.answered.len() as f64 / self.took.as_secs_f64()
    }
}

/// Calls over so many connections for so long, or until there are no more calls.
pub(crate) async fn by_waiting(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    next: impl Fn() -> Option<Call> + Clone + Send + 'static,
) -> Load {
    let opening = (0..connections).map(|_| Connection::open(address));
    let open: Vec<_> = join_all(opening).await.into_iter().collect::<Result<_, _>>().unwrap();
    let begun = Instant::now();
    let callers = open.into_iter().map(|connection| {
        tokio::spawn(call_again_and_again(connection, begun + time, next.clone()))
    });
    let mut load = Load { answered: Latencies::default(), refused: 0, took: Duration::ZERO };
    for caller in join_all(callers).await {
        let (answered, refused) = caller.unwrap();
        load.answered.append(answered);
        load.refused += refused;
    }
    load.took = begun.elapsed();
    assert_eq!(load.refused, 0, "of {} calls", load.answered.len() + load.refused);
    load
}

async fn call_again_and_again(
    mut connection: Connection,
    until: Instant,
    next: impl Fn() -> Option<Call>,
) -> (Latencies, usize) {
    let (mut answered, mut refused) = (Latencies::default(), 0);
    loop {
        let sent = Instant::now();
        if sent > until {
            break;
        }
        let Some(call) = next() else { break };
        match connection.send(call).await {
            Ok(status) if status.is_success() => answered.add(sent.elapsed()),
            Ok(_) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    (answered, refused)
}
