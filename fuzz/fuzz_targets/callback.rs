//! A callback's body.

#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    proofline_callback_receiver::fuzzing::callback(body);
});
