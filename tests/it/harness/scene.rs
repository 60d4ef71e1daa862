//! How a stage is set: settings of the processes, and what is special about them.

use std::{fmt::Write as _, fs, path::Path};

use super::{Bus, Guard, Stage};

/// API key of the tenant `acme`, whose caller most tests are.
pub(crate) const ACME_KEY: &str = "acme-planted-api-key";
/// API key of the tenant `other`.
pub(crate) const OTHER_KEY: &str = "other-planted-api-key";
/// Seals documents.
pub(crate) const KEYS: &str = "seal1:cGxhbnRlZC1zZWFsaW5nLWtleS1wbGFudGVkLWtleTA=";
/// Signs capabilities.
pub(crate) const TOKEN_KEYS: &str = "sign1:cGxhbnRlZC1zaWduaW5nLWtleS1wbGFudGVkLWtleTE=";
/// Secret of the API client at Assure.
pub(crate) const CLIENT_SECRET: &str = "planted-client-secret";
/// The API client of the tenant `other` at Assure, where it has an account of its own.
const THEIR_CLIENT: &str = "their-client";
pub(super) const THEIR_CLIENT_SECRET: &str = "their-planted-client-secret";
/// The simulator with that account.
pub(super) const THEIR_SIMULATOR: &str = "their-assure-simulator";
/// Secret of the account-level webhook.
pub(crate) const EVENTS_SECRET: &str = "planted-events-secret";
/// That of the tenant `other`, which has one of its own.
pub(crate) const THEIR_EVENTS_SECRET: &str = "their-planted-events-secret";

/// Every secret that the processes are given, as it must never be seen again.
pub(crate) const SECRETS: [&str; 5] = [
    ACME_KEY,
    OTHER_KEY,
    "cGxhbnRlZC1zZWFsaW5nLWtleS1wbGFudGVkLWtleTA",
    "cGxhbnRlZC1zaWduaW5nLWtleS1wbGFudGVkLWtleTE",
    CLIENT_SECRET,
];

const TENANTS: &str = r#"
[tenants.acme]
api_key_sha256 = ["ACME"]
web_origins = ["https://app.acme.example"]
subscribers = ["billing"]

[tenants.other]
api_key_sha256 = ["OTHER"]
web_origins = ["https://app.other.example"]
"#;

/// What differs from the usual.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    pub(super) catches_callbacks: bool,
    secrets_in_files: bool,
    has_webhooks: bool,
    pub(super) has_own_account: bool,
    pub(super) bus: Bus,
    more: Vec<(&'static str, &'static str, String)>,
}

/// Addresses that processes must know of each other; empty until they are known.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    pub(super) nats: String,
    /// Where NATS lets nobody in without.
    pub(super) guard: Option<Guard>,
    pub(super) simulator: String,
    /// Of the tenant `other`, if it has its own.
    pub(super) their_simulator: String,
    pub(super) public: String,
    pub(super) uploads: String,
    pub(super) api: String,
}

impl Scene {
    /// The usual.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Gives one program one more setting, or another value of one it has.
    pub(crate) fn with(
        mut self,
        program: &'static str,
        name: &'static str,
        value: impl ToString,
    ) -> Self {
        self.more.push((program, name, value.to_string()));
        self
    }

    /// Assure's callbacks go to the test, behind a gateway with a path, and to nobody else.
    pub(crate) fn catching_callbacks(self) -> Self {
        Self { catches_callbacks: true, ..self }
    }

    /// Secrets are given as `NAME_FILE`.
    pub(crate) fn with_secrets_in_files(self) -> Self {
        Self { secrets_in_files: true, ..self }
    }

    /// Account-level webhooks are on: the tenant `other` has a secret of its own.
    pub(crate) fn with_webhooks(self) -> Self {
        Self { has_webhooks: true, ..self }
    }

    /// The tenant `other` has an Assure account of its own, at another simulator.
    pub(crate) fn with_an_account_of_its_own(self) -> Self {
        Self { has_own_account: true, ..self }
    }

    /// NATS is set up like this.
    pub(crate) fn on(self, bus: Bus) -> Self {
        Self { bus, ..self }
    }

    /// Starts everything.
    pub(crate) async fn start(self) -> Stage {
        Stage::set(self).await
    }

