//! The simulator under load, as far as a test can tell. How fast it is depends on the machine: `tests/load/run.sh` tells.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ccwatch::model::Timestamp;
use ccwatch::simulator::{Scenario, World};

/// What a hundred thousand open requests may take, hooks, messages and the truth about them included, in kB.
const MEMORY_LIMIT: u64 = 400_000;

fn load(file: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/load")).join(file)
}

#[test]
fn the_scenario_for_measuring_has_a_hundred_thousand_open_requests() {
    let start = Timestamp::from_millis(1_767_110_540_245);
    let scenario = Scenario::load(&load("hundred_thousand.toml")).unwrap();
    let mut world = World::new(scenario, 1, start);
    world.advance(start.plus(Duration::from_secs(101)));
    let requests = world.truth().requests();
    assert_eq!(requests.len(), 101_182, "docs/simulator.md has this number");
    assert!(requests.values().all(|request| request.finished_at.is_none()));
    let guarded = requests.values().filter(|request| !request.hooks.is_empty()).count();
    let talking = requests.values().filter(|request| request.message.is_some()).count();
    assert!(guarded > 99_000 && talking > 5_000, "{guarded}, {talking}");
}

#[test]
fn a_hundred_thousand_open_requests_take_less_than_400_megabytes() {
    let mut simulator = Command::new(env!("CARGO_BIN_EXE_ccwatch"))
        .args([
            "simulate",
            "--listen",
            "127.0.0.1:0",
            "--seed",
            "1",
            "--clock",
            "manual",
        ])
        .arg("--scenario")
        .arg(load("hundred_thousand.toml"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(simulator.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    let mut stream = TcpStream::connect(url.trim_end().strip_prefix("http://").unwrap()).unwrap();
    let body = r#"{"by": "101s"}"#;
    let head = "POST /_simulator/advance HTTP/1.1\r\nhost: x\r\nconnection: close";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", simulator.id())).unwrap();
    simulator.kill().unwrap();
    simulator.wait().unwrap();

    assert!(answer.contains(r#""transitions":814739"#), "{answer}");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    assert!((10_000..MEMORY_LIMIT * 1000 / 1024).contains(&peak), "{peak} kB");
}

#[test]
fn every_page_that_a_load_tool_asks_for_is_whole() {
    if Command::new("wrk")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        eprintln!("skipped: there is no wrk (apt-get install wrk)");
        return;
    }
    let measured = Command::new(load("run.sh"))
        .args([env!("CARGO_BIN_EXE_ccwatch"), "2"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&measured.stdout);
    assert!(
        measured.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&measured.stderr)
    );
    let calls = told.lines().find_map(|line| line.strip_prefix("calls ")).unwrap();
    assert!(calls.parse::<u64>().unwrap() > 0, "{told}");
}
