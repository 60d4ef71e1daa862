//! Which process of a capture counts: the end-user may have begun more than once.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{Verification, is_final, provider::Capability};

/// A process that is in the dossier of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Assure's id.
    pub id: String,
    /// Assure's name of the provider; empty where it was not told.
    pub provider: String,
    /// Assure's name of the process type; empty where it was not told.
    pub process_type: String,
    /// As Assure spelt it.
    pub status: String,
    /// When it was created, as Assure writes it.
    pub created_at: String,
}

impl Candidate {
    /// Later means newer. A time that can't be read counts as older than all that can.
    fn age(&self) -> (Option<OffsetDateTime>, &str) {
        (OffsetDateTime::parse(&self.created_at, &Rfc3339).ok(), &self.created_at)
    }
}

impl Verification {
    /// The processes in its dossier that are its own, not those of another verification: they were
    /// not there before, and are of the same kind. An end-user who kept the address of an earlier
    /// page must not be accepted after a weaker check than the one that was asked for.
    pub fn own_processes(&self, all: Vec<Candidate>) -> Vec<Candidate> {
        let is_own = |candidate: &Candidate| {
            self.is_of_its_kind(candidate) && !self.earlier_process_ids.contains(&candidate.id)
        };
        all.into_iter().filter(is_own).collect()
    }

    /// What is not told, or is a word that we don't know, is no reason to disown a process.
    fn is_of_its_kind(&self, candidate: &Candidate) -> bool {
        let provider = canonical(&candidate.provider);
        if !provider.is_empty() && provider != canonical(&self.request.provider) {
            return false;
        }
        let (told, asked) = (candidate.process_type.as_str(), self.request.process_type.as_str());
        // Assure has been seen to tell the wider name.
        let is_same = told == asked || (told, asked) == ("substantial", "substantialFullyAuto");
        is_same || Capability::find(&self.request.provider, told).is_none()
    }
}

/// Of several own processes the newest accepted; else an open one, as nothing is decided while
/// there is one; else the newest.
pub fn the_one_that_counts(own: &[Candidate]) -> Option<&Candidate> {
    let newest = |counts: &dyn Fn(&Candidate) -> bool| {
        own.iter().filter(|candidate| counts(candidate)).max_by_key(|c| c.age())
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
            process_type: String::new(),
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
        let [whole, half] = [candidate("f", "rejected", 30), candidate("g", "rejected", 30)];
        let half = Candidate { created_at: "2026-02-03T08:15:30.5Z".into(), ..half };
        assert_eq!(counts(&[half, whole]), Some("g".to_owned()));
    }
}
