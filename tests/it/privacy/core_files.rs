//! Core files: a limit of none for files, and nothing to dump for programs that take them by a pipe.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use tokio::process::Command;

use crate::harness::{SERVICES, Stage, TOKEN_KEYS, eventually, program};

/// Not root, and nobody else either.
const SOMEBODY: u32 = 54321;

#[tokio::test]
async fn no_service_leaves_a_core_file() {
    let stage = Stage::start().await;
    for service in SERVICES {
        let limits = fs::read_to_string(format!("/proc/{}/limits", stage.process(service).pid));
        let limits = limits.unwrap();
        let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"], "{service}");
    }
}

/// In `/proc` what is not dumpable belongs to root, whoever runs it. Where the tests are root's, the
/// service is run as somebody else, so that this can be seen.
#[tokio::test]
async fn no_program_is_handed_the_memory_of_a_service_that_crashes() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let service = folder.path().join("service");
    let program = program("proofline-callback-receiver");
    // From where anybody may read.
    fs::copy(program.as_std().get_program(), &service).unwrap();
    let mut command = Command::new(service);
    let tests = fs::metadata("/proc/self").unwrap().uid();
    let runs_it = if tests == 0 { SOMEBODY } else { tests };
    if tests == 0 {
        command.uid(SOMEBODY);
    }
    // There is no NATS; it waits for one.
    command.env_clear().envs([
        ("PROOFLINE_NATS_URL", "nats://127.0.0.1:9"),
        ("PROOFLINE_LISTEN", "127.0.0.1:0"),
        ("PROOFLINE_ADMIN_LISTEN", "127.0.0.1:0"),
        ("PROOFLINE_TOKEN_KEYS", TOKEN_KEYS),
    ]);
    let (log, memory) = (folder.path().join("log"), |pid| format!("/proc/{pid}/mem"));
    command.current_dir("/").stdout(File::create(&log).unwrap()).kill_on_drop(true);
    let child = command.spawn().unwrap();
    eventually("the service listens", async || {
        let said = fs::read_to_string(&log).unwrap();
        if said.contains("\"listening\"") { Ok(()) } else { Err(said) }
    })
    .await;

    let owner = fs::metadata(memory(child.id().unwrap())).unwrap().uid();
    assert_ne!(owner, runs_it, "its memory is its user's");
}
