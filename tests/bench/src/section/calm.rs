//! P9: what a verification costs when there are few, and a service when there are none.

use std::time::Duration;

use super::ends;
use crate::{
    harness::{SERVICES, Scene},
    report::{Goal, Sheet, us_each},
    ticker::Ticker,
    usage::Usage,
    venue::{BROKER, NORMALISER, RECEIVER, Sync, VERIFIER, Venue},
};

const PER_SECOND: f64 = 100.0;
/// Three seconds' worth.
const COUNT: usize = 300;
const WHO: [&str; 4] = [RECEIVER, NORMALISER, VERIFIER, BROKER];
/// Linux counts in hundredths of a second: 0.1 % of a core are one of them.
const IDLE: Duration = Duration::from_secs(12);

pub(super) async fn measure(rounds: usize, sheet: &mut Sheet) {
    let venue = Venue::open(Sync::Default, Scene::new()).await;
    for _ in 0..rounds {
        let ends = ends::at(&venue, COUNT, PER_SECOND, &WHO).await;
        let what = "a verification at 100/s: CPU of all services and the broker";
        let total = us_each(ends.cpu.iter().sum(), COUNT) / 1e3;
        sheet.note(what, "ms", Goal::AtMost(1.0), total);
        for (name, cpu) in WHO.iter().zip(ends.cpu) {
            let what = format!("a verification at 100/s: CPU of {name}");
            sheet.note(what, "ms", Goal::Open, us_each(cpu, COUNT) / 1e3);
        }
    }
    let mut pause = Ticker::new(IDLE);
    pause.next().await;
    // What the load has left to do.
    pause.next().await;
    for _ in 0..rounds {
        let names = SERVICES.into_iter().chain([BROKER]);
        let used: Vec<_> = names.map(|name| (name, Usage::begin(venue.pid(name)))).collect();
        pause.next().await;
        for (name, used) in used {
            let share = used.cpu().as_secs_f64() / IDLE.as_secs_f64() * 100.0;
            let goal = if name == BROKER { Goal::Open } else { Goal::AtMost(0.1) };
            sheet.note(format!("{name}, idle: CPU"), "%", goal, share);
        }
    }
    sheet.installation(venue.spent());
}
