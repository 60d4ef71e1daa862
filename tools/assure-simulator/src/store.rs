//! Dossiers and their processes, in memory.

use std::collections::{BTreeMap, HashMap};

use axum::body::Bytes;
use proofline_assure::wire;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use crate::callbacks::Delivery;
use crate::clock::stamp;
use crate::error::Refusal;
use crate::pages::Pages;
use crate::providers::Provider;
use crate::script::{self, Rule, Script, Subject, UnknownWord};
use crate::status::Status;

/// Which side of what an image shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Depiction {
    Front,
    Back,
    Selfie,
}

impl Depiction {
    pub(crate) const ALL: [Self; 3] = [Self::Front, Self::Back, Self::Selfie];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Back => "back",
            Self::Selfie => "selfie",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.as_str() == name)
    }
}

/// An uploaded image.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) bytes: Bytes,
    /// SHA-256 in hex.
    pub(crate) digest: String,
}

impl Image {
    pub(crate) fn new(bytes: Bytes) -> Self {
        let digest = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        Self { bytes, digest }
    }
}

/// A dossier with what hangs on it.
pub(crate) struct Dossier {
    pub(crate) id: String,
    /// Order of creation; instants may be equal.
    pub(crate) number: u64,
    pub(crate) external_reference: Option<String>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
    pub(crate) user_data: Option<UserData>,
    /// Images by depiction, for processes without their own.
    pub(crate) files: BTreeMap<String, Image>,
    pub(crate) processes: Vec<Process>,
}

impl Dossier {
    pub(crate) fn wire(&self) -> wire::Dossier {
        wire::Dossier {
            dossier_id: self.id.clone(),
            external_reference: self.external_reference.clone(),
            created_at: Some(stamp(self.created_at)),
            updated_at: Some(stamp(self.updated_at)),
        }
    }
}

/// User data of a dossier.
pub(crate) struct UserData {
    pub(crate) members: Map<String, Value>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
}

/// A process.
pub(crate) struct Process {
    pub(crate) id: String,
    pub(crate) dossier_id: String,
    /// Order of creation; instants may be equal.
    pub(crate) number: u64,
    pub(crate) provider: Provider,
    pub(crate) process_type: Option<&'static str>,
    /// As it was created; nothing in it ever changes.
    pub(crate) request: wire::CreateProcess,
    /// Pages of the document, where it is numbered.
    pub(crate) pages: Option<u8>,
    /// The provider's own id of it.
    pub(crate) external_id: String,
    pub(crate) status: Status,
    pub(crate) fail_reason: Option<Value>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
    /// When it became final.
    pub(crate) ended: Option<Instant>,
    pub(crate) images: BTreeMap<Depiction, Image>,
    /// Digests of what was there when verification started.
    pub(crate) verified: Option<BTreeMap<Depiction, String>>,
    /// Whose agents review it, as Start verification was told.
    pub(crate) authority: Option<String>,
    /// How an end-user said that it ends; goes before the script.
    pub(crate) chosen: Option<Status>,
    pub(crate) script: Script,
    /// Callbacks sent so far.
    pub(crate) callbacks: Vec<Delivery>,
}

impl Process {
    /// The status as reading calls show it, which may lag behind.
    pub(crate) fn visible_status(&self) -> &Status {
        let lags = self.ended.is_some_and(|ended| ended.elapsed() < self.script.get_process_lag);
        if lags { &Status::Processing } else { &self.status }
    }

    /// Verification starts: from now on nothing can be uploaded.
    pub(crate) fn freeze(&mut self, now: OffsetDateTime) {
        self.status = Status::Processing;
        self.updated_at = now;
        let images = self.images.iter();
        self.verified = Some(images.map(|(d, image)| (*d, image.digest.clone())).collect());
    }

    /// How it ends.
    pub(crate) fn outcome(&self) -> &Status {
        self.chosen.as_ref().unwrap_or(&self.script.outcome)
    }

    /// Whether a member of `processParameters` is there, whatever it holds.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Value> {
        self.request.process_parameters.as_ref()?.get(name)
    }

    /// Whether the provider's SDK may bring the images.
    pub(crate) fn may_use_sdk(&self) -> bool {
        self.parameter("referrer").is_some() || self.parameter("mobileAppId").is_some()
    }

    /// Onfido deletes nothing while it works on it.
    pub(crate) fn is_undeletable(&self) -> bool {
        self.provider == Provider::Onfido && self.status == Status::Processing
    }
}

/// Everything that is remembered.
pub(crate) struct Store {
    dossiers: HashMap<String, Dossier>,
    /// Process id to dossier id.
    homes: HashMap<String, String>,
    last_number: u64,
    defaults: Script,
    rules: Vec<Rule>,
    /// The pages end-users are sent to.
    pub(crate) pages: Pages,
}

impl Store {
    pub(crate) fn new(defaults: Script) -> Self {
        Self {
            dossiers: HashMap::new(),
            homes: HashMap::new(),
            last_number: 0,
            defaults,
            rules: Vec::new(),
            pages: Pages::default(),
        }
    }

    pub(crate) fn add_dossier(
        &mut self,
        external_reference: Option<String>,
        now: OffsetDateTime,
    ) -> &Dossier {
        let number = self.next_number();
        let id = Uuid::new_v4().to_string();
        self.dossiers.entry(id.clone()).or_insert(Dossier {
            id,
            number,
            external_reference,
            created_at: now,
            updated_at: now,
            user_data: None,
            files: BTreeMap::new(),
            processes: Vec::new(),
        })
    }

