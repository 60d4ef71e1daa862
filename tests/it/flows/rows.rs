//! How a verification can end: a row for each end, all of them checked to the last field.

use std::fmt;

use proofline_events::{
    from_timestamp,
    v1::{Flow, SignalSource},
};
use serde_json::{Value, json};

use super::{
    final_result,
    way::{Act, Way, flow_word, lands},
};
use crate::harness::{End, Stage, Verification, time_of};

/// One end of one way.
#[derive(Clone)]
struct Row<'a> {
    way: &'a Way,
    /// Seconds until the deadline.
    expires_in: u64,
    tags: Vec<String>,
    done: Done,
    outcome: &'static str,
    /// Empty for none.
    reason: &'static str,
    /// Assure's; empty where there was no process.
    status: &'static str,
    signal: SignalSource,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// Nothing at all.
    Nothing,
    /// The end-user opens the page, and leaves it.
    Opened,
    /// Everything; on a page this is chosen, but nobody comes back.
    All { choice: &'static str },
    /// The same, and the end-user comes back.
    AllAndBack { choice: &'static str },
}

/// Far enough for any row to have ended.
const FAR_AWAY: u64 = 86_400;

/// Assure's final words, with the outcome and our reason.
const ENDS: [(&str, &str); 5] = [
    ("accepted", ""),
    ("rejected", ""),
    ("inconclusive", ""),
    ("canceled", "canceled-by-end-user"),
    ("failed", "provider-failed"),
];

/// Goes each way to each of its ends, all at the same time, and checks what is told of them.
pub(super) async fn each_end_of(stage: &Stage, ways: &[Way]) {
    let rows: Vec<_> = ways.iter().flat_map(rows_of).collect();
    let mut verifications = Vec::new();
    for row in &rows {
        verifications.push(row.play(stage).await);
    }
    let mut seen = Vec::new();
    for (row, v) in rows.iter().zip(&mut verifications) {
        seen.push(row.shows(stage, v).await);
    }
    let ends = stage.acts().2.ends().await;
    assert_eq!(ends.len(), rows.len(), "each verification has one end");
    for ((row, v), seen) in rows.iter().zip(&verifications).zip(&seen) {
        let mut own = ends.iter().filter(|end| end.event.verification_id == v.id);
        row.tells(stage, v, seen, own.next().unwrap_or_else(|| panic!("{row:?} has no end")));
        row.results(stage, v).await;
    }
}

/// Those with a deadline first, as it is not far away.
fn rows_of(way: &Way) -> Vec<Row<'_>> {
    let is_page = matches!(way.act, Act::Page(_));
    let mut rows = expiring(way);
    for (word, reason) in ENDS.into_iter().filter(|(word, _)| !way.never.contains(word)) {
        // On a page it is the end-user who decides.
        let tag = if is_page { "web".to_owned() } else { format!("simulate:{word}") };
        let row = Row {
            way,
            expires_in: FAR_AWAY,
            tags: vec![tag],
            done: Done::All { choice: word },
            outcome: word,
            reason,
            status: word,
            signal: SignalSource::Callback,
        };
        // Who comes back from a capture is too early for its end, and looking again takes a second.
        let comes_back = way.has_return() && (way.flow != Flow::Capture || word == "accepted");
        if comes_back {
            rows.push(Row {
                tags: vec!["simulate:callback-lost".to_owned()],
                done: Done::AllAndBack { choice: word },
                signal: SignalSource::Return,
                ..row.clone()
            });
        }
        if !comes_back || word == "accepted" {
            rows.push(row);
        }
    }
    rows
}

/// Those of which nothing final is ever heard.
fn expiring(way: &Way) -> Vec<Row<'_>> {
    let row = |expires_in, tags: &[&str], done, reason, status| Row {
        way,
        expires_in,
        tags: tags.iter().map(|tag| format!("simulate:{tag}")).collect(),
        done,
        outcome: "expired",
        reason,
        status,
        signal: SignalSource::Deadline,
    };
    let is_capture = way.flow == Flow::Capture;
    // Without `return-first` some pages end the process at once.
    let endless = ["never-finishes", "return-first"];
    let at_work = Done::All { choice: "as-scripted" };
    let mut rows = vec![
        row(3, &endless, at_work, "no-result", "processing"),
        row(2, &[], Done::Nothing, "never-submitted", if is_capture { "" } else { "pending" }),
    ];
    if is_capture {
        rows.push(row(2, &[], Done::Opened, "never-submitted", "pending"));
    }
    rows
}

