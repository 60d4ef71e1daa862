//! An end-user's browser, as far as pages need one.

use reqwest::Method;
use serde_json::Value;
use url::Url;

use crate::harness::{Process, Simulator};

/// A page as a browser shows it.
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) html: String,
    /// Where the browser is sent on.
    pub(crate) location: Option<String>,
}

impl Shown {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.html);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.html.contains(text), "\"{text}\" is not in\n{}", self.html);
        self
    }

    /// The words of the buttons, in their order.
    pub(crate) fn choices(&self) -> Vec<&str> {
        let buttons = self.html.split("<button name=\"choice\" value=\"").skip(1);
        buttons.map(|rest| rest.split('"').next().unwrap()).collect()
    }

    /// Where the browser is sent on, taken apart.
    #[track_caller]
    pub(crate) fn redirect(self) -> (Url, Vec<(String, String)>) {
        let shown = self.is(303);
        let url = Url::parse(shown.location.as_deref().unwrap()).unwrap();
        let pairs = url.query_pairs().map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
        (url, pairs)
    }
}

impl Simulator {
    /// Opens a page, without any token.
    pub(crate) async fn open(&self, url: &str) -> Shown {
        self.browse(self.client.request(Method::GET, url)).await
    }

    /// Presses a button of a page.
    pub(crate) async fn choose(&self, url: &str, word: &str) -> Shown {
        self.browse(self.client.request(Method::POST, url).form(&[("choice", word)])).await
    }

    async fn browse(&self, request: reqwest::RequestBuilder) -> Shown {
        let response = request.send().await.unwrap();
        let location = response.headers().get("location").map(|v| v.to_str().unwrap().to_owned());
        Shown { status: response.status().as_u16(), location, html: response.text().await.unwrap() }
    }

    /// Create process in a dossier of its own, and the whole answer to it.
    pub(crate) async fn created(&self, body: Value) -> (Process, Value) {
        let dossier = self.dossier().await;
        let path = format!("/assure/dossiers/{dossier}/processes");
        let answer = self.post(&path, body).await.is(201);
        let id = answer["processId"].as_str().unwrap().to_owned();
        (Process { dossier, id }, answer)
    }

    /// The status that Get process tells.
    pub(crate) async fn status_of(&self, process: &Process) -> Value {
        self.get(&process.path()).await.is(200)["status"].clone()
    }
}

/// Parameters as a redirect carries them.
pub(crate) fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}
