//! A way to verify somebody: what is asked for, and what is done until Assure is at work.

use proofline_events::v1::Flow;
use serde_json::{Value, json};

use crate::harness::{Answer, Ask, Stage, Verification, jpeg};

/// Where the end-user lands in the end.
pub(super) const RETURN_URL: &str = "https://app.acme.example/done?order=778#end";
/// The same with `verification_id` appended, before and after the id.
const LANDING: (&str, &str) = ("https://app.acme.example/done?order=778&verification_id=", "#end");

/// A flow with a provider and its process type.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) flow: Flow,
    pub(super) provider: &'static str,
    /// Empty where the provider has none.
    pub(super) process_type: &'static str,
    /// What else the creation says.
    members: Value,
    pub(super) act: Act,
    /// An end that the provider does not know.
    pub(super) never: &'static [&'static str],
}

/// What callers and end-users do.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// The caller uploads these images, if any, and submits with these parameters, if any.
    Submission { images: &'static [&'static str], parameters: Option<Value> },
    /// The end-user chooses on the page whose address is at this place of the next action.
    Page(&'static str),
}

impl Way {
    fn new(flow: Flow, provider: &'static str, process_type: &'static str, act: Act) -> Self {
        Self { flow, provider, process_type, members: json!({}), act, never: &[] }
    }

    /// Document flow, with these images through Proofline.
    pub(super) fn upload(
        provider: &'static str,
        process_type: &'static str,
        images: &'static [&'static str],
    ) -> Self {
        let act = Act::Submission { images, parameters: None };
        Self::new(Flow::Document, provider, process_type, act)
    }

    /// Document flow, with the provider's SDK.
    pub(super) fn sdk(provider: &'static str, process_type: &'static str) -> Self {
        Self::upload(provider, process_type, &[]).with(json!({ "capture_by": "sdk" }))
    }

    /// Document flow, with `ReadID`'s own app, which finishes by itself.
    pub(super) fn app() -> Self {
        let act = Act::Page("/details/universalLink");
        let way = Self::new(Flow::Document, "readid", "ready", act);
        way.with(json!({ "capture_by": "sdk" }))
    }

    /// Document flow, with `WebID`'s own page.
    pub(super) fn page(process_type: &'static str) -> Self {
        let way = Self::new(Flow::Document, "webid", process_type, Act::Page("/url"));
        way.with(json!({
            "capture_by": "page", "return_url": RETURN_URL, "parameters": { "webid": webid() },
        }))
    }

    /// Capture flow.
    pub(super) fn capture(provider: &'static str, process_type: &'static str) -> Self {
        let way = Self::new(Flow::Capture, provider, process_type, Act::Page("/url"));
        let way = way.with(json!({ "return_url": RETURN_URL }));
        match provider {
            "webid" => way.with(json!({ "options": { "webid": webid() } })),
            _ => way,
        }
    }

    /// eID flow.
    pub(super) fn eid() -> Self {
        let way = Self::new(Flow::Eid, "connect:idin", "", Act::Page("/url"));
        way.with(json!({ "return_url": RETURN_URL }))
    }

    /// With these members in its creation too.
    pub(super) fn with(mut self, members: Value) -> Self {
        for (name, value) in members.as_object().unwrap() {
            self.members[name] = value.clone();
        }
        self
    }

    /// With the provider's own parameters in its submission.
    pub(super) fn submitted_with(mut self, with: Value) -> Self {
        let Act::Submission { parameters, .. } = &mut self.act else { panic!("nobody submits it") };
        *parameters = Some(with);
        self
    }

    /// The provider never ends so.
    pub(super) fn never(self, never: &'static [&'static str]) -> Self {
        Self { never, ..self }
    }

    /// The body of its creation, with these tags.
    pub(super) fn order(&self, tags: &[String]) -> Value {
        let mut order = json!({
            "flow": flow_word(self.flow), "provider": self.provider, "reference": "order-778",
            "tags": tags,
        });
        if !self.process_type.is_empty() {
            order["process_type"] = json!(self.process_type);
        }
        for (name, value) in self.members.as_object().unwrap() {
            order[name] = value.clone();
        }
        order
    }

    /// Creates a verification.
    pub(super) async fn begin(&self, stage: &Stage, tags: &[String]) -> Verification {
        self.begin_until(stage, tags, 86400).await
    }

    /// The same, with so many seconds until its deadline.
    pub(super) async fn begin_until(
        &self,
        stage: &Stage,
        tags: &[String],
        expires_in_seconds: u64,
    ) -> Verification {
        let mut order = self.order(tags);
        order["expires_in_seconds"] = json!(expires_in_seconds);
        Verification::of(stage.caller.post("/v1/verifications").json(&order).ask().await)
    }

    /// Does everything until Assure is at work; on a page this is chosen. The answer is the page's.
    pub(super) async fn act(
        &self,
        stage: &Stage,
        v: &Verification,
        choice: &str,
    ) -> Option<Answer> {
        let (_, when, then) = stage.acts();
        match &self.act {
            Act::Submission { images, parameters } => {
                for depiction in *images {
                    when.uploads(v, depiction, jpeg(depiction)).await.says_nothing(204);
                }
                match parameters {
                    Some(parameters) => when.submits_with(v, parameters.clone()).await.is(202),
                    None => when.submits(v).await.is(202),
                };
                then.simulator.was_asked("startVerification", v, 1).await;
                None
            }
            Act::Page(_) => Some(when.chooses(&self.page_of(v), choice).await),
        }
    }

    /// Whether the end-user comes back to Proofline.
    pub(super) fn has_return(&self) -> bool {
        matches!(self.act, Act::Page("/url"))
    }

    /// Where the end-user chooses.
    #[track_caller]
    pub(super) fn page_of(&self, v: &Verification) -> String {
        let Act::Page(place) = self.act else { panic!("it has no page") };
        let address = v.created["next_action"].pointer(place).and_then(Value::as_str);
        address.unwrap_or_else(|| panic!("{}", v.created)).to_owned()
    }
}

