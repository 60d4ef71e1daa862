//! Whether a provider can do what a creation asks for.

use proofline_events::{
    Word,
    v1::{CaptureBy, Depiction, Flow},
};

use super::{Capability, DocumentMember, Needs, Start, rows};

/// The parts of a creation that must fit together.
#[derive(Debug, Clone, Copy)]
pub struct Combination<'a> {
    /// The flow asked for.
    pub flow: Flow,
    /// Assure's name of the provider.
    pub provider: &'a str,
    /// The process type, when given.
    pub process_type: Option<&'a str>,
    /// Who takes the pictures, when given.
    pub capture_by: Option<CaptureBy>,
    /// Submit by itself once these are in, when given.
    pub submit_when: Option<&'a [Depiction]>,
    /// What is told of the document, when it is given.
    pub document: Option<&'a [DocumentMember]>,
    /// Whether there is an address to send the end-user back to.
    pub has_return_url: bool,
}

/// A part of a creation that can't be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON Pointer into the creation's body.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

/// How the end-user is verified, once it is known that the provider can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Upload,
    Sdk,
    Page,
    Capture,
    Eid,
}

/// Checks that the provider can do what is asked, and says which row of the table does it.
///
/// # Errors
/// Every [`Fault`] there is.
pub fn resolve(asked: &Combination<'_>) -> Result<&'static Capability, Vec<Fault>> {
    let mut faults = Faults(Vec::new());
    let way = Way::of(asked);
    if asked.flow != Flow::Document {
        faults.only_in_the_document_flow(asked);
    }
    let row = row(asked, way);
    let is_possible = row.as_ref().err().is_none_or(|fault| fault.pointer != way.pointer());
    let sends_away = matches!(way, Way::Capture | Way::Eid | Way::Page);
    if sends_away != asked.has_return_url && (is_possible || asked.has_return_url) {
        let detail = if asked.has_return_url {
            "must be null: here the end-user is sent nowhere"
        } else {
            "is required: where the end-user goes afterwards"
        };
        faults.add("/return_url", detail);
    }
    let capability = match row {
        Ok(row) => row,
        Err(fault) => {
            faults.0.push(fault);
            return Err(faults.0);
        }
    };
    if way == Way::Upload {
        faults.of_upload(asked, capability);
    } else if asked.flow == Flow::Document && asked.submit_when.is_some_and(|s| !s.is_empty()) {
        faults.add("/submit_when", "must be empty: no images come through Proofline");
    }
    if faults.0.is_empty() { Ok(capability) } else { Err(faults.0) }
}

/// The row that is named, or the first that can do it.
fn row(asked: &Combination<'_>, way: Way) -> Result<&'static Capability, Fault> {
    let fault = |pointer: &str, detail| Fault { pointer: pointer.to_owned(), detail };
    let of_provider = || rows(asked.provider);
    if of_provider().next().is_none() {
        return Err(fault("/provider", "this provider is not known".to_owned()));
    }
    let Some(word) = way.able_in(of_provider()) else {
        let detail = format!("{} can't do this", asked.provider);
        let is_in_flow = of_provider().any(|row| row.eid == (way == Way::Eid));
        return Err(fault(if is_in_flow { way.pointer() } else { "/flow" }, detail));
    };
    let types = |rows: &mut dyn Iterator<Item = &'static Capability>| {
        let names: Vec<_> =
            rows.map(|row| row.process_type).filter(|name| !name.is_empty()).collect();
        if names.is_empty() { "no process types".to_owned() } else { names.join(", ") }
    };
    let able = || of_provider().filter(|row| way.is_of(row));
    match asked.process_type {
        Some(name) => {
            able().find(|row| row.process_type == name && !name.is_empty()).ok_or_else(|| {
                let detail = if Capability::find(asked.provider, name).is_some() && !name.is_empty()
                {
                    format!("{word} is possible with {}", types(&mut able()))
                } else {
                    format!("this provider has {}", types(&mut of_provider()))
                };
                fault("/process_type", detail)
            })
        }
        None => able()
            .find(|row| !row.must_be_named)
            .ok_or_else(|| fault("/process_type", format!("is required: {}", types(&mut able())))),
    }
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, pointer: &str, detail: impl Into<String>) {
        self.0.push(Fault { pointer: pointer.to_owned(), detail: detail.into() });
    }

    fn only_in_the_document_flow(&mut self, asked: &Combination<'_>) {
        let given = [
            ("/capture_by", asked.capture_by.is_some()),
            ("/submit_when", asked.submit_when.is_some()),
            ("/document", asked.document.is_some()),
        ];
        for (pointer, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
            self.add(pointer, format!("must be null in the flow {}", asked.flow.word()));
        }
    }

    fn of_upload(&mut self, asked: &Combination<'_>, capability: &Capability) {
        let Some(upload) = &capability.upload else { return };
        let name = match capability.process_type {
            "" => capability.provider,
            name => name,
        };
        let submit_when = asked.submit_when.unwrap_or_default();
        for (i, depiction) in submit_when.iter().enumerate() {
            if !capability.depictions().any(|d| d == *depiction) {
                let detail = format!("{name} does not take {}", depiction.word());
                self.add(&format!("/submit_when/{i}"), detail);
            }
        }
        if !submit_when.is_empty() {
            if capability.start == Start::WithEnrolment {
                self.add("/submit_when", "must be empty: submission needs the enrolment");
            } else if let Needs::All(needed) = upload.needs {
                for depiction in needed.iter().filter(|d| !submit_when.contains(d)) {
                    let word = depiction.word();
                    self.add("/submit_when", format!("{name} can't be submitted without {word}"));
                }
            }
        }
        let told = asked.document.unwrap_or_default();
        for member in upload.document.iter().filter(|member| !told.contains(member)) {
            let (pointer, what) = match member {
                DocumentMember::Type => ("/document/type", "the type of document"),
                DocumentMember::Country => ("/document/country", "the document's country"),
                DocumentMember::Id => ("/document/id", "the id of the document type"),
            };
            self.add(pointer, format!("this provider must be told {what}"));
        }
    }
}

