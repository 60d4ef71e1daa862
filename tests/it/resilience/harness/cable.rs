//! A cable that can be cut: a small TCP proxy.

use std::{
    io,
    net::{Ipv4Addr, TcpListener as StdListener},
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

/// Goes from a port of its own to another one.
pub(crate) struct Cable {
    pub(crate) port: u16,
    link: watch::Sender<Link>,
}

impl Cable {
    /// Lays one to this port on 127.0.0.1.
    pub(crate) fn lay(target: u16) -> Self {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (link, seen) = watch::channel(Link::Whole);
        tokio::spawn(connect(TcpListener::from_std(listener).unwrap(), target, seen));
        Self { port, link }
    }

    /// Cuts it, or mends it.
    pub(crate) fn becomes(&self, link: Link) {
        self.link.send_replace(link);
    }
}

/// Takes connections until the cable is taken away.
async fn connect(listener: TcpListener, target: u16, mut link: watch::Receiver<Link>) {
    loop {
        let near = tokio::select! {
            Ok((near, _)) = listener.accept() => near,
            Err(_) = link.wait_for(|_| false) => return,
        };
        let link = link.clone();
        tokio::spawn(async move {
            let mut broken = link.clone();
            tokio::select! {
                _ = carry(near, target, link) => {}
                _ = broken.wait_for(|link| *link == Link::Broken) => {}
            }
        });
    }
}

async fn carry(near: TcpStream, target: u16, link: watch::Receiver<Link>) -> io::Result<()> {
    not_silent(&link).await;
    let far = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::try_join!(pump(near_in, far_out, &link), pump(far_in, near_out, &link)).map(drop)
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
