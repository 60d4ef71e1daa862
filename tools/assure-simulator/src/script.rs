//! What happens to one process, as data: resolved from the defaults, from words in its event tags,
//! and from rules posted to the admin API.

mod page;
mod result;
mod webhook;

use std::time::Duration;

use proofline_settings::parse_duration;
use serde::{Deserialize, Serialize, Serializer};

use crate::status::Status;

use self::page::PageChange;
pub use self::page::{AddressMember, PagePlan};
use self::result::ResultChange;
pub use self::result::{ResultPlan, UserInfo};
use self::webhook::WebhookChange;
pub use self::webhook::WebhookPlan;

/// Event tags and external references of this form are words of a script.
const PREFIX: &str = "simulate:";

/// What happens to one process after Start verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Script {
    /// How it ends; [`Status::Processing`] = never.
    pub outcome: Status,
    /// From Start verification to the end.
    #[serde(rename = "processingTimeMs", serialize_with = "as_millis")]
    pub processing_time: Duration,
    /// The callback, where one was asked for.
    pub callback: CallbackPlan,
    /// For how long after the end reading calls still show `processing`.
    #[serde(rename = "getProcessLagMs", serialize_with = "as_millis")]
    pub get_process_lag: Duration,
    /// Imitates the accepted processes that the vendor shows without `finalResult`.
    pub accepted_without_final_result: bool,
    /// Start verification answers 400; the process stays `pending`.
    pub start_refused: bool,
    /// The hosted page, where there is one.
    pub page: PagePlan,
    /// The webhook event at the end.
    pub webhook: WebhookPlan,
    /// How its result is unusual.
    pub result: ResultPlan,
}

/// How the callback of one process goes astray, if it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackPlan {
    /// None is sent at the end.
    pub lost: bool,
    /// How many are sent at the end, all at once.
    pub copies: u32,
    /// Pause between the end and the callback.
    #[serde(rename = "delayMs", serialize_with = "as_millis")]
    pub delay: Duration,
    /// One more is sent at Start verification, with the status that is still to come.
    pub early: bool,
    /// The status it tells instead of the true one.
    pub lie: Option<Status>,
}

impl Default for CallbackPlan {
    fn default() -> Self {
        Self { lost: false, copies: 1, delay: Duration::ZERO, early: false, lie: None }
    }
}

impl Default for Script {
    fn default() -> Self {
        Self {
            outcome: Status::Accepted,
            processing_time: Duration::from_millis(300),
            callback: CallbackPlan::default(),
            get_process_lag: Duration::ZERO,
            accepted_without_final_result: false,
            start_refused: false,
            page: PagePlan::default(),
            webhook: WebhookPlan::default(),
            result: ResultPlan::default(),
        }
    }
}

/// Part of a script: what is absent stays as it was.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Change {
    outcome: Option<Status>,
    processing_time_ms: Option<u64>,
    #[serde(default)]
    callback: CallbackChange,
    get_process_lag_ms: Option<u64>,
    accepted_without_final_result: Option<bool>,
    start_refused: Option<bool>,
    #[serde(default)]
    page: PageChange,
    #[serde(default)]
    webhook: WebhookChange,
    #[serde(default)]
    result: ResultChange,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CallbackChange {
    lost: Option<bool>,
    copies: Option<u32>,
    delay_ms: Option<u64>,
    early: Option<bool>,
    lie: Option<Status>,
}

impl Change {
    pub(crate) fn apply(&self, script: &mut Script) {
        // Before the outcome, which wins over that of a sample.
        self.result.apply(script);
        let plan = &mut script.callback;
        set(&mut script.outcome, self.outcome.clone());
        set(&mut script.processing_time, millis(self.processing_time_ms));
        set(&mut script.get_process_lag, millis(self.get_process_lag_ms));
        set(&mut script.accepted_without_final_result, self.accepted_without_final_result);
        set(&mut script.start_refused, self.start_refused);
        self.page.apply(&mut script.page);
        self.webhook.apply(&mut script.webhook);
        set(&mut plan.lost, self.callback.lost);
        set(&mut plan.copies, self.callback.copies);
        set(&mut plan.delay, millis(self.callback.delay_ms));
        set(&mut plan.early, self.callback.early);
        if self.callback.lie.is_some() {
            plan.lie = self.callback.lie.clone();
        }
    }
}

/// Which processes a posted rule is for; all members that are given must fit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Match {
    external_reference: Option<String>,
    process_id: Option<String>,
    tag: Option<String>,
    #[serde(default)]
    all: bool,
}

impl Match {
    /// Whether it says anything; a rule for nobody in particular must say `all`.
    pub(crate) fn is_empty(&self) -> bool {
        !self.all && !self.is_specific()
    }

    fn is_specific(&self) -> bool {
        self.external_reference.is_some() || self.process_id.is_some() || self.tag.is_some()
    }

    fn fits(&self, subject: &Subject<'_>) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|w| found == Some(w))
        };
        same(&self.external_reference, subject.external_reference)
            && same(&self.process_id, Some(subject.process_id))
            && self.tag.as_ref().is_none_or(|t| subject.tags.contains(t))
    }
}

