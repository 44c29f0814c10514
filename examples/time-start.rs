#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails should fail loudly, and prints"
)]
//! How long `ccwatch run` takes from its exec to READY=1, on a given history: `cargo build --release && cargo run
//! --release --example time-start -- --history FILE`.
//!
//! It also tells when the first call reaches the service, which by then has to wait for nothing but this program's open
//! port. FILE is best made by the example `fill-history`; the daemon writes to it, as it does.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use rustix::process::{Pid, Signal, kill_process};

#[derive(Parser)]
struct Arguments {
    #[arg(long, value_name = "FILE")]
    history: PathBuf,
    #[arg(long, default_value_t = 11)]
    runs: usize,
}

fn main() {
    let arguments = Arguments::parse();
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let config = folder.path().join("ccwatch.toml");
    write_config(
        &config,
        &arguments.history.canonicalize().unwrap(),
        service.local_addr().unwrap().port(),
    );

    let (mut ready, mut called) = (Vec::new(), Vec::new());
    for _ in 0..arguments.runs {
        #[expect(clippy::disallowed_methods, reason = "time itself is what is measured")]
        let begun = Instant::now();
        let mut daemon = Command::new(program())
            .arg("run")
            .arg("--config")
            .arg(&config)
            .env("NOTIFY_SOCKET", &socket)
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for(&manager, "READY=1");
        ready.push(begun.elapsed());
        let call = service.accept().unwrap();
        called.push(begun.elapsed());
        kill_process(Pid::from_child(&daemon), Signal::TERM).unwrap();
        drop(call);
        assert!(daemon.wait().unwrap().success());
        // What further targets asked before the end, and the daemon's farewell.
        service.set_nonblocking(true).unwrap();
        while service.accept().is_ok() {}
        service.set_nonblocking(false).unwrap();
        manager.set_nonblocking(true).unwrap();
        while manager.recv(&mut [0; 256]).is_ok() {}
        manager.set_nonblocking(false).unwrap();
    }
    println!("{} starts, milliseconds: least / median / most", arguments.runs);
    println!("READY=1:                  {}", spread(&mut ready));
    println!("first call to the service: {}", spread(&mut called));
}

/// The program that was built beside this example.
fn program() -> PathBuf {
    let example = std::env::current_exe().unwrap();
    example.parent().unwrap().parent().unwrap().join("ccwatch")
}

/// The targets and receivers that `fill-history` made rows for. Their accounts are given, so that no one is asked for them.
fn write_config(path: &Path, history: &Path, port: u16) {
    let mut file = std::fs::File::create(path).unwrap();
    writeln!(
        file,
        "[history]\npath = {:?}\nretention = \"forever\"",
        history.display().to_string()
    )
    .unwrap();
    for name in ["log", "chat"] {
        writeln!(
            file,
            "[[receivers]]\nname = \"{name}\"\ntype = \"log\"\n[[routes]]\nname = \"{name}\"\nto = \"{name}\""
        )
        .unwrap();
    }
    for (name, account) in [("prod", "111122223333"), ("play", "444455556666")] {
        writeln!(
            file,
            "[[targets]]\nname = \"{name}\"\naccount_id = \"{account}\"\nendpoint_url = \"http://127.0.0.1:{port}\"\n\
             regions = [\"eu-central-1\", \"eu-west-1\", \"us-east-1\", \"us-west-2\"]"
        )
        .unwrap();
    }
}

fn wait_for(manager: &UnixDatagram, word: &str) {
    let mut message = [0; 256];
    loop {
        let length = manager.recv(&mut message).unwrap();
        if message[..length]
            .split(|byte| *byte == b'\n')
            .any(|line| line == word.as_bytes())
        {
            return;
        }
    }
}

fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let milliseconds = |index: usize| format!("{:.0}", times[index].as_secs_f64() * 1000.0);
    [0, times.len() / 2, times.len() - 1].map(milliseconds).join(" / ")
}
