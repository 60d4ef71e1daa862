//! P11: from the start of a process to its first durable answer; how large the program is.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Instant};

use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

use crate::{
    anchor::Anchor,
    callbacks::Callbacks,
    harness::{SERVICES, TOKEN_KEYS, program},
    load::Connection,
    report::{Goal, Sheet, mib, ms},
    venue::{RECEIVER, Sync, Venue},
};

pub(super) async fn measure(rounds: usize, sheet: &mut Sheet) {
    let venue = Venue::of_the_receiver(Sync::Default).await;
    for _ in 0..rounds {
        let listen = free().await;
        let naive = Anchor::Naive { listen, nats: venue.nats().to_owned() };
        let naive = until_durable(naive.command(), listen).await;
        let own = of_the_receiver(&venue).await;
        let what = "start to first durable answer";
        sheet.compare(what, "ms", Goal::AtMost(2.0), own, ("naive", naive));
    }
    for service in SERVICES {
        let size = stripped(service).await;
        sheet.note(format!("{service}: stripped program"), "MiB", Goal::AtMost(10.0), size);
    }
    sheet.installation(venue.spent());
}

/// Milliseconds from the start of another callback-receiver to its first 2xx.
pub(super) async fn of_the_receiver(venue: &Venue) -> f64 {
    let listen = free().await;
    until_durable(receiver(venue, listen), listen).await
}

fn receiver(venue: &Venue, listen: SocketAddr) -> Command {
    let mut command = program(RECEIVER);
    command.env("PROOFLINE_NATS_URL", venue.nats()).env("PROOFLINE_LISTEN", listen.to_string());
    command.env("PROOFLINE_ADMIN_LISTEN", "127.0.0.1:0").env("PROOFLINE_TOKEN_KEYS", TOKEN_KEYS);
    command
}

/// Milliseconds from the start of a program to its first 2xx.
async fn until_durable(mut command: Command, listen: SocketAddr) -> f64 {
    let callbacks = Callbacks::mint(10_000);
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let started = Instant::now();
    let _child: Child = command.spawn().unwrap();
    loop {
        // Refused at once while nobody listens, so this is no faster than the machine.
        let Ok(mut connection) = Connection::open(listen).await else { continue };
        let call = callbacks.next().expect("a start within ten thousand calls");
        if connection.send(call).await.is_ok_and(|status| status.is_success()) {
            return ms(started.elapsed());
        }
    }
}

/// A port that nobody listens on.
async fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Size in MiB of a program without its symbols.
async fn stripped(name: &str) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(name);
    let original = program(name).as_std().get_program().to_owned();
    let status = Command::new("strip").arg("-o").arg(&copy).arg(Path::new(&original)).status();
    assert!(status.await.unwrap().success());
    mib(copy.metadata().unwrap().len())
}
