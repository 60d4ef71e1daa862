//! What each provider can do: one table, from Assure's documentation.
//!
//! To add a provider, add its rows here; to let it take part in a flow, fill in that column.

mod resolve;

use proofline_events::{Word, v1::Depiction};

pub use resolve::{Combination, Fault, resolve};

/// One process type of one provider.
#[derive(Debug)]
pub struct Capability {
    /// Assure's name of the provider; for eID the prefix before the method's name.
    pub provider: &'static str,
    /// Assure's name of the process type; empty where the provider has none.
    pub process_type: &'static str,
    /// Document flow: the images it takes through the API; `None` where it takes none.
    pub upload: Option<Upload>,
    /// Document flow: whether the provider has an SDK for the caller's own page or app.
    pub sdk: bool,
    /// Document flow: whether the provider has a page of its own.
    pub page: bool,
    /// Capture flow: whose SDK Assure's hosted page uses unless asked otherwise; `None` where the
    /// flow is not offered.
    pub capture: Option<CaptureSdk>,
    /// eID flow.
    pub eid: bool,
    /// What Start verification must be given.
    pub start: Start,
    /// It is never the default: the caller must name it.
    pub must_be_named: bool,
}

/// The images of a process type.
#[derive(Debug)]
pub struct Upload {
    /// Without these nothing can be submitted.
    pub needs: Needs,
    /// These too, where the document has them.
    pub optional: &'static [Depiction],
    /// What Assure must be told of the document.
    pub document: &'static [DocumentMember],
}

/// Which images must come.
#[derive(Debug, Clone, Copy)]
pub enum Needs {
    /// Each of them.
    All(&'static [Depiction]),
    /// At least one of them.
    One(&'static [Depiction]),
}

/// A member of `document` in a creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentMember {
    /// The type.
    Type,
    /// The country.
    Country,
    /// Assure's number of the kind of document.
    Id,
}

/// The `sdk` member of Start capture flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureSdk {
    /// The provider's.
    Native,
    /// Signicat's.
    Capture,
}

/// What Start verification must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Nothing.
    Plain,
    /// Nothing, and it may be left out: the provider's own app can finish alone.
    Optional,
    /// The face scan that the SDK took, and the depiction it is compared with.
    WithEnrolment,
}

use Depiction::{Back, Front, Selfie};
use DocumentMember::{Country, Id, Type};

const NOTHING: Capability = Capability {
    provider: "",
    process_type: "",
    upload: None,
    sdk: false,
    page: false,
    capture: None,
    eid: false,
    start: Start::Plain,
    must_be_named: false,
};

/// Of a provider's rows that can do what is asked the first is the default, unless it must be named.
const TABLE: &[Capability] = &[
    Capability {
        provider: "onfido",
        process_type: "documentSelfie",
        upload: Some(Upload {
            needs: Needs::All(&[Front, Selfie]),
            optional: &[Back],
            document: &[Type],
        }),
        sdk: true,
        capture: Some(CaptureSdk::Native),
        ..NOTHING
    },
    Capability {
        provider: "onfido",
        process_type: "document",
        upload: Some(Upload { needs: Needs::All(&[Front]), optional: &[Back], document: &[Type] }),
        sdk: true,
        capture: Some(CaptureSdk::Native),
        ..NOTHING
    },
    Capability {
        provider: "onfido",
        process_type: "documentVideo",
        sdk: true,
        capture: Some(CaptureSdk::Native),
        ..NOTHING
    },
    Capability {
        provider: "signicatvideoid",
        process_type: "high",
        sdk: true,
        capture: Some(CaptureSdk::Native),
        ..NOTHING
    },
    Capability {
        provider: "signicatvideoid",
        process_type: "substantial",
        sdk: true,
        capture: Some(CaptureSdk::Native),
        ..NOTHING
    },
    Capability {
        provider: "signicatvideoid",
        process_type: "substantialFullyAuto",
        sdk: true,
        capture: Some(CaptureSdk::Native),
        ..NOTHING
    },
    Capability { provider: "readid", process_type: "sdk", sdk: true, ..NOTHING },
    Capability {
        provider: "readid",
        process_type: "ready",
        sdk: true,
        capture: Some(CaptureSdk::Native),
        start: Start::Optional,
        ..NOTHING
    },
    Capability {
        provider: "signicatpaper",
        upload: Some(Upload {
            needs: Needs::All(&[Front]),
            optional: &[Back],
            document: &[Type, Country],
        }),
        capture: Some(CaptureSdk::Capture),
        ..NOTHING
    },
    Capability {
        provider: "signicatpictureid",
        process_type: "documentSelfie",
        upload: Some(Upload {
            needs: Needs::All(&[Front, Selfie]),
            // Needed where Assure says that the document has two pages.
            optional: &[Back],
            document: &[Id],
        }),
        capture: Some(CaptureSdk::Capture),
        ..NOTHING
    },
    Capability {
        provider: "signicatpictureid",
        process_type: "document",
        upload: Some(Upload { needs: Needs::All(&[Front]), optional: &[Back], document: &[Id] }),
        capture: Some(CaptureSdk::Capture),
        ..NOTHING
    },
    Capability {
        provider: "facetec",
        // The one that the enrolment is compared with.
        upload: Some(Upload { needs: Needs::One(&[Front, Selfie]), optional: &[], document: &[] }),
        sdk: true,
        start: Start::WithEnrolment,
        ..NOTHING
    },
    Capability {
        provider: "webid",
        process_type: "videoid",
        page: true,
        capture: Some(CaptureSdk::Native),
        must_be_named: true,
        ..NOTHING
    },
    Capability {
        provider: "webid",
        process_type: "accountid",
        page: true,
        capture: Some(CaptureSdk::Native),
        must_be_named: true,
        ..NOTHING
    },
    Capability { provider: "connect:", eid: true, ..NOTHING },
];

