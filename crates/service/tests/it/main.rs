//! A real process, the example `smallest`: its exit codes, what it prints, and how it stops.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// Cargo builds examples beside the tests, one directory up.
fn smallest() -> Command {
    let test = std::env::current_exe().unwrap();
    let profile: PathBuf = test.ancestors().nth(2).unwrap().into();
    let mut command = Command::new(profile.join("examples/smallest"));
    command.env_clear();
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    public: String,
    admin: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start() -> Self {
        let mut child = smallest()
            .env("PROOFLINE_LISTEN", "127.0.0.1:0")
            .env("PROOFLINE_ADMIN_LISTEN", "127.0.0.1:0")
            .env("PROOFLINE_GREETING", "hello")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut running = Self { child, lines, public: String::new(), admin: String::new() };
        while running.public.is_empty() || running.admin.is_empty() {
            let line = running.next_line().expect("it listens before it ends");
            let address = line["address"].as_str().unwrap_or_default().to_owned();
            match line["message"].as_str() {
                Some("listening") => running.public = address,
                Some("admin endpoints are listening") => running.admin = address,
                _ => {}
            }
        }
        running
    }

    fn next_line(&mut self) -> Option<Value> {
        let line = self.lines.next()?.unwrap();
        Some(serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}")))
    }

    fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
}

fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn help_and_version_are_printed_with_exit_code_0() {
    let help = smallest().arg("--help").output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).contains("PROOFLINE_LISTEN"), "{}", text(&help.stdout));
    assert!(help.stderr.is_empty());

    let version = smallest().arg("--version").output().unwrap();
    assert_eq!(version.status.code(), Some(0));
    assert!(text(&version.stdout).starts_with("smallest "));
}

#[test]
fn wrong_settings_are_all_told_on_standard_error_with_exit_code_2() {
    let Output { status, stdout, stderr } = smallest()
        .env("PROOFLINE_LISTEN", "here")
        .env("PROOFLINE_LOG", "a=b=c=d")
        .output()
        .unwrap();

    assert_eq!(status.code(), Some(2));
    assert!(stdout.is_empty(), "{}", text(&stdout));
    for name in ["PROOFLINE_LISTEN", "PROOFLINE_GREETING", "PROOFLINE_LOG"] {
        assert!(text(&stderr).contains(&format!("\n  {name}: ")), "{}", text(&stderr));
    }
}

#[test]
fn a_failed_start_is_logged_with_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let output = smallest()
        .env("PROOFLINE_LISTEN", taken.local_addr().unwrap().to_string())
        .env("PROOFLINE_GREETING", "hello")
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(1));
    let last: Value = serde_json::from_str(text(&output.stdout).lines().last().unwrap()).unwrap();
    assert_eq!(last["level"], "ERROR");
    assert!(last["error"].as_str().unwrap().starts_with("cannot listen on 127.0.0.1:"), "{last}");
}

#[test]
fn after_sigterm_it_is_unready_finishes_what_is_in_flight_and_exits_with_0() {
    let mut service = Running::start();
    assert!(get(&service.public, "/").unwrap().ends_with("hello"));
    assert!(get(&service.admin, "/readyz").unwrap().starts_with("HTTP/1.1 200"));

    // A request is in flight once its body is asked for.
    let mut slow = TcpStream::connect(&service.public).unwrap();
    write!(slow, "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n")
        .unwrap();
    write!(slow, "expect: 100-continue\r\n\r\n").unwrap();
    let mut slow = BufReader::new(slow);
    let mut go_on = String::new();
    slow.read_line(&mut go_on).unwrap();
    assert!(go_on.starts_with("HTTP/1.1 100"), "{go_on}");

    service.terminate();
    let asked = Instant::now();
    while get(&service.admin, "/readyz").unwrap().starts_with("HTTP/1.1 200") {
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "still ready after {:?}",
            asked.elapsed()
        );
    }
    assert!(get(&service.admin, "/readyz").unwrap().contains("shutting down"));
    slow.get_mut().write_all(b"whole").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();

    assert!(answer.ends_with("whole"), "{answer}");
    assert_eq!(service.child.wait().unwrap().code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(10));
}

#[test]
fn metrics_tell_the_route_and_never_the_path() {
    let service = Running::start();
    get(&service.public, "/").unwrap();
    get(&service.public, "/no/such/path").unwrap();
    let metrics = get(&service.admin, "/metrics").unwrap();

    let count = metrics
        .lines()
        .find(|line| {
            line.starts_with("http_server_request_duration_seconds_count")
                && line.contains(r#"http_route="/""#)
        })
        .unwrap_or_else(|| panic!("not in {metrics}"));
    assert!(count.contains(r#"http_request_method="GET""#), "{count}");
    assert!(count.contains(r#"http_response_status_code="200""#), "{count}");
    assert!(!metrics.contains("/no/such/path"), "{metrics}");
}

#[test]
fn a_misspelt_setting_is_warned_of() {
    let output = smallest()
        .env("PROOFLINE_GREETING", "hello")
        .env("PROOFLINE_GREETNG", "misspelt")
        // Nobody's address here: it ends by itself.
        .env("PROOFLINE_LISTEN", "192.0.2.1:1")
        .output()
        .unwrap();
    let lines = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap());
    let warnings: Vec<Value> = lines.filter(|line: &Value| line["level"] == "WARN").collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings[0]["names"], "PROOFLINE_GREETNG");
}
