//! Choosing ports that stay ours while a server is down.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use anyhow::Context as _;

/// Below the ranges from which Linux (32768) and macOS (49152) take ports for outgoing connections and for
/// "any port". A server that is killed and started again needs the same port, and clients keep dialling it
/// meanwhile: a port out of those ranges would sooner or later be given to somebody else in between.
const RANGE: Range<u16> = 20_000..32_000;

const ATTEMPTS: u32 = 200;

/// `count` different ports that nobody listened on a moment ago.
///
/// Another process may still take one first; the server then fails to start, and its caller chooses again.
///
/// # Errors
///
/// When the operating system gives no randomness, or hardly any of the ports is free.
pub fn free(count: usize) -> anyhow::Result<Vec<u16>> {
    let mut held = Vec::with_capacity(count);
    for _ in 0..ATTEMPTS {
        if held.len() == count {
            break;
        }
        let random = getrandom::u32().context("no randomness")?;
        let offset = random % u32::from(RANGE.end - RANGE.start);
        let port = RANGE.start + u16::try_from(offset).expect("smaller than the range");
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push((port, listener));
        }
    }
    anyhow::ensure!(held.len() == count, "no free port in {RANGE:?} after {ATTEMPTS} attempts");
    Ok(held.into_iter().map(|(port, _listener)| port).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_chosen_together_differ() {
        let mut ports = free(8).unwrap();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 8);
        assert!(ports.iter().all(|port| RANGE.contains(port)));
    }
}
