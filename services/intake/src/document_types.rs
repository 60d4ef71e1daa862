//! `GET /v1/document-types?provider=`: what Assure knows of a provider's documents, kept for a
//! while, as it rarely changes.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use proofline_problem::{Code, Problem};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    app::{Caller, SharedApp},
    openapi::{elsewhere, problems},
};

/// How long a list is taken for what Assure would answer.
const KEPT_FOR: Duration = Duration::from_secs(3600);

/// The providers that Assure has lists for.
const PROVIDERS: [&str; 4] = ["onfido", "signicatpaper", "signicatpictureid", "signicatvideoid"];

/// The lists that were read, by account and provider.
#[derive(Default)]
pub(crate) struct DocumentTypes(Mutex<HashMap<AccountAndProvider, Kept>>);

type AccountAndProvider = (String, &'static str);

struct Kept {
    read_at: Instant,
    list: Vec<Value>,
}

impl DocumentTypes {
    fn kept(&self, account: &str, provider: &'static str) -> Option<Vec<Value>> {
        let lists = self.0.lock().expect("nobody panics while reading or writing it");
        let kept = lists.get(&(account.to_owned(), provider))?;
        (kept.read_at.elapsed() < KEPT_FOR).then(|| kept.list.clone())
    }

    fn keep(&self, account: &str, provider: &'static str, list: Vec<Value>) {
        let mut lists = self.0.lock().expect("nobody panics while reading or writing it");
        lists.insert((account.to_owned(), provider), Kept { read_at: Instant::now(), list });
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    provider: String,
}

/// Lists a provider's documents
///
/// As Assure lists them, kept here for an hour.
#[utoipa::path(
    get, path = "/v1/document-types", tag = "catalogue", operation_id = "getDocumentTypes",
    params(("provider" = String, Query, description = "Assure's name of the provider.",
        example = "onfido")),
    responses(
        (status = 200, description = "The documents.", body = Vec<elsewhere::DocumentType>),
        problems::Catalogue,
    ),
)]
pub(crate) async fn get(
    State(app): State<SharedApp>,
    Caller(tenant): Caller,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Vec<Value>>, Problem> {
    let asked = query.ok().map(|Query(asked)| asked.provider);
    let known = PROVIDERS.into_iter().find(|known| asked.as_deref() == Some(*known));
    let provider = known.ok_or_else(|| {
        let detail = format!("must be one of {}", PROVIDERS.join(", "));
        Problem::new(Code::InvalidRequest, "The request is not valid.").fault("/provider", detail)
    })?;
    let assure = app.assure.of(tenant.name.as_str());
    let account = assure.account_id();
    if let Some(list) = app.document_types.kept(&account, provider) {
        return Ok(Json(list));
    }
    let list = assure.document_types(provider).await;
    let list = list.map_err(|error| proofline_callers::of_assure(&error))?;
    app.document_types.keep(&account, provider, list.clone());
    Ok(Json(list))
}
