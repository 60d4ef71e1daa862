//! Bad input of every class, against each public route: nothing fails, and no answer tells a
//! stranger what there is.

mod classes;
mod no_difference;
mod no_failure;
mod route;
mod scene;
