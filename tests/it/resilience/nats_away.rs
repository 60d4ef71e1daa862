//! NATS goes away under load, a leader or all of it: events flow again soon, and the services,
//! which nobody restarts, make no fuss.

use std::time::Duration;

use async_nats::jetstream::{self, stream::Stream};
use serde_json::json;

use super::harness::{Fleet, INTAKE, Journey, NODES, NORMALISER, Plan, SIMULATOR, UPLOAD, soon};
use crate::harness::load::{Config, Load, Pace, Said};

/// The promises: no longer than this is nothing stored.
const LEADER_WITHIN: Duration = Duration::from_secs(10);
const ALL_WITHIN: Duration = Duration::from_secs(30);
/// And no service says more meanwhile.
const MOST_LINES: usize = 100;
/// Enough that each service would be heard complaining of each of them.
const CALLERS: usize = 32;
/// How long a load may take to settle afterwards: longer than what a lost handler's message waits.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// Callers at work, and what has been said before the loss.
struct Before {
    fleet: Fleet,
    load: Load,
    lines: Vec<usize>,
    /// Of the stream of all events.
    sequence: u64,
}

impl Before {
    async fn all_is_well() -> Self {
        let plan = Plan::new().on_a_cluster();
        let plan = [INTAKE, UPLOAD, NORMALISER].iter().fold(plan, |plan, it| plan.replicas(it, 2));
        let fleet = plan.start().await;
        let urls = |program| fleet.all(program).iter().map(|member| member.url.clone()).collect();
        let config = Config::new("load", urls(INTAKE), urls(UPLOAD));
        let load = Load::start(Config { pace: Pace::Callers(CALLERS), ..config });
        soon("callers are at work", async || match load.so_far().done_count() {
            done if done >= 10 => Ok(()),
            done => Err(format!("{done} verifications were submitted")),
        })
        .await;
        let (lines, sequence) =
            (lines(&fleet), stream(&fleet).await.cached_info().state.last_sequence);
        Self { fleet, load, lines, sequence }
    }

    /// One verification more goes through, from now on.
    async fn one_more_ends(&self) {
        let journey = Journey::new(self.fleet.caller(), "one more", json!({}));
        let (v, end) = journey.goes().await;
        self.fleet.assert_went_through(&v, &end, "accepted").await;
    }

    /// The longest time since then in which no event was stored.
    async fn longest_silence(&self) -> Duration {
        let stream = stream(&self.fleet).await;
        let last = stream.cached_info().state.last_sequence;
        let (mut longest, mut previous) = (time::Duration::ZERO, None);
        for sequence in self.sequence..=last {
            let time = stream.get_raw_message(sequence).await.unwrap().time;
            longest = longest.max(time - previous.unwrap_or(time));
            previous = Some(time);
        }
        longest.unsigned_abs()
    }

    /// Nothing is lost, nobody was restarted, and nobody made a fuss.
    #[expect(clippy::print_stdout, reason = "the figure is told with --nocapture")]
    async fn all_is_well_again(self) {
        let said: Vec<_> = lines(&self.fleet).iter().zip(&self.lines).map(|(a, b)| a - b).collect();
        let report = self.load.stop().await.settle(&self.fleet.nats, SETTLED_WITHIN).await;
        report.assert_kept();
        // Who repeats what broke off may be told that it is still in hand.
        let mut others = report.answers.others();
        others.retain(|(_, said, _)| *said != Said::ComeAgain(409));
        assert_eq!(others, [], "\n{report}");
        println!("no service said more than {} lines meanwhile", said[1..].iter().max().unwrap());
        for (member, said) in self.fleet.members().iter().zip(said) {
            assert!(member.is_alive().await, "{} has ended:\n{}", member.program, member.log());
            let is_told = member.program == SIMULATOR || said < MOST_LINES;
            assert!(is_told, "{} said {said} lines:\n{}", member.program, member.log());
        }
    }
}

/// How much each has said, but for the business steps of verifications.
fn lines(fleet: &Fleet) -> Vec<usize> {
    let is_step = |line: &str| line.contains(r#""level":"INFO""#) && line.contains("vrf_");
    let count = |log: String| log.lines().filter(|line| !is_step(line)).count();
    fleet.members().iter().map(|member| count(member.log())).collect()
}

async fn stream(fleet: &Fleet) -> Stream {
    jetstream::new(fleet.nats.clone()).get_stream("VERIFICATIONS").await.unwrap()
}

/// The server that leads the stream of all events.
async fn leader(fleet: &Fleet) -> usize {
    let leader =
        stream(fleet).await.cached_info().cluster.as_ref().unwrap().leader.clone().unwrap();
    (0..NODES).find(|number| leader == format!("broker-{number}")).unwrap()
}

#[tokio::test]
async fn events_flow_again_soon_after_the_streams_leader_was_killed() {
    let before = Before::all_is_well().await;
    let leader = leader(&before.fleet).await;

    before.fleet.broker.lock().await.the_cluster().kill(leader).await.unwrap();
    before.one_more_ends().await;

    let silence = before.longest_silence().await;
    println!("the stream's leader was killed: no event for {silence:.1?}");
    assert!(silence < LEADER_WITHIN, "no event for {silence:?}");
    before.fleet.broker.lock().await.the_cluster().restart(leader).await.unwrap();
    before.all_is_well_again().await;
}

#[tokio::test]
async fn events_flow_again_soon_after_all_of_nats_was_restarted() {
    let before = Before::all_is_well().await;

    before.fleet.broker.lock().await.the_cluster().restart_all().await.unwrap();
    before.one_more_ends().await;

    let silence = before.longest_silence().await;
    println!("all of NATS was killed and started again: no event for {silence:.1?}");
    assert!(silence < ALL_WITHIN, "no event for {silence:?}");
    before.all_is_well_again().await;
}
