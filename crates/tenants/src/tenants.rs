//! All tenants, checked against each other.

use std::{collections::BTreeMap, path::Path};

use proofline_assure::Account;
use proofline_settings::Reader;

use crate::{
    Tenant, TenantName,
    file::{self, Accounts},
    keys::KeyHash,
};

const SETTING: &str = "PROOFLINE_TENANTS_FILE";
const ABOUT: &str = "TOML file of the tenants: their API keys (as hashes), web origins, \
    subscribers, webhook secrets and Assure accounts.";

/// The tenants of a file, in the order of their names.
#[derive(Debug, Clone)]
pub struct Tenants {
    tenants: BTreeMap<TenantName, Tenant>,
    keys: Vec<(KeyHash, TenantName)>,
}

impl Tenants {
    /// Reads the file of `PROOFLINE_TENANTS_FILE`, and the secrets of the tenants' Assure accounts.
    /// Every fault of the file is a fault of that setting.
    pub fn read(r: &mut Reader) -> Option<Self> {
        read_with(r, Accounts::Read)
    }

    /// As [`Tenants::read`], for a process that calls no Assure: the secrets of accounts are left
    /// alone, and [`Tenant::assure`] is `None`.
    pub fn read_without_accounts(r: &mut Reader) -> Option<Self> {
        read_with(r, Accounts::Leave)
    }

    /// As [`Tenants::read`], for a process that can do without a file: no tenants then.
    pub fn read_if_given(r: &mut Reader) -> Option<Self> {
        read_optional(r, Accounts::Read)
    }

    /// As [`Tenants::read_without_accounts`], for a process that can do without a file.
    pub fn read_without_accounts_if_given(r: &mut Reader) -> Option<Self> {
        read_optional(r, Accounts::Leave)
    }

    /// The Assure accounts that tenants have of their own.
    pub fn assure_accounts(&self) -> impl Iterator<Item = (String, Account)> {
        self.iter().filter_map(|tenant| Some((tenant.name.to_string(), tenant.assure.clone()?)))
    }

    /// Reads the text of a tenants file, and the secrets of the accounts in it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each as `where: what`.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        Self::from_text(text, Accounts::Read)
    }

    /// Reads a tenants file, and the secrets of the accounts in it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each as `where: what`.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Vec<String>> {
        load(path.as_ref(), Accounts::Read)
    }

    fn from_text(text: &str, accounts: Accounts) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let keyed = file::read(text, accounts, &mut faults);
        let mut tenants = Self { tenants: BTreeMap::new(), keys: Vec::new() };
        for (tenant, keys) in keyed {
            tenants.keys.extend(keys.into_iter().map(|key| (key, tenant.name.clone())));
            tenants.tenants.insert(tenant.name.clone(), tenant);
        }
        faults.extend(tenants.shared_keys());
        faults.extend(tenants.shared_durables());
        if faults.is_empty() { Ok(tenants) } else { Err(faults) }
    }

    /// The tenant whose API key this is. Every hash is compared, in constant time.
    pub fn authenticate(&self, api_key: &str) -> Option<&Tenant> {
        let presented = KeyHash::of(api_key);
        let mut found = None;
        for (key, name) in &self.keys {
            if key.is(&presented) {
                found = Some(name);
            }
        }
        self.tenants.get(found?)
    }

    /// The tenant of that name.
    pub fn get(&self, name: &str) -> Option<&Tenant> {
        self.tenants.get(&TenantName::parse(name).ok()?)
    }

    /// All tenants, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.values()
    }

    /// The durable consumer of each subscriber, `<tenant>-<subscriber>`, with its tenant. No name
    /// comes twice.
    pub fn durable_names(&self) -> impl Iterator<Item = (String, &Tenant)> {
        self.iter().flat_map(|tenant| {
            let durable = move |subscriber| (format!("{}-{subscriber}", tenant.name), tenant);
            tenant.subscribers.iter().map(durable)
        })
    }

    fn shared_keys(&self) -> Vec<String> {
        let mut owners: BTreeMap<KeyHash, &TenantName> = BTreeMap::new();
        let mut faults = Vec::new();
        for (key, name) in &self.keys {
            if let Some(owner) = owners.insert(*key, name) {
                faults.push(match owner == name {
                    true => format!("tenants.{name}.api_key_sha256: lists one key twice"),
                    false => format!("tenants.{name}.api_key_sha256: has a key of {owner} too"),
                });
            }
        }
        faults
    }

    fn shared_durables(&self) -> Vec<String> {
        let mut owners: BTreeMap<String, &Tenant> = BTreeMap::new();
        let mut faults = Vec::new();
        for (durable, tenant) in self.durable_names() {
            let name = &tenant.name;
            if let Some(owner) = owners.get(&durable) {
                faults.push(match owner.name == *name {
                    true => format!("tenants.{name}.subscribers: lists one name twice ({durable})"),
                    false => format!(
                        "tenants.{name}.subscribers: the consumer {durable} would be that of {} too",
                        owner.name
                    ),
                });
            }
            owners.insert(durable, tenant);
        }
        faults
    }
}

fn read_with(r: &mut Reader, accounts: Accounts) -> Option<Tenants> {
    let path = r.path(SETTING, None, ABOUT)?;
    told(r, load(&path, accounts))
}

fn read_optional(r: &mut Reader, accounts: Accounts) -> Option<Tenants> {
    match r.optional_path(SETTING, ABOUT)? {
        Some(path) => told(r, load(&path, accounts)),
        None => Some(Tenants { tenants: BTreeMap::new(), keys: Vec::new() }),
    }
}

/// Every fault of the file is a fault of the setting that names it.
fn told(r: &mut Reader, loaded: Result<Tenants, Vec<String>>) -> Option<Tenants> {
    match loaded {
        Ok(tenants) => Some(tenants),
        Err(faults) => {
            faults.into_iter().for_each(|fault| r.fault(SETTING, fault));
            None
        }
    }
}

fn load(path: &Path, accounts: Accounts) -> Result<Tenants, Vec<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Tenants::from_text(&text, accounts),
        Err(error) => Err(vec![format!("names a file that cannot be read ({})", error.kind())]),
    }
}
