//! Which images a process holds at its end.

use crate::providers::Provider;
use crate::status::Status;
use crate::store::Process;

/// What was uploaded, or else what an SDK or a hosted page has taken by the time there is a
/// verdict; then the portrait of the providers that have one.
pub(super) fn of(process: &Process, status: &Status) -> Vec<&'static str> {
    let mut shown: Vec<_> = process.images.keys().map(|d| d.as_str()).collect();
    if super::is_verdict(status) {
        if shown.is_empty() {
            shown.extend(taken(process));
        }
        if process.provider.has_portrait() {
            shown.push("portrait");
        }
    }
    shown
}

fn taken(process: &Process) -> &'static [&'static str] {
    let two_pages = process.pages == Some(2);
    match (&process.provider, process.process_type) {
        (Provider::Onfido, Some("documentSelfie")) | (Provider::SignicatVideoid, _) => {
            &["front", "selfie"]
        }
        (Provider::Onfido, _) => &["front"],
        (Provider::SignicatPaper, _) => &["front", "back"],
        (Provider::SignicatPictureid, Some("documentSelfie")) if two_pages => {
            &["front", "back", "selfie"]
        }
        (Provider::SignicatPictureid, Some("documentSelfie")) => &["front", "selfie"],
        (Provider::SignicatPictureid, _) if two_pages => &["front", "back"],
        (Provider::SignicatPictureid, _) => &["front"],
        (Provider::Readid | Provider::Facetec | Provider::Webid | Provider::Connect(_), _) => &[],
    }
}
