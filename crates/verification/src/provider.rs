//! What each provider can do: one table, from Assure's documentation.
//!
//! To add a provider, add its rows here and its result to the result-normaliser.

use proofline_events::{
    Word,
    v1::{CaptureBy, Depiction, Flow},
};

/// One process type of one provider.
#[derive(Debug)]
pub struct Capability {
    /// Assure's name of the provider.
    pub provider: &'static str,
    /// Assure's name of the process type; empty where the provider has none.
    pub process_type: &'static str,
    /// The images it takes through the API; `None` where it takes none.
    pub upload: Option<Upload>,
}

/// The images of a process type.
#[derive(Debug)]
pub struct Upload {
    /// Without these nothing can be submitted.
    pub required: &'static [Depiction],
    /// These too, where the document has them.
    pub optional: &'static [Depiction],
    /// Whether Assure must be told the type of document.
    pub needs_document_type: bool,
}

use Depiction::{Back, Front, Selfie};

/// The first row of a provider is its default process type.
const TABLE: &[Capability] = &[
    Capability {
        provider: "onfido",
        process_type: "documentSelfie",
        upload: Some(Upload {
            required: &[Front, Selfie],
            optional: &[Back],
            needs_document_type: true,
        }),
    },
    Capability {
        provider: "onfido",
        process_type: "document",
        upload: Some(Upload { required: &[Front], optional: &[Back], needs_document_type: true }),
    },
];

impl Capability {
    /// The row of this provider and process type; `None` for the type means the default.
    pub fn find(provider: &str, process_type: Option<&str>) -> Option<&'static Self> {
        rows(provider).find(|row| process_type.is_none_or(|name| name == row.process_type))
    }

    /// Every depiction it takes, in the order front, back, selfie.
    pub fn depictions(&self) -> impl Iterator<Item = Depiction> {
        let upload = self.upload.as_ref();
        Depiction::ALL.iter().copied().filter(move |depiction| {
            upload.is_some_and(|u| u.required.contains(depiction) || u.optional.contains(depiction))
        })
    }

    /// The depictions without which nothing can be submitted.
    pub fn required(&self) -> &'static [Depiction] {
        self.upload.as_ref().map_or(&[], |upload| upload.required)
    }
}

fn rows(provider: &str) -> impl Iterator<Item = &'static Capability> {
    TABLE.iter().filter(move |row| row.provider == provider)
}

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
    /// Submit by itself once these are in.
    pub submit_when: &'a [Depiction],
    /// Whether the type of the document is given.
    pub has_document_type: bool,
}

/// A part of a creation that can't be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON Pointer into the creation's body.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

/// Checks that the provider can do what is asked, and says which row of the table does it.
///
/// # Errors
/// Every [`Fault`] there is.
pub fn resolve(asked: &Combination<'_>) -> Result<&'static Capability, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fault = |pointer: &str, detail: String| {
        faults.push(Fault { pointer: pointer.to_owned(), detail });
    };
    if asked.flow != Flow::Document {
        fault("/flow", format!("the flow {} is not available yet", asked.flow.word()));
    }
    match asked.capture_by {
        None | Some(CaptureBy::Upload) => {}
        Some(other) => fault("/capture_by", format!("{} is not available yet", other.word())),
    }
    let found = Capability::find(asked.provider, asked.process_type);
    let Some(capability) = found else {
        if rows(asked.provider).next().is_none() {
            fault("/provider", "this provider is not known".to_owned());
        } else {
            let known: Vec<_> = rows(asked.provider).map(|row| row.process_type).collect();
            fault("/process_type", format!("this provider has {}", known.join(", ")));
        }
        return Err(faults);
    };
    for (i, depiction) in asked.submit_when.iter().enumerate() {
        if !capability.depictions().any(|d| d == *depiction) {
            fault(
                &format!("/submit_when/{i}"),
                format!("{} does not take {}", capability.process_type, depiction.word()),
            );
        }
    }
    if !asked.submit_when.is_empty() {
        for depiction in capability.required() {
            if !asked.submit_when.contains(depiction) {
                let detail = format!(
                    "{} can't be submitted without {}",
                    capability.process_type,
                    depiction.word()
                );
                fault("/submit_when", detail);
            }
        }
    }
    let needs_type = capability.upload.as_ref().is_some_and(|upload| upload.needs_document_type);
    if needs_type && !asked.has_document_type {
        fault("/document/type", "this provider must be told the type of document".to_owned());
    }
    if faults.is_empty() { Ok(capability) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Combination<'static> = Combination {
        flow: Flow::Document,
        provider: "onfido",
        process_type: None,
        capture_by: None,
        submit_when: &[],
        has_document_type: true,
    };

    #[test]
    fn the_first_row_is_the_default() {
        assert_eq!(resolve(&GOOD).unwrap().process_type, "documentSelfie");
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let faults = resolve(&Combination {
            process_type: Some("document"),
            submit_when: &[Selfie],
            has_document_type: false,
            ..GOOD
        })
        .unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(pointers, ["/submit_when/0", "/submit_when", "/document/type"]);
    }

    #[test]
    fn an_unknown_process_type_names_the_known_ones() {
        let faults = resolve(&Combination { process_type: Some("x"), ..GOOD }).unwrap_err();
        assert_eq!(faults[0].detail, "this provider has documentSelfie, document");
    }
}
