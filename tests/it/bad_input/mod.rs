//! Bad input of every class, against each public route: nothing fails, no answer tells a
//! stranger what there is, and none repeats what was said.

mod classes;
mod no_difference;
mod no_echo;
mod no_failure;
mod route;
mod scene;
