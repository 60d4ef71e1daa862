//! Whether our own services answer where others will look for them.

use std::time::Duration;

use proofline_settings::Url;
use reqwest::{Client, Method, redirect::Policy};
use serde_json::Value;

use super::{
    Settings,
    finding::{Check, Finding, Verdict},
};

const PATIENCE: Duration = Duration::from_secs(10);

/// A request that the right service refuses in its own words, and that changes nothing.
struct Door<'a> {
    check: Check,
    url: &'a Url,
    method: Method,
    path: &'static str,
    advice: &'static str,
}

/// All three, as seen from here.
pub(super) async fn examine(settings: &Settings) -> Vec<Finding> {
    let doors = [
        Door {
            check: Check::CallbackAddress,
            url: &settings.public_url,
            method: Method::POST,
            path: "callbacks/proofline-doctor",
            advice: "Let PROOFLINE_PUBLIC_URL lead to callback-receiver, from the internet too: Assure calls back there.",
        },
        Door {
            check: Check::UploadAddress,
            url: &settings.upload_url,
            method: Method::PUT,
            path: "v1/verifications/vrf_00000000000000000000/images/front",
            advice: "Let PROOFLINE_UPLOAD_URL lead to upload, from where end-users' browsers are.",
        },
        Door {
            check: Check::ApiAddress,
            url: &settings.api_url,
            method: Method::GET,
            path: "v1/verifications/vrf_00000000000000000000",
            advice: "Let PROOFLINE_API_URL lead to intake: it stands in every event as result_url.",
        },
    ];
    let mut findings = Vec::new();
    for door in doors {
        findings.push(knock(&door).await.of(door.check));
    }
    findings
}

async fn knock(door: &Door<'_>) -> Verdict {
    let Door { url, advice, .. } = door;
    let problem = |found: String| Verdict::problem(format!("{url}: {found}"), advice);
    let is_private =
        url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() != "https" && !is_private {
        return problem("is not https, so tokens can be read on the way".to_owned());
    }
    let http = Client::builder().timeout(PATIENCE).redirect(Policy::none()).build();
    let mut to = (*url).clone();
    let extended = to.path_segments_mut().map(|mut path| {
        path.pop_if_empty().extend(door.path.split('/'));
    });
    let (Ok(http), Ok(())) = (http, extended) else {
        return problem("can't be asked".to_owned());
    };
    let answer = match http.request(door.method.clone(), to).body("{}").send().await {
        Ok(answer) => answer,
        Err(error) => return problem(format!("does not answer: {}", cause(&error.without_url()))),
    };
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    // Who asks too often is told so before anything else.
    let is_ours = (status == 401 && body["type"] == "urn:proofline:problem:unauthorized")
        || (status == 429 && body["type"] == "about:blank");
    match is_ours {
        true => Verdict::Fine(format!("{url} refuses a stranger, as it should")),
        false => {
            problem(format!("answers {status}, which is not what our service says to a stranger"))
        }
    }
}

/// The innermost cause: that of the outermost is only that there was no answer.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
