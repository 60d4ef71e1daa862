//! The query of an end-user's way back.

#![no_main]

libfuzzer_sys::fuzz_target!(|query: &str| {
    proofline_callback_receiver::fuzzing::way_back(query);
});
