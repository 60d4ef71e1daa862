//! Every flow with every provider, from the creation to the end and the result.
//!
//! * What for: the promise that a caller gets the same from all of them, whatever the provider
//!   gives, and is refused at once what a provider can't do.
//! * What not for: what has nothing to do with the provider; the files beside this folder show it
//!   with Onfido.
//! * Where to begin: `way.rs` is how somebody is verified, `rows.rs` how that can end; the files
//!   named after flows are the tables.

mod final_result;
mod rows;
mod way;

mod capture;
mod document_by_page;
mod document_by_sdk;
mod document_by_upload;
mod document_types;
mod eid;
mod impossible;
mod next_action;
mod oddities;
mod samples;
mod submission;
