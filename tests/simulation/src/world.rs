//! Everything that is outside of our processes, and the chance that rules it.

use std::{
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use proofline_journal::topology::{TIMERS, VERIFICATIONS};
use time::{OffsetDateTime, macros::datetime};
use tokio::{sync::Notify, time::Instant};

use crate::{
    Plant,
    assure::Assure,
    dice::{Dice, pass},
    fleet::Fleet,
    jetstream::Store,
    judge::Judge,
    process::Process,
    profile::Profile,
    trace::Trace,
};

/// The streams that have consumers.
const CONSUMED: [&str; 2] = [VERIFICATIONS, TIMERS];

const EPOCH: OffsetDateTime = datetime!(2026-02-03 08:00 UTC);

/// One run's world.
#[derive(Debug)]
pub(crate) struct World {
    me: Weak<World>,
    pub(crate) dice: Dice,
    profile: Profile,
    plant: Option<Plant>,
    /// Nothing goes wrong any more.
    is_calm: AtomicBool,
    begun: Instant,
    /// By how much the services' clock differs from the server's, in milliseconds.
    skew: AtomicI64,
    /// Until when JetStream, and Assure, can't be reached at all.
    away_until: Mutex<(Instant, Instant)>,
    pub(crate) trace: Trace,
    store: Mutex<Store>,
    /// For each of [`CONSUMED`].
    changed: [Notify; 2],
    pub(crate) assure: Assure,
    pub(crate) fleet: Fleet,
    pub(crate) judge: Judge,
}

impl World {
    pub(crate) fn new(seed: u64, plant: Option<Plant>, is_traced: bool) -> Arc<Self> {
        let dice = Dice::new(seed);
        let profile = Profile::of(seed, &dice);
        let trace = Trace::new(is_traced);
        trace.say(|| format!("seed {seed}: {profile:?}"));
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            dice,
            profile,
            plant,
            is_calm: AtomicBool::new(false),
            begun: Instant::now(),
            skew: AtomicI64::new(0),
            away_until: Mutex::new((Instant::now(), Instant::now())),
            trace,
            store: Mutex::new(Store::provisioned()),
            changed: Default::default(),
            assure: Assure::default(),
            fleet: Fleet::default(),
            judge: Judge::default(),
        })
    }

    pub(crate) fn me(&self) -> Arc<Self> {
        self.me.upgrade().expect("whoever has a reference has it alive")
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    pub(crate) fn is_planted(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }

    /// Whether a fault of this probability happens.
    pub(crate) fn happens(&self, probability: f64) -> bool {
        !self.is_calm() && self.dice.chance(probability)
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    pub(crate) fn calm_down(&self) {
        self.trace.say(|| "from now on nothing goes wrong".to_owned());
        self.is_calm.store(true, Ordering::Relaxed);
        self.skew.store(0, Ordering::Relaxed);
    }

    /// The clock of the server, and of Assure.
    pub(crate) fn server_time(&self) -> OffsetDateTime {
        EPOCH + self.begun.elapsed()
    }

    /// The clock of the services.
    pub(crate) fn service_time(&self) -> OffsetDateTime {
        self.server_time() + time::Duration::milliseconds(self.skew.load(Ordering::Relaxed))
    }

    pub(crate) fn jump(&self) {
        if self.is_planted(Plant::ClockLeaps) {
            self.skew.store(600_000, Ordering::Relaxed);
            return;
        }
        let furthest = self.profile.clock_jump.cast_signed();
        if furthest > 0 && !self.is_calm() {
            let skew = self.dice.number(0..furthest.cast_unsigned() * 2).cast_signed() - furthest;
            self.trace.say(|| format!("the services' clock is off by {skew} ms"));
            self.skew.store(skew, Ordering::Relaxed);
        }
    }

    /// JetStream or Assure goes away for a while.
    pub(crate) fn goes_away(&self) {
        let until = Instant::now() + self.dice.milliseconds(500..*self.dice.pick(&[5000, 45_000]));
        let mut away = self.away_until.lock().expect("no panic while held");
        match self.dice.chance(0.5) {
            true => away.0 = until,
            false => away.1 = until,
        }
        let [jetstream, assure] = [away.0, away.1].map(|until| until - self.begun);
        self.trace
            .say(|| format!("away are JetStream until {jetstream:?}, Assure until {assure:?}"));
    }

    pub(crate) fn is_jetstream_away(&self) -> bool {
        let away = self.away_until.lock().expect("no panic while held");
        !self.is_calm() && away.0 > Instant::now()
    }

    pub(crate) fn is_assure_away(&self) -> bool {
        let away = self.away_until.lock().expect("no panic while held");
        !self.is_calm() && away.1 > Instant::now()
    }

    /// How far behind the replica is that is read.
    pub(crate) fn lag(&self) -> Duration {
        match self.happens(self.profile.lag) {
            true => self.dice.milliseconds(0..*self.dice.pick(&[20, 300, 300, 2500])),
            false => Duration::ZERO,
        }
    }

    /// Does something with what JetStream's leader has.
    pub(crate) fn at_jetstream<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = self.store.lock().expect("no panic while held");
        let before = CONSUMED.map(|stream| store.stream(stream).version);
        let result = work(&mut store);
        for ((stream, before), changed) in CONSUMED.iter().zip(before).zip(&self.changed) {
            if store.stream(stream).version != before {
                changed.notify_waiters();
            }
        }
        result
    }

    /// Returns when there is something new for consumers of a stream since this was called.
    pub(crate) fn changed(&self, stream: &str) -> impl Future<Output = ()> {
        let place = CONSUMED.iter().position(|consumed| *consumed == stream);
        self.changed[place.expect("no other stream has consumers")].notified()
    }

    /// Lets timers come due, for ever.
    pub(crate) async fn fire_timers(self: Arc<Self>) {
        loop {
            let changed = self.changed(TIMERS);
            let next = self.at_jetstream(|store| store.fire(self.server_time()));
            let wait = next.map_or(Duration::from_secs(3600), |next| {
                Duration::try_from(next - self.server_time()).unwrap_or_default()
            });
            tokio::select! {
                biased;
                () = changed => {}
                () = pass(wait + Duration::from_millis(1)) => {}
            }
        }
    }

    /// What may happen to a process before a request has any effect.
    pub(crate) async fn tempt_fate(&self, process: &Arc<Process>) {
        if self.happens(self.profile.crash / 2.0) {
            self.kill(process);
        } else if self.happens(self.profile.freeze) {
            let wait = self.dice.milliseconds(100..40_000);
            self.trace.say(|| format!("{process} stands still for {wait:?}"));
            process.freeze(Instant::now() + wait);
        }
        process.runs().await;
    }

    /// What may happen to a process right after the effect.
    pub(crate) fn tempt_fate_after(&self, process: &Arc<Process>) {
        if self.happens(self.profile.crash / 2.0) {
            self.kill(process);
        }
    }

    pub(crate) fn kill(&self, process: &Arc<Process>) {
        if !process.is_dead() {
            self.trace.say(|| format!("{process} dies"));
            process.kill();
            let down = self.dice.milliseconds(50..*self.dice.pick(&[500, 5000, 40_000]));
            self.fleet.replace(self.me(), process, down);
        }
    }
}
