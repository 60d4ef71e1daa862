//! How bad a run is: each seed has some faults often, some seldom, and some not at all. A run in
//! which everything goes wrong all the time would never get far enough for the rare orders.

use crate::dice::Dice;

/// Probabilities, each of one request unless it says otherwise.
#[derive(Debug)]
pub(crate) struct Profile {
    /// A request to JetStream is lost, or its answer is.
    pub(crate) bus_lost: f64,
    /// A request to JetStream takes up to two seconds.
    pub(crate) bus_slow: f64,
    /// A replica is behind when it is read.
    pub(crate) lag: f64,
    /// What a consumer is told about a message is lost.
    pub(crate) ack_lost: f64,
    /// The process dies at a request, before or after its effect.
    pub(crate) crash: f64,
    /// The process stands still for a while at a request.
    pub(crate) freeze: f64,
    /// A call to Assure goes wrong.
    pub(crate) assure_fault: f64,
    /// A call to Assure takes longer than its caller waits.
    pub(crate) assure_slow: f64,
    /// What Assure's reads tell of a status is behind.
    pub(crate) assure_lag: f64,
    /// Of a process: its callback never comes.
    pub(crate) callback_lost: f64,
    /// Of a caller's request: the caller hangs up.
    pub(crate) hang_up: f64,
    /// How far the services' clock may jump, in milliseconds.
    pub(crate) clock_jump: u64,
    /// JetStream or Assure may be away for a while.
    pub(crate) has_outages: bool,
    /// What is in Assure is deleted some time after the end.
    pub(crate) deletes_after: bool,
    /// A cluster tells a repeat before it checks the guard; a server alone the other way round.
    pub(crate) is_cluster: bool,
    /// Nothing but Assure goes wrong, so that what it wishes gets to every process in time.
    pub(crate) is_word_spread: bool,
}

impl Profile {
    /// Every tenth is one in which only Assure goes wrong.
    pub(crate) fn of(seed: u64, dice: &Dice) -> Self {
        let profile = Self::at_random(dice);
        if seed % 10 == 9 { profile.with_the_word_spread() } else { profile }
    }

    fn at_random(dice: &Dice) -> Self {
        let one_of = |often: f64| *dice.pick(&[0.0, often / 8.0, often / 3.0, often]);
        Self {
            bus_lost: one_of(0.06),
            bus_slow: one_of(0.05),
            lag: one_of(0.5),
            ack_lost: one_of(0.2),
            crash: one_of(0.02),
            freeze: one_of(0.005),
            assure_fault: one_of(0.3),
            assure_slow: one_of(0.05),
            assure_lag: one_of(0.5),
            callback_lost: one_of(0.9),
            hang_up: one_of(0.2),
            clock_jump: *dice.pick(&[0, 0, 200, 3000]),
            has_outages: dice.chance(0.4),
            deletes_after: dice.chance(0.3),
            is_cluster: dice.chance(0.5),
            is_word_spread: false,
        }
    }

    /// A wish of Assure's is lost with a process that dies, or a request that hangs, before it has
    /// told the others.
    fn with_the_word_spread(self) -> Self {
        Self {
            bus_lost: 0.0,
            bus_slow: 0.0,
            crash: 0.0,
            freeze: 0.0,
            hang_up: 0.0,
            clock_jump: 0,
            has_outages: false,
            assure_fault: 0.3,
            is_word_spread: true,
            ..self
        }
    }
}
