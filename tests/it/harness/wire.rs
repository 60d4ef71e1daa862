//! HTTP as bytes on a connection, for what no client would send.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{Instant, timeout},
};

use super::PATIENCE;

/// A connection on which a test writes what it likes.
pub(crate) struct Wire(TcpStream);

impl Wire {
    /// Connects to where this URL is.
    pub(crate) async fn to(url: &str) -> Self {
        Self::from([127, 0, 0, 1], url).await
    }

    /// The same from another of this machine's own addresses.
    pub(crate) async fn from(address: [u8; 4], url: &str) -> Self {
        let to = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        let connected = timeout(PATIENCE, socket.connect(to.parse().unwrap())).await;
        Self(connected.expect("a connection").unwrap())
    }

    /// Writes this. A server that has hung up meanwhile is no fault of the test.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let _ = self.0.write_all(bytes.as_ref()).await;
        self
    }

    /// Writes this again and again until the server hangs up, and answers what it has said.
    pub(crate) async fn drip(mut self, bytes: &[u8]) -> String {
        let begun = Instant::now();
        let mut said = Vec::new();
        let mut pause = tokio::time::interval(std::time::Duration::from_millis(50));
        loop {
            tokio::select! {
                read = self.0.read_buf(&mut said) => match read {
                    Ok(0) | Err(_) => return text(&said),
                    Ok(_) => {}
                },
                _ = pause.tick() => { let _ = self.0.write_all(bytes).await; }
            }
            assert!(begun.elapsed() < PATIENCE, "was not cut off");
        }
    }

    /// Everything the server says until it hangs up.
    pub(crate) async fn rest(&mut self) -> String {
        let mut said = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut said)).await;
        // A reset is an end too.
        let _ = read.unwrap_or_else(|_| panic!("did not hang up after {}", text(&said)));
        text(&said)
    }

    /// The first line of the next answer.
    pub(crate) async fn status_line(&mut self) -> String {
        let mut said = Vec::new();
        while !said.ends_with(b"\r\n") {
            let read = timeout(PATIENCE, self.0.read_u8()).await.expect("an answer");
            let Ok(byte) = read else { break };
            said.push(byte);
        }
        text(&said)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
