//! Keys for this crate's tests.

use crate::Keyring;

pub(crate) const OLD: &str = "old:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
pub(crate) const NEW: &str = "new:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

pub(crate) fn keyring(text: &str) -> Keyring {
    Keyring::parse(text).unwrap()
}
