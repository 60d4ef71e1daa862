//! One client for each Assure account: the common one, and those that tenants have of their own.

use std::{collections::HashMap, sync::Arc};

use crate::{Account, Client, Pace, Transport, metrics::Whose};

/// The accounts of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    common: Client,
    own: HashMap<String, Client>,
}

impl Accounts {
    /// The common account, and those of the tenants that have one of their own. `pace` gives the
    /// pace of an account, `transport` what carries its requests ([`crate::http`]).
    pub fn new(
        common: Account,
        own: impl IntoIterator<Item = (String, Account)>,
        pace: impl Fn(&Account) -> Box<dyn Pace>,
        transport: &dyn Fn() -> Arc<dyn Transport>,
    ) -> Self {
        let client = |account: Account, whose| {
            let pace = pace(&account);
            Client::of(account, pace, whose, transport())
        };
        let own = own.into_iter().map(|(tenant, account)| (tenant, client(account, Whose::Own)));
        Self { own: own.collect(), common: client(common, Whose::Common) }
    }

    /// The client that a tenant's calls are made with.
    pub fn of(&self, tenant: &str) -> &Client {
        self.own.get(tenant).unwrap_or(&self.common)
    }
}
