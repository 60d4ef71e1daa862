//! A token that is none of ours.

#![no_main]

use proofline_seal::{Keyring, Purpose};
use time::OffsetDateTime;

libfuzzer_sys::fuzz_target!(|token: &str| {
    let keys = Keyring::parse("k:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap();
    for purpose in [Purpose::Callback, Purpose::Return, Purpose::Upload] {
        assert!(keys.redeem(purpose, token, OffsetDateTime::UNIX_EPOCH).is_err());
    }
});
