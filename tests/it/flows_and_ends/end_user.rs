//! Somebody in front of a browser who looks at every address before going there.

use reqwest::{Client, Url};

use super::page_of;
use crate::harness::{Answer, Ask, Verification};

/// An end-user. The client follows no redirects.
pub(super) struct EndUser(Client);

impl EndUser {
    pub(super) fn new(http: &Client) -> Self {
        Self(http.clone())
    }

    /// Goes to an address.
    pub(super) async fn goes_to(&self, address: &str) -> Answer {
        self.0.get(address).ask().await
    }

    /// Opens the page of a verification, and stays there.
    pub(super) async fn opens(&self, v: &Verification) {
        let page = self.goes_to(page_of(v)).await;
        assert_eq!(page.status, 200, "{}", String::from_utf8_lossy(&page.bytes));
    }

    /// Presses a button there; where that leads.
    pub(super) async fn chooses(&self, v: &Verification, word: &str) -> String {
        let sent = self.0.post(page_of(v)).form(&[("choice", word)]).ask().await;
        assert_eq!(sent.status, 303, "{}", String::from_utf8_lossy(&sent.bytes));
        sent.header("location").unwrap().to_owned()
    }

    /// Opens the page, presses a button, and is on the way back; to where.
    pub(super) async fn is_sent_back(&self, v: &Verification, word: &str) -> String {
        self.opens(v).await;
        self.chooses(v, word).await
    }

    /// The same, and on to the caller's page; which that is.
    pub(super) async fn goes_through(&self, v: &Verification, word: &str) -> String {
        let back = self.is_sent_back(v, word).await;
        let answer = self.goes_to(&back).await;
        assert_eq!(answer.status, 303, "{}", String::from_utf8_lossy(&answer.bytes));
        answer.header("location").unwrap().to_owned()
    }
}

/// The last segment of an address's path.
pub(super) fn token_of(address: &str) -> String {
    let address = Url::parse(address).unwrap();
    address.path_segments().unwrap().next_back().unwrap().to_owned()
}
