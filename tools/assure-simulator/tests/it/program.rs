use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Simulator, eventually};

#[test]
fn help_lists_the_settings_and_wrong_ones_are_refused_together() {
    let help = program().arg("--help").output().unwrap();
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    for part in ["SIMULATOR_LISTEN", "127.0.0.1:8090", "SIMULATOR_PROCESSING_TIME", "300ms"] {
        assert!(help.contains(part), "{part} is not in\n{help}");
    }

    let wrong = [("SIMULATOR_LISTEN", "nowhere"), ("SIMULATOR_SEED", "many")];
    let refused = program().envs(wrong).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let refused = String::from_utf8(refused.stderr).unwrap();
    for (name, _) in wrong {
        assert!(refused.contains(name), "{name} is not in\n{refused}");
    }
}

#[test]
fn the_program_starts_without_arguments_and_tells_where_it_listens() {
    let mut program = program();
    program.env("SIMULATOR_LISTEN", "127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Running(program.spawn().unwrap());

    let log = BufReader::new(child.0.stdout.take().unwrap());
    let line = log.lines().map(Result::unwrap).find(|line| line.contains("listening")).unwrap();

    let line: Value = serde_json::from_str(&line).unwrap();
    assert!(line.to_string().contains("127.0.0.1:"), "{line}");
}

#[tokio::test]
async fn it_stops_when_asked_although_a_call_is_slow() {
    let simulator = Simulator::start().await;
    let fault = json!({"operation": "listDossiers", "kind": {"slow": {"ms": 3_600_000}}});
    simulator.post("/simulator/faults", fault).await.is(201);
    let slow = tokio::spawn(simulator.request(Method::GET, "/assure/dossiers").send());
    eventually(async || {
        let calls = simulator.get("/simulator/calls").await.is(200);
        if calls["counts"]["listDossiers"] == 1 { Ok(()) } else { Err(calls) }
    })
    .await;

    simulator.stop().await.unwrap();

    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
}

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_assure-simulator"));
    program.env_clear();
    program
}