    pub(crate) fn dossier(&self, id: &str) -> Result<&Dossier, Refusal> {
        self.dossiers.get(id).ok_or_else(|| Refusal::not_found("dossier"))
    }

    pub(crate) fn dossier_mut(&mut self, id: &str) -> Result<&mut Dossier, Refusal> {
        self.dossiers.get_mut(id).ok_or_else(|| Refusal::not_found("dossier"))
    }

    /// All dossiers, oldest first.
    pub(crate) fn dossiers(&self) -> Vec<&Dossier> {
        let mut all: Vec<_> = self.dossiers.values().collect();
        all.sort_by_key(|d| d.number);
        all
    }

    /// Takes a dossier out, with all its processes.
    ///
    /// # Errors
    ///
    /// 404; 409 while one of its processes can't be deleted.
    pub(crate) fn remove_dossier(&mut self, id: &str) -> Result<(), Refusal> {
        if self.dossier(id)?.processes.iter().any(Process::is_undeletable) {
            return Err(undeletable());
        }
        self.pages.forget_dossier(id);
        if let Some(dossier) = self.dossiers.remove(id) {
            for process in dossier.processes {
                self.homes.remove(&process.id);
            }
        }
        Ok(())
    }

    /// Puts a new process into its dossier, with the script that is meant for it.
    ///
    /// # Errors
    ///
    /// 404 without the dossier; 400 for a misspelt script.
    pub(crate) fn add_process(&mut self, mut process: Process) -> Result<&mut Process, Refusal> {
        process.number = self.next_number();
        let reference = self.dossier(&process.dossier_id)?.external_reference.as_deref();
        process.script = self.script_for(reference, &process).map_err(misspelt)?;
        self.homes.insert(process.id.clone(), process.dossier_id.clone());
        let dossier = self.dossier_mut(&process.dossier_id.clone())?;
        dossier.updated_at = process.created_at;
        Ok(dossier.processes.push_mut(process))
    }

    pub(crate) fn process(&self, dossier: &str, process: &str) -> Result<&Process, Refusal> {
        let found = self.dossier(dossier)?.processes.iter().find(|p| p.id == process);
        found.ok_or_else(|| Refusal::not_found("process"))
    }

    pub(crate) fn process_mut(
        &mut self,
        dossier: &str,
        process: &str,
    ) -> Result<&mut Process, Refusal> {
        let dossier = self.dossier_mut(dossier)?;
        let found = dossier.processes.iter_mut().find(|p| p.id == process);
        found.ok_or_else(|| Refusal::not_found("process"))
    }

    /// A process by its own id alone.
    pub(crate) fn find_process(&mut self, id: &str) -> Result<&mut Process, Refusal> {
        let home = self.homes.get(id).ok_or_else(|| Refusal::not_found("process"))?;
        self.process_mut(&home.clone(), id)
    }

    /// Takes a process out, whatever its state.
    pub(crate) fn remove_process(&mut self, dossier: &str, process: &str) -> Result<(), Refusal> {
        self.process(dossier, process)?;
        self.dossier_mut(dossier)?.processes.retain(|p| p.id != process);
        self.homes.remove(process);
        self.pages.forget_process(process);
        Ok(())
    }

    /// Adds a rule and gives every process that isn't final the script that is now meant for it.
    pub(crate) fn add_rule(&mut self, rule: Rule) {
        self.rules.push(rule);
        self.rewrite_scripts();
    }

    /// Forgets all rules.
    pub(crate) fn clear_rules(&mut self) {
        self.rules.clear();
        self.rewrite_scripts();
    }

    fn rewrite_scripts(&mut self) {
        let mut scripts = HashMap::new();
        for dossier in self.dossiers.values() {
            let open = dossier.processes.iter().filter(|p| !p.status.is_final());
            for process in open {
                // Its words were checked at its creation.
                if let Ok(script) = self.script_for(dossier.external_reference.as_deref(), process)
                {
                    scripts.insert(process.id.clone(), script);
                }
            }
        }
        for process in self.dossiers.values_mut().flat_map(|d| &mut d.processes) {
            if let Some(script) = scripts.remove(&process.id) {
                process.script = script;
            }
        }
    }

    fn script_for(
        &self,
        external_reference: Option<&str>,
        process: &Process,
    ) -> Result<Script, UnknownWord> {
        let subject = Subject {
            external_reference,
            process_id: &process.id,
            tags: &process.request.event_tags,
        };
        script::resolve(self.defaults.clone(), &self.rules, &subject)
    }

    /// The script that a process with these tags would get.
    ///
    /// # Errors
    ///
    /// 404 without the dossier; 400 for a misspelt script.
    pub(crate) fn script_for_tags(
        &self,
        dossier: &str,
        tags: &[String],
    ) -> Result<Script, Refusal> {
        let external_reference = self.dossier(dossier)?.external_reference.as_deref();
        let subject = Subject { external_reference, process_id: "", tags };
        script::resolve(self.defaults.clone(), &self.rules, &subject).map_err(misspelt)
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

fn misspelt(UnknownWord(word): UnknownWord) -> Refusal {
    Refusal::bad_request(format!("The simulator knows no word \"{word}\"."))
}

/// The refusal to delete what a provider is working on.
pub(crate) fn undeletable() -> Refusal {
    Refusal::conflict("A process that the provider is working on can't be deleted.")
}
