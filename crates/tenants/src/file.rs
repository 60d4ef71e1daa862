//! The rules of the tenants file.

use std::path::{Path, PathBuf};

use proofline_assure::Account;
use proofline_settings::{parse_url, read_secret_file};
use toml::Table;

use crate::{Origin, Tenant, TenantName, fields::Fields, keys::KeyHash};

const NAME_RULE: &str = "must be 1 to 40 of a-z, 0-9 and -";
const DEFAULT_SCOPE: &str = "signicat-api";

/// Whether a process needs the tenants' Assure accounts, and so may read their secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accounts {
    Read,
    Leave,
}

/// A tenant with the hashes of its API keys.
pub(crate) type Keyed = (Tenant, Vec<KeyHash>);

/// Reads every tenant that can be read, and all that is wrong on the way.
pub(crate) fn read(text: &str, accounts: Accounts, faults: &mut Vec<String>) -> Vec<Keyed> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            faults.push(syntax_fault(text, &error));
            return Vec::new();
        }
    };
    let mut tenants = Vec::new();
    let mut file = Fields::new("", table, faults);
    let mut is_empty = true;
    if let Some(mut entries) = file.table("tenants") {
        while let Some(name) = entries.next_name() {
            is_empty = false;
            let parsed = TenantName::parse(&name).ok();
            if parsed.is_none() {
                entries.fault(&name, NAME_RULE);
            }
            let Some(fields) = entries.table(&name) else { continue };
            tenants.extend(tenant(parsed, fields, accounts));
        }
    }
    file.finish();
    if is_empty {
        faults.push("tenants: holds no tenant".to_owned());
    }
    tenants
}

/// The parser's own text quotes the line, where a secret may have been put by mistake.
fn syntax_fault(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    format!("line {}: {}", before.matches('\n').count() + 1, error.message())
}

/// Looks at every member before it gives up, so that no fault hides another.
fn tenant(name: Option<TenantName>, mut fields: Fields<'_>, accounts: Accounts) -> Option<Keyed> {
    let keys = fields.list("api_key_sha256", |text| {
        let rule = "must be the SHA-256 of an API key, 64 hexadecimal digits";
        KeyHash::from_hex(text).ok_or_else(|| rule.to_owned())
    });
    if keys.is_none() {
        fields.fault("api_key_sha256", "is required ([] lets nobody in)");
    }
    let origins =
        fields.list("web_origins", |text| Origin::parse(text).map_err(|error| error.to_string()));
    // A subscriber's name has the form of a tenant's: the two make the durable's.
    let subscribers = fields.list("subscribers", |text| match TenantName::parse(text).is_ok() {
        true => Ok(text.to_owned()),
        false => Err(NAME_RULE.to_owned()),
    });
    let events_secret_file = fields.text("events_secret_file").map(PathBuf::from);
    let assure = fields.table("assure").and_then(|table| account(table, accounts));
    fields.finish();

    let tenant = Tenant {
        name: name?,
        web_origins: origins.unwrap_or_default(),
        subscribers: subscribers.unwrap_or_default(),
        events_secret_file,
        assure,
    };
    Some((tenant, keys?))
}

fn account(mut fields: Fields<'_>, accounts: Accounts) -> Option<Account> {
    let [base_url, token_url] = ["base_url", "token_url"].map(|member| {
        let text = fields.required_text(member)?;
        parse_url(&text).map_err(|error| fields.fault(member, &error.to_string())).ok()
    });
    let client_id = fields.required_text("client_id");
    let secret_file = fields.required_text("client_secret_file");
    let scope = fields.text("scope").unwrap_or_else(|| DEFAULT_SCOPE.to_owned());
    let client_secret = match (secret_file, accounts) {
        (Some(path), Accounts::Read) => read_secret_file(Path::new(&path))
            .map_err(|error| fields.fault("client_secret_file", &error.to_string()))
            .ok(),
        // A process that calls no Assure must start without being able to read its secrets.
        _ => None,
    };
    fields.finish();
    Some(Account {
        base_url: base_url?,
        token_url: token_url?,
        client_id: client_id?,
        client_secret: client_secret?,
        scope,
    })
}
