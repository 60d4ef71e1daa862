//! A stage for one test: the processes, their broker, and who acts on them.
//!
//! [`Stage::start`] starts everything; [`Scene`] says what should be special about it.
//! [`Stage::acts`] gives the three words with which a test reads: what is `given`, what happens
//! `when`, what is so `then`.

mod answer;
mod balancer;
mod binaries;
mod bus;
mod caller;
mod certificates;
mod disk;
mod eventually;
mod given;
mod images;
pub(crate) mod load;
mod mailbox;
mod nats;
mod operator;
mod process;
mod scene;
mod simulator;
mod stage;
mod then;
mod when;
mod wire;

pub(crate) use answer::{Answer, Ask, time_of};
pub(crate) use balancer::Balancer;
pub(crate) use binaries::{Build, program};
pub(crate) use bus::{Broker, Bus, Guard, servers};
pub(crate) use caller::Caller;
pub(crate) use disk::{every_file, files_with};
pub(crate) use eventually::{PATIENCE, eventually};
pub(crate) use given::{Verification, order};
pub(crate) use images::{Trickle, digest, heic, jpeg, png};
pub(crate) use mailbox::Caught;
pub(crate) use nats::{End, ends_in, ends_of, everything_in};
pub(crate) use operator::{Typed, type_with};
pub(crate) use process::{Doors, Process};
pub(crate) use scene::{
    ACME_KEY, CLIENT_SECRET, EVENTS_SECRET, KEYS, OTHER_KEY, SECRETS, Scene, THEIR_EVENTS_SECRET,
    TOKEN_KEYS,
};
pub(crate) use simulator::Simulator;
pub(crate) use stage::{SERVICES, Stage};
pub(crate) use wire::Wire;
