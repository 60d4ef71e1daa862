//! How the result of a process deviates from the usual one.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Script, set};
use crate::samples::{self, Sample};
use crate::status::Status;

/// What a script may ask for at most.
const LARGEST_KIB: u32 = 64 * 1024;

/// How the result of one process differs from the usual one of its provider and outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultPlan {
    /// The sample that is the result while the process has the sample's status; only `processId`
    /// is put into it.
    pub sample: Option<&'static str>,
    /// The form of an eID's `userInfo`.
    pub user_info: UserInfo,
    /// Deviates from the published schema as the vendor's examples do, where they do.
    pub quirks: bool,
    /// Has a member and a value that nobody has heard of yet.
    pub future: bool,
    /// By how many KiB `providerSpecific` is padded.
    pub large_result_kib: u32,
}

/// How an eID gives `userInfo`, which real accounts agree on by contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserInfo {
    /// A JSON object.
    #[default]
    Object,
    /// A JWT of three parts, whose signature is none.
    Signed,
    /// A JWT of five parts; then there is no `finalResult`.
    Encrypted,
}

/// Takes a word to heart; false when it is none of these, or makes no sense.
pub(super) fn heeds(script: &mut Script, word: &str) -> bool {
    let plan = &mut script.result;
    match word.split_once('=') {
        None if word == "quirks" => plan.quirks = true,
        None if word == "future" => plan.future = true,
        Some(("user-info", "object")) => plan.user_info = UserInfo::Object,
        Some(("user-info", "signed")) => plan.user_info = UserInfo::Signed,
        Some(("user-info", "encrypted")) => plan.user_info = UserInfo::Encrypted,
        Some(("large-result", kib)) => match kib.parse::<Padding>() {
            Ok(padding) => plan.large_result_kib = padding.0,
            Err(_) => return false,
        },
        Some(("sample", name)) => match Chosen::try_from(name.to_owned()) {
            Ok(sample) => sample.choose(script),
            Err(_) => return false,
        },
        _ => return false,
    }
    true
}

/// Part of a plan: what is absent stays as it was.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResultChange {
    sample: Option<Chosen>,
    user_info: Option<UserInfo>,
    quirks: Option<bool>,
    future: Option<bool>,
    large_result_kib: Option<Padding>,
}

impl ResultChange {
    pub(super) fn apply(&self, script: &mut Script) {
        if let Some(sample) = self.sample {
            sample.choose(script);
        }
        let plan = &mut script.result;
        set(&mut plan.user_info, self.user_info);
        set(&mut plan.quirks, self.quirks);
        set(&mut plan.future, self.future);
        set(&mut plan.large_result_kib, self.large_result_kib.map(|p| p.0));
    }
}

/// A sample, by its name.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Chosen(Sample);

impl Chosen {
    /// Makes the sample the result, and its status the outcome.
    fn choose(self, script: &mut Script) {
        let status = samples::body(self.0.name).and_then(|body| body.get("status")?.as_str());
        script.outcome = Status::from(status.expect("every sample has a status"));
        script.result.sample = Some(self.0.name);
    }
}

impl TryFrom<String> for Chosen {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let found = samples::samples().find(|s| s.name == name);
        found.map(Self).ok_or("there is no such sample")
    }
}

/// By how many KiB a result is padded.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
struct Padding(u32);

impl TryFrom<u32> for Padding {
    type Error = &'static str;

    fn try_from(kib: u32) -> Result<Self, Self::Error> {
        if kib <= LARGEST_KIB { Ok(Self(kib)) } else { Err("a result has at most 65536 KiB") }
    }
}

impl FromStr for Padding {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<u32>().map_err(|_| "not a number of KiB")?.try_into()
    }
}
