//! Which pages there are, and whose.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::order::Order;
use crate::providers::Provider;
use crate::script::AddressMember;

/// A kind of page; each has its own first segment of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The log-in of an eID.
    Connect,
    /// Assure's hosted capture flow.
    Capture,
    /// `WebID`'s pages.
    Webid,
    /// Stands in for the `ReadID` Ready app.
    Readid,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Connect, Self::Capture, Self::Webid, Self::Readid];

    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Capture => "capture",
            Self::Webid => "webid",
            Self::Readid => "readid",
        }
    }

    /// The page that Create process answers the address of, if any.
    pub(crate) fn of(provider: &Provider, process_type: Option<&str>) -> Option<Self> {
        match (provider, process_type) {
            (Provider::Connect(_), _) => Some(Self::Connect),
            (Provider::Webid, _) => Some(Self::Webid),
            (Provider::Readid, Some("ready")) => Some(Self::Readid),
            _ => None,
        }
    }

    /// How Create process tells the address of the page.
    pub(crate) fn artefacts(self, address: &str, member: AddressMember) -> Map<String, Value> {
        if self == Self::Readid {
            // With a query, so that a client can append `&callback=…` as it does to the real one.
            let link = format!("{address}?app=ready");
            return Map::from_iter([("universalLink".to_owned(), json!(link))]);
        }
        member.names().iter().map(|name| ((*name).to_owned(), json!(address))).collect()
    }
}

/// A page that an end-user is sent to.
pub(crate) struct Page {
    pub(crate) kind: Kind,
    /// The unguessable part of its address.
    pub(crate) id: String,
    /// Order of creation.
    number: u64,
    pub(crate) dossier_id: String,
    /// None while nobody has opened the page of a capture.
    pub(crate) process_id: Option<String>,
    /// What a capture makes its processes of.
    pub(crate) order: Option<Order>,
    /// Whether the end-user has chosen; a page is good for one choice.
    pub(crate) used: bool,
    /// Where the end-user was sent then.
    pub(crate) way_back: Option<String>,
}

#[derive(Default)]
pub(crate) struct Pages {
    pages: HashMap<String, Page>,
    last_number: u64,
}

impl Pages {
    pub(crate) fn add(
        &mut self,
        kind: Kind,
        dossier_id: String,
        process_id: Option<String>,
        order: Option<Order>,
    ) -> &mut Page {
        self.last_number += 1;
        let id = Uuid::new_v4().simple().to_string();
        self.pages.entry(id.clone()).or_insert(Page {
            kind,
            id,
            number: self.last_number,
            dossier_id,
            process_id,
            order,
            used: false,
            way_back: None,
        })
    }

    pub(crate) fn find(&self, kind: Kind, id: &str) -> Option<&Page> {
        self.pages.get(id).filter(|page| page.kind == kind)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Page> {
        self.pages.get_mut(id)
    }

    /// The pages of a dossier, oldest first.
    pub(crate) fn of_dossier(&self, dossier_id: &str) -> Vec<&Page> {
        let mut found: Vec<_> =
            self.pages.values().filter(|p| p.dossier_id == dossier_id).collect();
        found.sort_by_key(|p| p.number);
        found
    }

    /// Pages go with their process.
    pub(crate) fn forget_process(&mut self, process_id: &str) {
        self.pages.retain(|_, page| page.process_id.as_deref() != Some(process_id));
    }

    /// Pages go with their dossier.
    pub(crate) fn forget_dossier(&mut self, dossier_id: &str) {
        self.pages.retain(|_, page| page.dossier_id != dossier_id);
    }
}
