//! A cable that can be cut: a small TCP proxy.

use std::{
    io,
    net::{Ipv4Addr, TcpListener as StdListener},
    sync::Arc,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

const BUFFER_BYTES: usize = 64 * 1024;

/// What a cable does with what is put into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Whole,
    /// Nothing arrives, and nobody is told, until it is whole again: as when packets are dropped.
    Silent,
    /// All connections are lost, and new ones too.
    Broken,
}

/// Goes from a port of its own to whoever is there of those at its other end.
pub(crate) struct Cable {
    pub(crate) port: u16,
    link: watch::Sender<Link>,
}

impl Cable {
    /// Lays one to these ports on 127.0.0.1: each connection to the next of them, in turn.
    pub(crate) fn lay(targets: Vec<u16>) -> Self {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (link, seen) = watch::channel(Link::Whole);
        tokio::spawn(connect(TcpListener::from_std(listener).unwrap(), targets.into(), seen));
        Self { port, link }
    }

    /// Cuts it, or mends it.
    pub(crate) fn becomes(&self, link: Link) {
        self.link.send_replace(link);
    }
}

/// Takes connections until the cable is taken away.
async fn connect(listener: TcpListener, targets: Arc<[u16]>, mut link: watch::Receiver<Link>) {
    for turn in 0.. {
        let near = tokio::select! {
            Ok((near, _)) = listener.accept() => near,
            Err(_) = link.wait_for(|_| false) => return,
        };
        let (targets, link) = (targets.clone(), link.clone());
        tokio::spawn(async move {
            let mut broken = link.clone();
            tokio::select! {
                _ = carry(near, &targets, turn, link) => {}
                _ = broken.wait_for(|link| *link == Link::Broken) => {}
            }
        });
    }
}

async fn carry(
    near: TcpStream,
    targets: &[u16],
    turn: usize,
    link: watch::Receiver<Link>,
) -> io::Result<()> {
    not_silent(&link).await;
    let far = far_end(targets, turn).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::try_join!(pump(near_in, far_out, &link), pump(far_in, near_out, &link)).map(drop)
}

/// Whoever is there, beginning with the one whose turn it is.
async fn far_end(targets: &[u16], turn: usize) -> io::Result<TcpStream> {
    let mut seen = Err(io::ErrorKind::NotFound.into());
    for number in turn..turn + targets.len() {
        seen = TcpStream::connect((Ipv4Addr::LOCALHOST, targets[number % targets.len()])).await;
        if seen.is_ok() {
            break;
        }
    }
    seen
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    link: &watch::Receiver<Link>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer).await;
        // An end is no more heard of through a silent cable than anything else.
        not_silent(link).await;
        match read? {
            0 => return to.shutdown().await,
            read => to.write_all(&buffer[..read]).await?,
        }
    }
}

async fn not_silent(link: &watch::Receiver<Link>) {
    // A cable that was taken away says nothing.
    let _ = link.clone().wait_for(|link| *link != Link::Silent).await;
}
