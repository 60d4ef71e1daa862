//! proofline-tests
