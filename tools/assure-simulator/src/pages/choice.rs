//! What an end-user can choose on a page.

use crate::status::Status;

/// The field `choice` of a page's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// Everything was done; it ends as the script says.
    AsScripted,
    /// Ends so, whatever the script says.
    Outcome(Status),
    /// Capture flow: from the beginning, with a new process.
    Again,
}

impl Choice {
    /// Reads the field out of a form's body.
    pub(super) fn read(form: &[u8]) -> Option<Self> {
        let (_, word) = url::form_urlencoded::parse(form).find(|(name, _)| name == "choice")?;
        Self::parse(&word)
    }

    fn parse(word: &str) -> Option<Self> {
        match word {
            "as-scripted" | "done" => Some(Self::AsScripted),
            "again" => Some(Self::Again),
            "mismatch" => Some(Self::Outcome(Status::Inconclusive)),
            _ => Some(Status::from(word))
                .filter(|status| status.is_final() && status.is_documented())
                .map(Self::Outcome),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_final_status_or_one_of_our_words() {
        assert_eq!(Choice::read(b"a=b&choice=done"), Some(Choice::AsScripted));
        assert_eq!(Choice::read(b"choice=rejected"), Some(Choice::Outcome(Status::Rejected)));
        for form in [&b""[..], b"choice=", b"choice=pending", b"choice=acepted", b"rejected"] {
            assert_eq!(Choice::read(form), None);
        }
    }
}
