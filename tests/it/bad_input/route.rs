//! A request that is right, to be spoilt.

/// A route, with all that a good request to it has.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// What it is, for people.
    pub(super) name: &'static str,
    /// Where the service listens.
    pub(super) url: String,
    pub(super) method: &'static str,
    pub(super) path: String,
    /// Header lines with what authenticates the sender.
    pub(super) proof: String,
    pub(super) body: Vec<u8>,
}

const USUAL: &str = "host: x\r\nconnection: close\r\n";

impl Route {
    /// As it should be.
    pub(super) fn good(&self) -> Vec<u8> {
        self.with_body(&self.body)
    }

    /// With another body.
    pub(super) fn with_body(&self, body: impl AsRef<[u8]>) -> Vec<u8> {
        self.with("content-type: application/json\r\n", body.as_ref())
    }

    /// With more header lines.
    pub(super) fn with_headers(&self, headers: &str) -> Vec<u8> {
        self.with(headers, &self.body)
    }

    /// With more header lines and another body, whose length is told.
    pub(super) fn with(&self, headers: &str, body: &[u8]) -> Vec<u8> {
        self.framed(&format!("{headers}content-length: {}\r\n", body.len()), body)
    }

    /// With all that tells the body's length.
    pub(super) fn framed(&self, headers: &str, rest: &[u8]) -> Vec<u8> {
        self.starting_with(&format!("{} {} HTTP/1.1", self.method, self.path), headers, rest)
    }

    /// With another method, path or version.
    pub(super) fn with_line(&self, line: &str) -> Vec<u8> {
        let length = format!("content-length: {}\r\n", self.body.len());
        self.starting_with(line, &length, &self.body)
    }

    /// With another path.
    pub(super) fn with_path(&self, path: &str) -> Vec<u8> {
        self.with_line(&format!("{} {path} HTTP/1.1", self.method))
    }

    fn starting_with(&self, line: &str, headers: &str, rest: &[u8]) -> Vec<u8> {
        let head = format!("{line}\r\n{USUAL}{}{headers}\r\n", self.proof);
        [head.as_bytes(), rest].concat()
    }
}
