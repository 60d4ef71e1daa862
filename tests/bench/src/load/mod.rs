//! The load: the same for a service and for its anchor, and cheap, as it shares their cores.

mod connection;
mod latencies;
mod pool;
mod steady;
mod waiting;

use bytes::Bytes;
use http_body_util::Full;

pub(crate) use connection::Connection;
pub(crate) use latencies::Latencies;
pub(crate) use pool::Pool;
pub(crate) use steady::at_rate;
pub(crate) use waiting::{Load, by_waiting};

/// A request that is ready to be sent, and sent again.
pub(crate) type Call = hyper::Request<Full<Bytes>>;