/// A rule posted to the admin API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    #[serde(rename = "match")]
    pub(crate) matching: Match,
    pub(crate) script: Change,
}

/// What a script is chosen by.
pub(crate) struct Subject<'a> {
    pub(crate) external_reference: Option<&'a str>,
    pub(crate) process_id: &'a str,
    pub(crate) tags: &'a [String],
}

/// The script of one process: defaults, then rules for all, then its own words, then rules that
/// name it; the later wins.
///
/// # Errors
///
/// A word after `simulate:` that nobody knows: a misspelt script must not pass for a quiet one.
pub(crate) fn resolve(
    defaults: Script,
    rules: &[Rule],
    subject: &Subject<'_>,
) -> Result<Script, UnknownWord> {
    let mut script = defaults;
    let (specific, general): (Vec<_>, Vec<_>) =
        rules.iter().filter(|r| r.matching.fits(subject)).partition(|r| r.matching.is_specific());
    for rule in general {
        rule.script.apply(&mut script);
    }
    let own = subject.tags.iter().map(String::as_str);
    for text in own.chain(subject.external_reference) {
        if let Some(word) = text.strip_prefix(PREFIX) {
            apply_word(&mut script, word)?;
        }
    }
    for rule in specific {
        rule.script.apply(&mut script);
    }
    Ok(script)
}

/// A word after `simulate:` that means nothing.
#[derive(Debug)]
pub(crate) struct UnknownWord(pub(crate) String);

fn apply_word(script: &mut Script, word: &str) -> Result<(), UnknownWord> {
    if script.page.heeds(word) || script.webhook.heeds(word) || result::heeds(script, word) {
        return Ok(());
    }
    let unknown = || UnknownWord(word.to_owned());
    let span = |text: &str| parse_duration(text).map_err(|_| unknown());
    let plan = &mut script.callback;
    match word.split_once('=') {
        None => match word {
            "accepted" | "rejected" | "inconclusive" | "canceled" | "failed" => {
                script.outcome = Status::from(word);
            }
            "never-finishes" => script.outcome = Status::Processing,
            "no-final-result" => script.accepted_without_final_result = true,
            "start-refused" => script.start_refused = true,
            "callback-lost" => plan.lost = true,
            "callback-doubled" => plan.copies = 2,
            "callback-early" => plan.early = true,
            _ => return Err(unknown()),
        },
        Some((name, value)) => match name {
            "status" => script.outcome = Status::from(value),
            "processing-time" => script.processing_time = span(value)?,
            "get-process-lag" => script.get_process_lag = span(value)?,
            "callback-delay" => plan.delay = span(value)?,
            "callback-copies" => plan.copies = value.parse().map_err(|_| unknown())?,
            "callback-lie" => plan.lie = Some(Status::from(value)),
            _ => return Err(unknown()),
        },
    }
    Ok(())
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn millis(value: Option<u64>) -> Option<Duration> {
    value.map(Duration::from_millis)
}

fn as_millis<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(tags: &[&str], rules: serde_json::Value) -> Result<Script, UnknownWord> {
        let tags: Vec<String> = tags.iter().map(|t| (*t).to_owned()).collect();
        let rules: Vec<Rule> = serde_json::from_value(rules).unwrap();
        let subject = Subject { external_reference: Some("vrf_1"), process_id: "p-1", tags: &tags };
        resolve(Script::default(), &rules, &subject)
    }

    #[test]
    fn words_add_up() {
        let script = resolved(
            &["web", "simulate:rejected", "simulate:callback-lost", "simulate:processing-time=2s"],
            serde_json::json!([]),
        )
        .unwrap();
        assert_eq!(script.outcome, Status::Rejected);
        assert!(script.callback.lost);
        assert_eq!(script.processing_time, Duration::from_secs(2));
    }

    #[test]
    fn a_rule_for_all_yields_to_words_and_words_to_a_rule_that_names_the_process() {
        let for_all = serde_json::json!({"match": {"all": true}, "script": {"outcome": "failed"}});
        let named =
            serde_json::json!({"match": {"processId": "p-1"}, "script": {"outcome": "canceled"}});
        let other = serde_json::json!({"match": {"externalReference": "vrf_2"}, "script": {"outcome": "inconclusive"}});

        let plain = resolved(&[], serde_json::json!([for_all])).unwrap();
        let tagged = resolved(&["simulate:rejected"], serde_json::json!([for_all, other])).unwrap();
        let ruled = resolved(&["simulate:rejected"], serde_json::json!([named, for_all])).unwrap();

        assert_eq!(plain.outcome, Status::Failed);
        assert_eq!(tagged.outcome, Status::Rejected);
        assert_eq!(ruled.outcome, Status::Canceled);
    }

    #[test]
    fn a_misspelt_word_is_refused() {
        for word in ["simulate:acepted", "simulate:callback-delay=soon", "simulate:"] {
            assert!(resolved(&[word], serde_json::json!([])).is_err(), "{word}");
        }
    }
}