impl Row<'_> {
    async fn play(&self, stage: &Stage) -> Verification {
        let v = self.way.begin_until(stage, &self.tags, self.expires_in).await;
        match self.done {
            Done::Nothing => {}
            Done::Opened => {
                stage.acts().1.opens(&self.way.page_of(&v)).await.is(200);
            }
            Done::All { choice } => {
                self.way.act(stage, &v, choice).await;
            }
            Done::AllAndBack { choice } => {
                let sent_on = self.way.act(stage, &v, choice).await.unwrap();
                lands(stage, &v, &sent_on).await;
            }
        }
        v
    }

    /// What the verification shows at its end, when its process is known at last.
    async fn shows(&self, stage: &Stage, v: &mut Verification) -> Value {
        let seen = stage.acts().2.ends_as(v, self.outcome, self.reason).await;
        v.process_id = seen["process_id"].as_str().unwrap_or_default().to_owned();
        assert_eq!(v.process_id.is_empty(), self.status.is_empty(), "{self:?}: {seen}");
        let process_type = Some(self.way.process_type).filter(|name| !name.is_empty());
        for (member, value) in [
            ("status", json!("finished")),
            ("next_action", Value::Null),
            ("flow", json!(flow_word(self.way.flow))),
            ("provider", json!(self.way.provider)),
            ("process_type", json!(process_type)),
            ("dossier_id", json!(v.dossier_id)),
            ("tags", json!(self.tags)),
        ] {
            assert_eq!(seen[member], value, "{self:?}: {member}");
        }
        assert_eq!(seen["reason"].is_null(), self.reason.is_empty(), "{self:?}: {seen}");
        seen
    }

    /// What its one event says.
    fn tells(&self, stage: &Stage, v: &Verification, seen: &Value, end: &End) {
        let event = &end.event;
        let subject = format!("proofline.v1.process-finished.acme.{}", v.id);
        assert_eq!(end.subject, subject, "{self:?}");
        assert_eq!(event.tenant, "acme", "{self:?}");
        assert_eq!(event.reference, "order-778", "{self:?}");
        assert_eq!(event.tags, self.tags, "{self:?}");
        assert_eq!(event.flow(), self.way.flow, "{self:?}");
        assert_eq!(event.provider, self.way.provider, "{self:?}");
        assert_eq!(event.process_type, self.way.process_type, "{self:?}");
        assert_eq!(event.dossier_id, v.dossier_id, "{self:?}");
        assert_eq!(event.process_id, v.process_id, "{self:?}");
        let outcome = event.outcome().as_str_name().to_lowercase();
        assert_eq!(outcome, format!("outcome_{}", self.outcome), "{self:?}");
        assert_eq!(event.reason_code, self.reason, "{self:?}");
        assert_eq!(event.assure_status, self.status, "{self:?}");
        assert_eq!(event.signal_source(), self.signal, "{self:?}");
        let url = format!("{}/v1/verifications/{}/result", stage.caller.api, v.id);
        assert_eq!(event.result_url, url, "{self:?}");
        for (time, member) in
            [(&event.requested_at, "created_at"), (&event.finished_at, "finished_at")]
        {
            let time = time.as_ref().and_then(from_timestamp).unwrap();
            assert_eq!(time, time_of(&seen[member]), "{self:?}: {member}");
        }
    }

    /// What its result has: everything that Assure says of the process, and ours.
    async fn results(&self, stage: &Stage, v: &Verification) {
        let (_, _, then) = stage.acts();
        let process = match self.status {
            "" => Value::Null,
            _ => then.simulator.get_process(v).await,
        };
        let result = then.result(v).await;
        if self.status.is_empty() {
            assert_eq!(result["fetched_at"], Value::Null, "{self:?}");
        } else {
            time_of(&result["fetched_at"]);
        }
        assert_eq!(process["status"], Value::from(Some(self.status).filter(|s| !s.is_empty())));
        let is_eid = self.way.flow == Flow::Eid;
        let final_result = if is_eid { Value::Null } else { final_result::expected(&process, &[]) };
        let is_told = self.outcome == "accepted" && !is_eid;
        assert_eq!(!final_result.is_null(), is_told, "{self:?}: {process}");
        let depictions = process["depictions"].as_array().cloned().unwrap_or_default();
        let process_type = Some(self.way.process_type).filter(|name| !name.is_empty());
        let expected = json!({
            "verification_id": v.id, "outcome": self.outcome, "provider": self.way.provider,
            "process_type": process_type, "final_result": final_result,
            "provider_result": process["providerSpecific"], "user_info": process["userInfo"],
            "process": process, "depictions": depictions, "fetched_at": result["fetched_at"],
            "omitted": [],
        });
        assert_eq!(result, expected, "{self:?}");
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Way { flow, provider, process_type, .. } = self.way;
        let (outcome, tags) = (self.outcome, &self.tags);
        write!(f, "{flow:?} {provider} {process_type} {:?} {outcome} {tags:?}", self.done)
    }
}