impl Way {
    fn of(asked: &Combination<'_>) -> Self {
        match (asked.flow, asked.capture_by) {
            (Flow::Capture, _) => Self::Capture,
            (Flow::Eid, _) => Self::Eid,
            (Flow::Document | Flow::Unspecified, Some(CaptureBy::Sdk)) => Self::Sdk,
            (Flow::Document | Flow::Unspecified, Some(CaptureBy::Page)) => Self::Page,
            (
                Flow::Document | Flow::Unspecified,
                None | Some(CaptureBy::Upload | CaptureBy::Unspecified),
            ) => Self::Upload,
        }
    }

    fn is_of(self, row: &Capability) -> bool {
        match self {
            Self::Upload => row.upload.is_some(),
            Self::Sdk => row.sdk,
            Self::Page => row.page,
            Self::Capture => row.capture.is_some(),
            Self::Eid => row.eid,
        }
    }

    /// What it is called, if any of these rows can do it.
    fn able_in(self, mut rows: impl Iterator<Item = &'static Capability>) -> Option<&'static str> {
        rows.any(|row| self.is_of(row)).then_some(match self {
            Self::Upload => "capture by upload",
            Self::Sdk => "capture by sdk",
            Self::Page => "capture by page",
            Self::Capture => "the flow capture",
            Self::Eid => "the flow eid",
        })
    }

    /// The member that asks for it.
    fn pointer(self) -> &'static str {
        match self {
            Self::Upload | Self::Sdk | Self::Page => "/capture_by",
            Self::Capture | Self::Eid => "/flow",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Depiction::Selfie;

    const GOOD: Combination<'static> = Combination {
        flow: Flow::Document,
        provider: "onfido",
        process_type: None,
        capture_by: None,
        submit_when: None,
        document: Some(&[DocumentMember::Type]),
        has_return_url: false,
    };

    const HOSTED: Combination<'static> =
        Combination { flow: Flow::Capture, document: None, has_return_url: true, ..GOOD };

    fn pointers(asked: &Combination<'_>) -> Vec<String> {
        resolve(asked).unwrap_err().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn the_first_row_that_can_is_the_default() {
        assert_eq!(resolve(&GOOD).unwrap().process_type, "documentSelfie");
        let sdk = Combination { capture_by: Some(CaptureBy::Sdk), document: None, ..GOOD };
        assert_eq!(
            resolve(&Combination { provider: "readid", ..sdk }).unwrap().process_type,
            "sdk"
        );
        let hosted = Combination { provider: "readid", ..HOSTED };
        assert_eq!(resolve(&hosted).unwrap().process_type, "ready");
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let faults = pointers(&Combination {
            process_type: Some("document"),
            submit_when: Some(&[Selfie]),
            document: Some(&[]),
            has_return_url: true,
            ..GOOD
        });
        assert_eq!(faults, ["/return_url", "/submit_when/0", "/submit_when", "/document/type"]);
        let everything = Combination {
            flow: Flow::Eid,
            capture_by: Some(CaptureBy::Sdk),
            submit_when: Some(&[Selfie]),
            ..GOOD
        };
        let all = ["/capture_by", "/submit_when", "/document", "/flow"];
        assert_eq!(pointers(&everything), all);
        let empty = Combination { submit_when: Some(&[]), document: Some(&[]), ..everything };
        assert_eq!(pointers(&empty), all);
    }

    #[test]
    fn a_process_type_that_cannot_names_those_that_can() {
        let detail = |asked: &Combination<'_>| resolve(asked).unwrap_err()[0].detail.clone();
        assert_eq!(
            detail(&Combination { process_type: Some("x"), ..GOOD }),
            "this provider has documentSelfie, document, documentVideo"
        );
        assert_eq!(
            detail(&Combination { process_type: Some("documentVideo"), ..GOOD }),
            "capture by upload is possible with documentSelfie, document"
        );
        let sdk = Combination { provider: "readid", process_type: Some("sdk"), ..HOSTED };
        assert_eq!(detail(&sdk), "the flow capture is possible with ready");
        let paper = Combination { provider: "signicatpaper", process_type: Some("high"), ..HOSTED };
        assert_eq!(detail(&paper), "this provider has no process types");
    }

    #[test]
    fn what_a_provider_cannot_do_is_refused() {
        let by =
            |provider, capture_by| Combination { provider, capture_by, document: None, ..GOOD };
        for provider in ["signicatvideoid", "readid", "webid"] {
            assert_eq!(pointers(&by(provider, None)), ["/capture_by"]);
        }
        assert_eq!(pointers(&by("signicatpaper", Some(CaptureBy::Sdk))), ["/capture_by"]);
        assert_eq!(pointers(&by("onfido", Some(CaptureBy::Page))), ["/capture_by"]);
        assert_eq!(pointers(&by("webid", Some(CaptureBy::Page))), ["/return_url", "/process_type"]);
        assert_eq!(pointers(&Combination { provider: "facetec", ..HOSTED }), ["/flow"]);
        assert_eq!(pointers(&Combination { provider: "connect:idin", ..HOSTED }), ["/flow"]);
        assert_eq!(pointers(&Combination { flow: Flow::Eid, ..HOSTED }), ["/flow"]);
        let paper = by("signicatpaper", None);
        assert_eq!(pointers(&paper), ["/document/type", "/document/country"]);
        assert_eq!(pointers(&by("signicatpictureid", None)), ["/document/id"]);
        let facetec = Combination { submit_when: Some(&[Selfie]), ..by("facetec", None) };
        assert_eq!(pointers(&facetec), ["/submit_when"]);
    }
}
