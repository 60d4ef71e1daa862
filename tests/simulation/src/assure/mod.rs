//! A model of Assure: dossiers, processes, images, and how they move with time; and how calls to it
//! go wrong.

mod calls;
mod end_user;
mod model;
mod wire;

pub(crate) use model::{Assure, Dossier, Process};
pub(crate) use wire::AssureWire;
