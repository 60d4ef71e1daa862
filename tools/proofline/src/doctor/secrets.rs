//! Keys that others know too.

use proofline_tenants::Tenants;

use super::{
    Settings,
    finding::{Check, Finding, Verdict},
};

/// API keys that stand in our documentation and examples.
const PUBLISHED: [&str; 2] = ["demo-key", "acme-key"];

/// Both checks.
pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    vec![keys(settings).of(Check::Keys), api_keys(&settings.tenants).of(Check::ApiKeys)]
}

fn keys(settings: &Settings) -> Verdict {
    let sealing = settings.keys.sealing.guessable_ids();
    let tokens = settings.keys.tokens.guessable_ids();
    let guessable: Vec<_> = sealing
        .map(|id| format!("{id} of PROOFLINE_KEYS"))
        .chain(tokens.map(|id| format!("{id} of PROOFLINE_TOKEN_KEYS")))
        .collect();
    if guessable.is_empty() {
        return Verdict::Fine("drawn at random, as far as can be seen".to_owned());
    }
    Verdict::problem(
        format!("{}: a text or a pattern, such as those of the examples", guessable.join(", ")),
        "Draw new ones with `openssl rand -base64 32`, put them first, and let the old ones run out.",
    )
}

fn api_keys(tenants: &Tenants) -> Verdict {
    let published = PUBLISHED.iter().filter_map(|key| tenants.authenticate(key));
    let names: Vec<_> = published.map(|tenant| tenant.name.to_string()).collect();
    if names.is_empty() {
        return Verdict::Fine("none of the examples' keys".to_owned());
    }
    Verdict::problem(
        format!("{}: an API key that stands in our documentation", names.join(", ")),
        "Take it out of the tenants file, and give the tenant one that was drawn at random.",
    )
}
