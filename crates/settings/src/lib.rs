//! Settings: read from a map of names and values, checked all at once, documented by the same code.
//!
//! **What for.** Every process states each of its settings once, in a function
//! `read(&mut Reader) -> Option<Settings>`: name, default, unit, meaning and bounds. Run over the
//! environment that function reads the settings and collects *every* fault; run over
//! [`Reader::describing`] it writes the text of `--help`, and rows for programs. So what is
//! documented is what is read.
//!
//! **What not for.** It holds no setting of its own, opens no connection, prints nothing and knows
//! no exit codes: that is `proofline-service`.
//!
//! **Where to begin.** [`Reader`], then the example below. Two habits make it work: ask for
//! everything before the first `?` (a fault must not hide the ones after it, and `--help` has no
//! values at all), and never ask for a setting only under a condition.
//!
//! ```
//! use std::time::Duration;
//! use proofline_settings::{Reader, Source};
//!
//! struct Settings { interval: Duration, batch: u32 }
//!
//! fn read(r: &mut Reader) -> Option<Settings> {
//!     let interval = r.duration("PROOFLINE_RECONCILE_INTERVAL", "60s", "Time between two rounds.");
//!     let batch = r.integer("PROOFLINE_BATCH", 100, "messages", 1..=1000, "Taken at once.");
//!     Some(Settings { interval: interval?, batch: batch? })
//! }
//!
//! let source = Source::from_pairs([("PROOFLINE_BATCH", "0"), ("PROOFLINE_RECONCILE_INTERVAL", "soon")]);
//! let mut reader = Reader::new(&source);
//! let settings = read(&mut reader);
//! let faults = reader.finish(settings).err().expect("both are wrong");
//! assert_eq!(faults.iter().count(), 2);
//! ```

mod duration;
mod faults;
mod help;
mod reader;
mod secrets;
mod source;
#[cfg(test)]
mod tests;
mod web_url;

pub use duration::{DurationError, parse_duration};
pub use faults::{Fault, Faults};
pub use help::Description;
pub use reader::Reader;
pub use secrecy::{ExposeSecret, SecretString};
pub use secrets::{SecretFileError, read_secret_file};
pub use source::Source;
pub use url::Url;
pub use web_url::{UrlError, parse_url};
