//! What happens to the servers of NATS.

use super::Strikes;
use crate::resilience::harness::{CableEnd, Link, NODES, signal};

#[derive(Debug, Clone, Copy)]
enum Way {
    Kill,
    KillAll,
    Stop,
    Freeze,
    CutFromOne,
    CutFromAll,
}

use Way::{CutFromAll, CutFromOne, Freeze, Kill, KillAll, Stop};

const WAYS: [Way; 10] =
    [Kill, Kill, Kill, KillAll, Stop, Stop, Freeze, Freeze, CutFromOne, CutFromAll];

/// They suffer one at a time, but for a cut, and for when all are killed at once.
pub(super) async fn suffer(mut strikes: Strikes<'_>) {
    while strikes.go_on().await {
        let victim = *strikes.chance.pick(&[0, 1, 2]);
        let name = format!("broker-{victim}");
        let fleet = strikes.fleet;
        match *strikes.chance.pick(&WAYS) {
            Kill => {
                strikes.diary.strike("kill -9 of a NATS server", &name);
                fleet.broker.lock().await.the_cluster().kill(victim).await.unwrap();
                strikes.outage().await;
                returns(&strikes, victim).await;
            }
            KillAll => {
                for _ in 0..NODES {
                    strikes.diary.strike("kill -9 of a NATS server, with all others", "all");
                }
                let returned = fleet.broker.lock().await.the_cluster().restart_all().await;
                complain(&strikes, "all of NATS", returned);
            }
            Stop => {
                strikes.diary.strike("SIGTERM of a NATS server", &name);
                fleet.broker.lock().await.the_cluster().stop(victim).await.unwrap();
                strikes.outage().await;
                returns(&strikes, victim).await;
            }
            Freeze => {
                strikes.diary.strike("SIGSTOP of a NATS server", &name);
                let pid = fleet.broker.lock().await.the_cluster().member(victim).pid();
                signal(pid, "-STOP").await;
                strikes.outage().await;
                signal(pid, "-CONT").await;
            }
            CutFromOne => {
                strikes.diary.strike("two NATS servers cut off from each other", &name);
                cut(&mut strikes, victim, &[(victim + 1) % NODES]).await;
            }
            CutFromAll => {
                strikes.diary.strike("a NATS server cut off from the others", &name);
                cut(&mut strikes, victim, &[(victim + 1) % NODES, (victim + 2) % NODES]).await;
            }
        }
        strikes.diary.note(&format!("{name} is well again"));
    }
    let ready = strikes.fleet.broker.lock().await.the_cluster().wait_until_ready().await;
    complain(&strikes, "NATS, left alone,", ready);
}

async fn returns(strikes: &Strikes<'_>, victim: usize) {
    let returned = strikes.fleet.broker.lock().await.the_cluster().restart(victim).await;
    complain(strikes, &format!("broker-{victim}"), returned);
}

fn complain<E: std::fmt::Display>(strikes: &Strikes<'_>, who: &str, done: Result<(), E>) {
    if let Err(error) = done {
        strikes.diary.complain(format!("{who} did not come back: {error}"));
    }
}

async fn cut(strikes: &mut Strikes<'_>, victim: usize, from: &[usize]) {
    let wiring = &strikes.fleet.wiring;
    let link = *strikes.chance.pick(&[Link::Silent, Link::Broken]);
    from.iter().for_each(|other| wiring.becomes(CableEnd::Node(victim), *other, link));
    strikes.outage().await;
    from.iter().for_each(|other| wiring.becomes(CableEnd::Node(victim), *other, Link::Whole));
}
