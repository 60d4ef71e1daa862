//! `proofline`, as an operator types it.

use super::{Stage, program};

/// What a command came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) said: String,
    /// Standard error.
    pub(crate) complained: String,
}

/// Types `proofline …` with these settings and no others.
pub(crate) async fn type_with(settings: &[(&str, String)], arguments: &[&str]) -> Typed {
    let mut command = program("proofline");
    command.args(arguments).envs(settings.iter().map(|(name, value)| (name, value)));
    let output = command.output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Typed { code: output.status.code(), said: text(output.stdout), complained: text(output.stderr) }
}

impl Stage {
    /// Types `proofline …` at this stage's broker.
    pub(crate) async fn types(&self, arguments: &[&str]) -> Typed {
        let url = self.broker.lock().await.url();
        type_with(&[("PROOFLINE_NATS_URL", url)], arguments).await
    }
}

impl Typed {
    /// What it said, where it must have worked out.
    #[track_caller]
    pub(crate) fn worked(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.said
    }

    /// What it complained of, where it must not have.
    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        self.complained
    }
}
