//! How a fleet is made up: how many of each program, and their settings.

use std::path::{Path, PathBuf};

use super::{Fleet, INTAKE, NODES, NORMALISER, RECEIVER, SIMULATOR, UPLOAD, VERIFIER};
use crate::harness::{ACME_KEY, Build, TOKEN_KEYS, digest};

/// Seals documents.
pub(crate) const KEYS: &str = "seal1:cGxhbnRlZC1zZWFsaW5nLWtleS1wbGFudGVkLWtleTA=";

const TENANTS: &str = r#"
[tenants.acme]
api_key_sha256 = ["ACME"]
web_origins = ["https://app.acme.example"]
"#;

/// What differs from one of each with the usual settings.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(super) is_on_a_cluster: bool,
    /// Where its files stay afterwards; without it they go.
    pub(super) kept_in: Option<PathBuf>,
    replicas: Vec<(&'static str, usize)>,
    more: Vec<(&'static str, &'static str, String)>,
    pub(super) build: Build,
    pub(super) is_balanced: bool,
}

/// Addresses that processes must know of each other; empty until they are known.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    pub(super) nats: String,
    pub(super) nats_ports: Vec<u16>,
    pub(super) simulator: String,
    pub(super) receiver: String,
    pub(super) upload: String,
    pub(super) intake: String,
}

impl Plan {
    /// One of each, with the usual settings.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The broker is three servers that sync always, with cables that can be cut between them, and
    /// between each of them and each service.
    pub(crate) fn on_a_cluster(mut self) -> Self {
        self.is_on_a_cluster = true;
        self.with("proofline", "PROOFLINE_NATS_REPLICAS", NODES)
    }

    /// Everything that is written during the run, logs too, stays in a new directory in this one.
    pub(crate) fn kept_in(mut self, folder: PathBuf) -> Self {
        self.kept_in = Some(folder);
        self
    }

    /// More than one of a program.
    pub(crate) fn replicas(mut self, program: &'static str, count: usize) -> Self {
        self.replicas.push((program, count));
        self
    }

    /// Gives a program one more setting, or another value of one it has.
    pub(crate) fn with(
        mut self,
        program: &'static str,
        name: &'static str,
        value: impl ToString,
    ) -> Self {
        self.more.push((program, name, value.to_string()));
        self
    }

    /// Puts all processes of a program behind one address.
    pub(crate) fn balanced(mut self) -> Self {
        self.is_balanced = true;
        self
    }

    /// Starts another build of the services than today's.
    pub(crate) fn of(mut self, build: Build) -> Self {
        self.build = build;
        self
    }

    /// Starts everything and waits until it is ready.
    pub(crate) async fn start(self) -> Fleet {
        Fleet::start(self).await
    }

    /// The simulator stands for Assure, which is the same whatever our services are.
    pub(super) fn build_of(&self, program: &str) -> Build {
        if program == SIMULATOR { Build::default() } else { self.build.clone() }
    }

    pub(super) fn count(&self, program: &str) -> usize {
        self.replicas.iter().rev().find(|(of, _)| *of == program).map_or(1, |(_, count)| *count)
    }

    pub(super) fn settings(
        &self,
        program: &str,
        known: &Addresses,
        folder: &Path,
    ) -> Vec<(&'static str, String)> {
        let mut settings = Vec::new();
        let mut set = |name, value: &str| settings.push((name, value.to_owned()));
        let is = |programs: &[&str]| programs.contains(&program);
        if is(&[SIMULATOR]) {
            set("SIMULATOR_LISTEN", "127.0.0.1:0");
            set("SIMULATOR_PROCESSING_TIME", "20ms");
            // Assure does not give up on a receiver that is away.
            set("SIMULATOR_CALLBACK_RETRY", "100ms");
            set("SIMULATOR_CALLBACK_ATTEMPTS", "600");
        } else {
            set("PROOFLINE_NATS_URL", &known.nats);
        }
        if is(&[INTAKE, UPLOAD, RECEIVER]) {
            set("PROOFLINE_LISTEN", "127.0.0.1:0");
            set("PROOFLINE_TOKEN_KEYS", TOKEN_KEYS);
        }
        if is(&[INTAKE, UPLOAD, RECEIVER, VERIFIER, NORMALISER]) {
            set("PROOFLINE_ADMIN_LISTEN", "127.0.0.1:0");
        }
        if is(&["proofline", INTAKE, UPLOAD]) {
            set("PROOFLINE_TENANTS_FILE", folder.join("tenants.toml").to_str().unwrap());
        }
        if is(&[INTAKE, VERIFIER, NORMALISER]) {
            set("PROOFLINE_KEYS", KEYS);
        }
        if is(&[INTAKE, UPLOAD, VERIFIER, NORMALISER]) {
            set("ASSURE_BASE_URL", &format!("{}/assure", known.simulator));
            set("ASSURE_TOKEN_URL", &format!("{}/auth/open/connect/token", known.simulator));
            set("ASSURE_CLIENT_ID", "simulator");
            set("ASSURE_CLIENT_SECRET", "simulator-secret");
        }
        if is(&[INTAKE]) {
            set("PROOFLINE_PUBLIC_URL", &known.receiver);
            set("PROOFLINE_UPLOAD_URL", &known.upload);
        }
        if is(&[NORMALISER]) {
            set("PROOFLINE_API_URL", &known.intake);
        }
        for (_, name, value) in self.more.iter().filter(|(of, _, _)| *of == program) {
            settings.retain(|(set, _)| set != name);
            settings.push((*name, value.clone()));
        }
        settings
    }
}

/// The tenants file of every fleet. It names no subscriber, whose consumer would wait for ever.
pub(super) fn tenants() -> String {
    TENANTS.replace("ACME", &digest(ACME_KEY.as_bytes()))
}
