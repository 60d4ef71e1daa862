//! Which process of a capture counts: the end-user may have begun more than once.

use crate::{Verification, is_final};

/// A process that is in the dossier of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Assure's id.
    pub id: String,
    /// Assure's name of the provider; empty where it was not told.
    pub provider: String,
    /// As Assure spelt it.
    pub status: String,
    /// When it was created, as Assure writes it: such times sort as text.
    pub created_at: String,
}

impl Verification {
    /// The processes in its dossier that are its own, not those of another verification: they were
    /// not there before, and are the same provider's.
    pub fn own_processes(&self, all: Vec<Candidate>) -> Vec<Candidate> {
        let is_own = |candidate: &Candidate| {
            let is_same_provider = candidate.provider.is_empty()
                || canonical(&candidate.provider) == canonical(&self.request.provider);
            is_same_provider && !self.earlier_process_ids.contains(&candidate.id)
        };
        all.into_iter().filter(is_own).collect()
    }
}

/// Of several own processes the newest accepted; else an open one, as nothing is decided while
/// there is one; else the newest.
pub fn the_one_that_counts(own: &[Candidate]) -> Option<&Candidate> {
    let newest = |counts: &dyn Fn(&Candidate) -> bool| {
        own.iter().filter(|candidate| counts(candidate)).max_by_key(|c| c.created_at.as_str())
    };
    newest(&|c| c.status.eq_ignore_ascii_case("accepted"))
        .or_else(|| newest(&|c| !is_final(&c.status)))
        .or_else(|| newest(&|_| true))
}

/// Older names of providers still occur.
fn canonical(provider: &str) -> &str {
    match provider {
        "eid" => "signicatvideoid",
        "paper" => "signicatpaper",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(id: &str, status: &str, second: u32) -> Candidate {
        Candidate {
            id: id.into(),
            provider: "onfido".into(),
            status: status.into(),
            created_at: format!("2026-02-03T08:15:{second:02}Z"),
        }
    }

    #[test]
    fn the_newest_accepted_counts_then_an_open_one_then_the_newest() {
        let counts = |own: &[Candidate]| the_one_that_counts(own).map(|c| c.id.clone());
        let [old, new] = [candidate("a", "accepted", 1), candidate("b", "accepted", 2)];
        let open = candidate("c", "processing", 0);
        let [rejected, canceled] = [candidate("d", "rejected", 8), candidate("e", "canceled", 9)];
        assert_eq!(counts(&[new, old, open.clone(), canceled.clone()]), Some("b".to_owned()));
        assert_eq!(counts(&[rejected.clone(), open, canceled.clone()]), Some("c".to_owned()));
        assert_eq!(counts(&[canceled, rejected]), Some("e".to_owned()));
        assert_eq!(counts(&[]), None);
    }
}
