//! How much memory a process needs at most while something happens.

use std::fs;

use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::json;

use super::{Fleet, Journey, UPLOAD, persist};
use crate::harness::jpeg;

/// The memory of the upload service, from now on.
pub(crate) struct Growth {
    pid: u32,
    before: u64,
}

impl Growth {
    /// Begins to measure.
    pub(crate) async fn begin(fleet: &Fleet) -> Self {
        let pid = fleet.the(UPLOAD).pid().await;
        // The highest mark is what it has now.
        fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
        Self { pid, before: bytes_of(pid, "VmRSS:") }
    }

    /// By how many bytes it has grown at its highest.
    pub(crate) fn end(self) -> u64 {
        bytes_of(self.pid, "VmHWM:").saturating_sub(self.before)
    }
}

fn bytes_of(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Uploads so many images of this size, each of another verification, all at the same time.
pub(crate) async fn at_once(fleet: &Fleet, name: &str, count: usize, size: usize) {
    let image = Bytes::from([jpeg(""), vec![b'x'; size]].concat()).slice(..size);
    let caller = fleet.caller();
    let creations = (0..count).map(async |number| {
        Journey::new(caller.clone(), format!("{name} {number}"), json!({})).begins().await
    });
    let all = join_all(creations).await;
    let uploads = all.iter().map(async |v| {
        let upload = || caller.put_image(&v.id, "front").body(image.clone());
        persist("an upload", upload).await.says_nothing(204);
    });
    join_all(uploads).await;
}
