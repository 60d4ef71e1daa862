//! `proofline`, as an operator types it.

use async_nats::{Client, jetstream};
use bytes::Bytes;

use super::{Stage, Verification, program, servers};

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

impl Stage {
    /// A client of this user, where not everybody may do anything.
    pub(crate) async fn client_of(&self, user: &str) -> Client {
        let login = self.guard.as_ref().expect("everybody may").login(user);
        let url = self.broker.lock().await.url();
        login.connect(servers(&url)).await.unwrap()
    }

    /// A verification's wrapped data key, as the one who wraps keys anew may see it.
    pub(crate) async fn data_key_of(&self, v: &Verification) -> Bytes {
        let client = self.client_of("keys").await;
        let stream = jetstream::new(client).get_stream_no_info("KV_DATA_KEYS").await.unwrap();
        let subject = format!("$KV.DATA_KEYS.acme.{}", v.id);
        stream.get_last_raw_message_by_subject(&subject).await.unwrap().payload
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