impl Capability {
    /// The row of this provider and process type.
    pub fn find(provider: &str, process_type: &str) -> Option<&'static Self> {
        rows(provider).find(|row| row.process_type == process_type)
    }

    /// Every depiction it takes, in the order front, back, selfie.
    pub fn depictions(&self) -> impl Iterator<Item = Depiction> {
        let upload = self.upload.as_ref();
        Depiction::ALL.iter().copied().filter(move |depiction| {
            upload.is_some_and(|u| u.needs.names(*depiction) || u.optional.contains(depiction))
        })
    }

    /// The depictions that must still come before anything can be submitted; where one of several
    /// is enough, all of those. `pages` is how many pages of the document are wanted, if more than
    /// the front.
    pub fn missing(&self, present: &[Depiction], pages: u32) -> Vec<Depiction> {
        let Some(upload) = &self.upload else { return Vec::new() };
        let wants_back = pages > 1 && upload.optional.contains(&Back);
        let is_missing = |depiction: &Depiction| {
            let is_needed = match upload.needs {
                Needs::All(needed) => needed.contains(depiction),
                Needs::One(any) => {
                    any.contains(depiction) && !any.iter().any(|d| present.contains(d))
                }
            };
            let is_needed = is_needed || (wants_back && *depiction == Back);
            is_needed && !present.contains(depiction)
        };
        self.depictions().filter(is_missing).collect()
    }
}

impl Needs {
    fn names(self, depiction: Depiction) -> bool {
        match self {
            Self::All(depictions) | Self::One(depictions) => depictions.contains(&depiction),
        }
    }
}

fn rows(provider: &str) -> impl Iterator<Item = &'static Capability> {
    let method = provider.strip_prefix("connect:");
    let is_method = |method: &str| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        !method.is_empty() && method.bytes().all(is_plain)
    };
    let name = match method {
        Some(method) if is_method(method) => "connect:",
        Some(_) => "",
        None => provider,
    };
    TABLE.iter().filter(move |row| row.provider == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_still_come_depends_on_the_provider_and_the_document() {
        let missing = |provider, process_type, present: &[Depiction], pages| {
            Capability::find(provider, process_type).unwrap().missing(present, pages)
        };
        assert_eq!(missing("onfido", "documentSelfie", &[Front], 0), [Selfie]);
        assert_eq!(missing("signicatpictureid", "document", &[Front], 1), []);
        assert_eq!(missing("signicatpictureid", "document", &[Front], 2), [Back]);
        assert_eq!(missing("facetec", "", &[], 0), [Front, Selfie]);
        assert_eq!(missing("facetec", "", &[Selfie], 0), []);
        assert_eq!(missing("signicatvideoid", "high", &[], 0), []);
    }

    #[test]
    fn an_eid_method_is_any_plain_word() {
        assert!(Capability::find("connect:idin", "").unwrap().eid);
        for not in ["connect", "connect:", "connect:a b", "connect:a/b", ""] {
            assert!(Capability::find(not, "").is_none(), "{not:?}");
        }
    }
}
