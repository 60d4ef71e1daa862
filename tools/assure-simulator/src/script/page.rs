//! How the hosted pages and what leads to them deviate.

use serde::{Deserialize, Serialize};

use super::set;

/// Oddities of hosted pages; by default there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PagePlan {
    /// Which member of Create process carries the address of the page.
    pub address_member: AddressMember,
    /// Log-in and WebID: the end-user comes back at once, the final status only after the
    /// processing time.
    pub return_first: bool,
    /// Start capture flow creates the process, not the end-user who opens the page.
    pub process_at_start: bool,
    /// Start capture flow answers its `processId` too, and so creates the process.
    pub tells_process_id: bool,
}

/// The member that carries an address; the reference does not name it for the eID flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AddressMember {
    /// `redirectUrl`, as WebID's example has it.
    #[default]
    RedirectUrl,
    /// `url`, as Start capture flow has it.
    Url,
    /// Both, with the same address.
    Both,
}

/// Part of a plan: what is absent stays as it was.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PageChange {
    address_member: Option<AddressMember>,
    return_first: Option<bool>,
    process_at_start: Option<bool>,
    tells_process_id: Option<bool>,
}

impl PageChange {
    pub(super) fn apply(&self, plan: &mut PagePlan) {
        set(&mut plan.address_member, self.address_member);
        set(&mut plan.return_first, self.return_first);
        set(&mut plan.process_at_start, self.process_at_start);
        set(&mut plan.tells_process_id, self.tells_process_id);
    }
}

impl PagePlan {
    /// Takes a word to heart; false when it is none of these.
    pub(super) fn heeds(&mut self, word: &str) -> bool {
        match word {
            "address-member=redirectUrl" => self.address_member = AddressMember::RedirectUrl,
            "address-member=url" => self.address_member = AddressMember::Url,
            "address-member=both" => self.address_member = AddressMember::Both,
            "return-first" => self.return_first = true,
            "process-at-start" => self.process_at_start = true,
            "tells-process-id" => self.tells_process_id = true,
            _ => return false,
        }
        true
    }

    /// Whether a capture has its process before anybody opens the page.
    pub(crate) fn creates_at_start(&self) -> bool {
        self.process_at_start || self.tells_process_id
    }
}

impl AddressMember {
    /// The names of the members.
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::RedirectUrl => &["redirectUrl"],
            Self::Url => &["url"],
            Self::Both => &["redirectUrl", "url"],
        }
    }
}
