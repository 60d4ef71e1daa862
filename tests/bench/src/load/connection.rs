//! One HTTP connection, one call at a time.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::{StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Call;

/// An open connection.
pub(crate) struct Connection(http1::SendRequest<Full<bytes::Bytes>>);

impl Connection {
    /// # Errors
    /// When nobody takes it.
    pub(crate) async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) =
            http1::handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        tokio::spawn(driver);
        Ok(Self(sender))
    }

    /// Whether it was not closed meanwhile, as a server does with what is idle for long.
    pub(crate) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// The status, once the whole answer is here.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) async fn send(&mut self, call: Call) -> hyper::Result<StatusCode> {
        self.0.ready().await?;
        let mut answer = self.0.send_request(call).await?;
        while let Some(frame) = answer.body_mut().frame().await {
            frame?;
        }
        Ok(answer.status())
    }
}
