//! What a subscription promises, on a real nats-server with the consumers that provision makes.
//!
//! Begin with `promises.rs`; `bench.rs` is what each test starts from.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod own_account;
mod promises;
mod put_aside;
mod trace;
mod trouble;
