//! Whether Assure takes our credentials and answers, for the common account and each tenant's own.

use std::time::Duration;

use proofline_ambient::clock;
use proofline_assure::{Account, Client, Error, Pace};
use reqwest::{Client as Http, header::DATE, redirect::Policy};
use time::OffsetDateTime;

use super::{
    Settings,
    finding::{Check, Finding, Verdict},
};

const PATIENCE: Duration = Duration::from_secs(10);
/// A provider that every account knows.
const PROVIDER: &str = "onfido";
/// What a `Date` of whole seconds and a slow answer may make of clocks that agree.
const SKEW: Duration = Duration::from_secs(5);

/// One look needs no pace that is kept anywhere.
struct OneLook;

impl Pace for OneLook {
    fn remaining(&self) -> futures_util::future::BoxFuture<'_, Option<Duration>> {
        Box::pin(async { None })
    }

    fn hold(&self, _: Duration) -> futures_util::future::BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// Both checks.
pub(super) async fn examine(settings: &Settings) -> Vec<Finding> {
    let own = settings.tenants.assure_accounts();
    let common = ("the common account".to_owned(), settings.assure.clone());
    let accounts = own.map(|(tenant, account)| (format!("the account of {tenant}"), account));
    let accounts: Vec<_> = [common].into_iter().chain(accounts).collect();
    let mut fine = Vec::new();
    let mut verdict = None;
    for (name, account) in &accounts {
        match answers(account).await {
            Verdict::Fine(seen) => fine.push(format!("{name}: {seen}")),
            Verdict::Problem { found, advice } => {
                verdict
                    .get_or_insert(Verdict::Problem { found: format!("{name}: {found}"), advice });
            }
            unchecked @ Verdict::Unchecked(_) => {
                verdict.get_or_insert(unchecked);
            }
        }
    }
    let verdict = verdict.unwrap_or_else(|| Verdict::Fine(fine.join("; ")));
    vec![verdict.of(Check::Assure), clock_of(&settings.assure).await.of(Check::AssureClock)]
}

async fn answers(account: &Account) -> Verdict {
    let client = Client::new(account.clone(), Box::new(OneLook));
    let reached =
        "Check ASSURE_BASE_URL, ASSURE_TOKEN_URL and whether this network lets them be reached.";
    match client.document_types(PROVIDER).await {
        Ok(_) => Verdict::Fine("gives a token and answers".to_owned()),
        Err(Error::Credentials) => Verdict::problem(
            "does not take the credentials",
            "Check client id, client secret and scope, here and in Signicat's dashboard.",
        ),
        Err(Error::Refused(refusal)) if matches!(refusal.status, 401 | 403) => Verdict::problem(
            format!("gives a token and refuses what is asked with it ({})", refusal.status),
            "Ask Signicat whether this API client may use Assure, and for the right scope.",
        ),
        Err(Error::Refused(refusal)) => {
            Verdict::Fine(format!("gives a token and answers ({})", refusal.status))
        }
        Err(error @ Error::Limited { .. }) => Verdict::Unchecked(error.to_string()),
        Err(error @ (Error::Unavailable { .. } | Error::SourceBroke)) => {
            Verdict::problem(error.to_string(), reached)
        }
    }
}

/// By the `Date` of whatever it answers.
async fn clock_of(account: &Account) -> Verdict {
    let unknown = |why: &str| Verdict::Unchecked(format!("Assure tells no time: {why}"));
    let http = Http::builder().timeout(PATIENCE).redirect(Policy::none()).build();
    let Ok(http) = http else { return unknown("there is no HTTP client") };
    let before = clock::now();
    let Ok(answer) = http.get(account.base_url.clone()).send().await else {
        return unknown("it does not answer");
    };
    let after = clock::now();
    let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| {
        OffsetDateTime::parse(date, &time::format_description::well_known::Rfc2822).ok()
    });
    let Some(date) = date else { return unknown("its answer has no date") };
    let apart = if date < before { before - date } else { date - after };
    let found = format!("{:.0} s apart at most", apart.as_seconds_f64().max(0.0));
    if apart <= SKEW {
        return Verdict::Fine(found);
    }
    Verdict::problem(
        found,
        "Let this machine, and those of the services, take their time from NTP.",
    )
}
