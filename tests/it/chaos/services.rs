//! What happens to services.

use super::Strikes;
use crate::resilience::harness::{CableEnd, Link, Member, NODES, SIMULATOR};

#[derive(Debug, Clone, Copy)]
enum Way {
    Kill,
    Stop,
    Freeze,
    CutFromOne,
    CutFromAll,
}

use Way::{CutFromAll, CutFromOne, Freeze, Kill, Stop};

const WAYS: [Way; 10] =
    [Kill, Kill, Kill, Kill, Stop, Stop, Freeze, Freeze, CutFromOne, CutFromAll];

/// The services with this number suffer, one at a time.
pub(super) async fn suffer(mut strikes: Strikes<'_>, number: usize) {
    let members = strikes.fleet.members().iter();
    let victims: Vec<_> =
        members.filter(|m| m.number == number && m.program != SIMULATOR).collect();
    while strikes.go_on().await {
        let victim = *strikes.chance.pick(&victims);
        let name = format!("{} {number}", victim.program);
        if !victim.is_alive().await {
            strikes.diary.complain(format!("{name} has ended by itself"));
            return;
        }
        match *strikes.chance.pick(&WAYS) {
            Kill => {
                strikes.diary.strike("kill -9 of a service", &name);
                victim.kill().await;
                strikes.outage().await;
                victim.restart().await;
            }
            Stop => {
                strikes.diary.strike("SIGTERM of a service", &name);
                if let Err(how) = victim.try_stop().await {
                    strikes.diary.complain(format!("{name} {how}"));
                }
                strikes.outage().await;
                victim.restart().await;
            }
            Freeze => {
                strikes.diary.strike("SIGSTOP of a service", &name);
                victim.is_frozen(true).await;
                strikes.outage().await;
                victim.is_frozen(false).await;
            }
            CutFromOne => {
                let node = *strikes.chance.pick(&[0, 1, 2]);
                strikes.diary.strike("a service cut off from one server", &name);
                cut(&mut strikes, victim, &[node]).await;
            }
            CutFromAll => {
                strikes.diary.strike("a service cut off from NATS", &name);
                cut(&mut strikes, victim, &Vec::from_iter(0..NODES)).await;
            }
        }
        strikes.diary.note(&format!("{name} is well again"));
    }
}

async fn cut(strikes: &mut Strikes<'_>, victim: &Member, nodes: &[usize]) {
    let from = CableEnd::Member(victim.program, victim.number);
    let link = *strikes.chance.pick(&[Link::Silent, Link::Broken]);
    nodes.iter().for_each(|node| strikes.fleet.wiring.becomes(from, *node, link));
    strikes.outage().await;
    nodes.iter().for_each(|node| strikes.fleet.wiring.becomes(from, *node, Link::Whole));
}
