//! A webhook's body, once it is authentic.

#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    proofline_callback_receiver::fuzzing::webhook(body);
});