/// How a process such as a sample's comes to be.
pub(super) fn way_to(sample: &Value) -> Way {
    let text = |name: &str| sample[name].as_str().unwrap_or_default();
    match (text("provider"), text("processType")) {
        ("onfido", "document") => Way::upload("onfido", "document", &["front"])
            .with(json!({ "document": { "type": "passport" } })),
        ("onfido", "documentSelfie") => {
            Way::upload("onfido", "documentSelfie", &["front", "selfie"])
                .with(json!({ "document": { "type": "passport" } }))
        }
        ("signicatvideoid", "substantial") => Way::sdk("signicatvideoid", "substantial"),
        // The older names.
        ("signicatvideoid", "high") | ("eid", "attended") => Way::sdk("signicatvideoid", "high"),
        ("readid", "sdk") => Way::sdk("readid", "sdk"),
        ("readid", "ready") => Way::app(),
        ("signicatpaper", "") => Way::upload("signicatpaper", "", &["front", "back"])
            .with(json!({ "document": { "type": "identityCard", "country": "NLD" } })),
        ("signicatpictureid", "document") => {
            Way::upload("signicatpictureid", "document", &["front"])
                .with(json!({ "document": { "id": 101 } }))
        }
        ("signicatpictureid", "documentSelfie") => {
            Way::upload("signicatpictureid", "documentSelfie", &["front", "back", "selfie"])
                .with(json!({ "document": { "id": 502 } }))
        }
        ("facetec", "") => {
            Way::upload("facetec", "", &["front"]).submitted_with(enrolment("front"))
        }
        ("webid", "videoid") => Way::page("videoid"),
        ("webid", "accountid") => Way::page("accountid"),
        ("connect:idin", "") => Way::eid(),
        other => panic!("a sample of {other:?}"),
    }
}

/// The end-user goes where a page sent them, and lands on the caller's page.
pub(super) async fn lands(stage: &Stage, v: &Verification, sent_on: &Answer) {
    assert_eq!(sent_on.status, 303, "{sent_on:?}");
    let ours = sent_on.header("location").unwrap();
    let receiver = &stage.process("proofline-callback-receiver").url;
    assert!(ours.starts_with(&format!("{receiver}/return/")), "{ours}");
    let answer = stage.caller.http.get(ours).ask().await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let landing = format!("{}{}{}", LANDING.0, v.id, LANDING.1);
    assert_eq!(answer.header("location"), Some(landing.as_str()));
}

pub(super) fn flow_word(flow: Flow) -> &'static str {
    match flow {
        Flow::Document => "document",
        Flow::Capture => "capture",
        Flow::Eid => "eid",
        Flow::Unspecified => panic!("no flow"),
    }
}

/// What `WebID` must be told, but for the addresses, which are Proofline's.
pub(super) fn webid() -> Value {
    json!({
        "user": {
            "firstName": "Fiktiva", "lastName": "Beispiel", "dateOfBirth": "1990-01-01",
            "contact": { "email": "nobody@app.example", "mobile": "+4900000000" },
        },
        "idDocument": { "nationality": "DEU" },
        "userActionParameters": { "clientName": "Acme", "productType": "product" },
    })
}

/// What `FaceTec`'s SDK gives, to be compared with this image.
pub(super) fn enrolment(depiction: &str) -> Value {
    json!({
        "imageDepiction": depiction,
        "facetecEnrollment": {
            // As large as a real one.
            "faceScan": "planted-face-scan-".repeat(20_000),
            "auditTrailImage": "planted-audit-trail", "lowQualityAuditTrailImage": "planted",
            "userAgent": "planted-agent",
        },
    })
}