    /// What a program is told, and no more than it uses.
    pub(super) fn settings(
        &self,
        program: &str,
        known: &Addresses,
        folder: &Path,
    ) -> Vec<(&'static str, String)> {
        let mut settings = Vec::new();
        let mut set = |name, value: &str| settings.push((name, value.to_owned()));
        let is = |programs: &[&str]| programs.contains(&program);
        let (intake, upload, normaliser) =
            ("proofline-intake", "proofline-upload", "proofline-result-normaliser");
        let (verifier, receiver) = ("proofline-verifier", "proofline-callback-receiver");
        if is(&["assure-simulator", THEIR_SIMULATOR]) {
            let is_theirs = program == THEIR_SIMULATOR;
            set("SIMULATOR_LISTEN", "127.0.0.1:0");
            set("SIMULATOR_CLIENT_ID", if is_theirs { THEIR_CLIENT } else { "simulator" });
            let secret = if is_theirs { THEIR_CLIENT_SECRET } else { CLIENT_SECRET };
            set("SIMULATOR_CLIENT_SECRET", secret);
            set("SIMULATOR_PROCESSING_TIME", "20ms");
            set("SIMULATOR_CALLBACK_RETRY", "100ms");
        } else {
            set("PROOFLINE_NATS_URL", &known.nats);
            for (name, value) in known.guard.iter().flat_map(|guard| guard.settings(program)) {
                set(name, &value);
            }
        }
        if is(&[intake, upload, receiver]) {
            set("PROOFLINE_LISTEN", "127.0.0.1:0");
            self.set_secret(&mut set, "PROOFLINE_TOKEN_KEYS", TOKEN_KEYS, folder);
        }
        if is(&[intake, upload, receiver, verifier, normaliser]) {
            set("PROOFLINE_ADMIN_LISTEN", "127.0.0.1:0");
        }
        let uses_tenants = is(&["proofline", intake, upload])
            || (is(&[receiver]) && self.has_webhooks)
            || (is(&[verifier, normaliser]) && self.has_own_account);
        if uses_tenants {
            set("PROOFLINE_TENANTS_FILE", folder.join("tenants.toml").to_str().unwrap());
        }
        if is(&[intake, verifier, normaliser]) {
            self.set_secret(&mut set, "PROOFLINE_KEYS", KEYS, folder);
        }
        if is(&[intake, upload, verifier, normaliser]) {
            set("ASSURE_BASE_URL", &format!("{}/assure", known.simulator));
            set("ASSURE_TOKEN_URL", &format!("{}/auth/open/connect/token", known.simulator));
            set("ASSURE_CLIENT_ID", "simulator");
            self.set_secret(&mut set, "ASSURE_CLIENT_SECRET", CLIENT_SECRET, folder);
        }
        if is(&[receiver]) && self.has_webhooks {
            self.set_secret(&mut set, "PROOFLINE_EVENTS_SECRET", EVENTS_SECRET, folder);
        }
        if is(&[intake]) {
            set("PROOFLINE_PUBLIC_URL", &known.public);
            set("PROOFLINE_UPLOAD_URL", &known.uploads);
        }
        if is(&[normaliser]) {
            set("PROOFLINE_API_URL", &known.api);
        }
        let more = self.more.iter().filter(|(for_whom, _, _)| *for_whom == program);
        settings.extend(more.map(|(_, name, value)| (*name, value.clone())));
        settings
    }

    fn set_secret(
        &self,
        set: &mut impl FnMut(&'static str, &str),
        name: &'static str,
        value: &str,
        folder: &Path,
    ) {
        if !self.secrets_in_files {
            return set(name, value);
        }
        let file_name = match name {
            "PROOFLINE_KEYS" => "PROOFLINE_KEYS_FILE",
            "PROOFLINE_TOKEN_KEYS" => "PROOFLINE_TOKEN_KEYS_FILE",
            "PROOFLINE_EVENTS_SECRET" => "PROOFLINE_EVENTS_SECRET_FILE",
            _ => "ASSURE_CLIENT_SECRET_FILE",
        };
        let path = folder.join(name);
        fs::write(&path, format!("{value}\n")).unwrap();
        set(file_name, path.to_str().unwrap());
    }
}

impl Scene {
    /// Writes the tenants file, and the secrets that it names.
    pub(super) fn write_tenants(&self, known: &Addresses, folder: &Path) {
        let hash = |key: &str| super::digest(key.as_bytes());
        let mut file = TENANTS.replace("ACME", &hash(ACME_KEY)).replace("OTHER", &hash(OTHER_KEY));
        let secret = |name: &str, secret: &str| {
            let path = folder.join(name);
            fs::write(&path, secret).unwrap();
            path.to_str().unwrap().to_owned()
        };
        if known.guard.is_some() {
            file.push_str("subscribers = ['crm']\n");
        }
        if self.has_webhooks {
            let path = secret("their-events-secret", THEIR_EVENTS_SECRET);
            writeln!(file, "events_secret_file = '{path}'").unwrap();
        }
        if self.has_own_account {
            let path = secret("their-client-secret", THEIR_CLIENT_SECRET);
            let url = &known.their_simulator;
            let account = format!(
                "[tenants.other.assure]\nbase_url = '{url}/assure'\n\
                 token_url = '{url}/auth/open/connect/token'\nclient_id = '{THEIR_CLIENT}'\n\
                 client_secret_file = '{path}'\n"
            );
            file.push_str(&account);
        }
        fs::write(folder.join("tenants.toml"), file).unwrap();
    }
}
