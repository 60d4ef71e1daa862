//! A wire between client and server on which answers can get lost.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// Forwards everything, until a chosen request: that one still arrives, but no answer to it or to
/// anything after it, until the wire is mended.
pub(crate) struct Proxy {
    port: u16,
    lose_after: Arc<watch::Sender<Option<&'static str>>>,
    is_losing: Arc<watch::Sender<bool>>,
}

impl Proxy {
    pub(crate) async fn to(server_port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            lose_after: Arc::new(watch::Sender::new(None)),
            is_losing: Arc::new(watch::Sender::new(false)),
        };
        let (lose_after, is_losing) = (proxy.lose_after.clone(), proxy.is_losing.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server_port)).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let (lose_after, losing) = (lose_after.clone(), is_losing.clone());
                tokio::spawn(carry_requests(from_client, to_server, lose_after, losing));
                tokio::spawn(carry_answers(from_server, to_client, is_losing.subscribe()));
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// From the first request on that contains `text`, answers get lost.
    pub(crate) fn lose_answers_from(&self, text: &'static str) {
        self.lose_after.send_replace(Some(text));
    }

    /// Ends it: connections that lost something are closed, new ones are whole.
    pub(crate) fn mend(&self) {
        self.lose_after.send_replace(None);
        assert!(self.is_losing.send_replace(false), "nothing was lost");
    }
}

async fn carry_requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    lose_after: Arc<watch::Sender<Option<&'static str>>>,
    is_losing: Arc<watch::Sender<bool>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let requests = &buffer[..length];
        let is_to_be_lost = lose_after
            .borrow()
            .is_some_and(|text| String::from_utf8_lossy(requests).contains(text));
        if is_to_be_lost {
            is_losing.send_replace(true);
        }
        if to.write_all(requests).await.is_err() {
            return;
        }
    }
}

async fn carry_answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut is_losing: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut has_lost = false;
    loop {
        let length = tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(length @ 1..) => length,
                Ok(0) | Err(_) => return,
            },
            changed = is_losing.changed() => match changed {
                // What was lost may have been half a message: this connection is of no use.
                Ok(()) if has_lost && !*is_losing.borrow() => return,
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        if *is_losing.borrow() {
            has_lost = true;
        } else if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
