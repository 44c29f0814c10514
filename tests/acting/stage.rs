//! A simulator, a configuration that leads to it, and commands that are run beside the two.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

/// Answers at once: requests end within a second, and RetryAfter is never far.
pub(crate) const QUICK: &str = r#"
region = "eu-west-1"
pending = "100ms"
cancelling = "100ms"

[retry_after]
after = "300ms"

[other_types]
duration = "300ms"

[[types]]
type_name = "Acme::Test::Slow"
duration = "30days"

[[types]]
type_name = "Acme::Test::Named"
duration = "300ms"
identifier_property = "Name"
"#;

/// As above, with a hook that warns and one that forbids.
pub(crate) const GUARDED: &str = r#"
[[hooks]]
hook_type_name = "Acme::Guard::Warns"
failure_mode = "WARN"
pending = "50ms"
duration = "50ms"
find_fault = 1.0
[hooks.messages]
found_fault = "no owner"
"#;

pub(crate) const FORBIDDEN: &str = r#"
[[hooks]]
hook_type_name = "Acme::Guard::Forbids"
failure_mode = "FAIL"
pending = "50ms"
duration = "50ms"
find_fault = 1.0
[hooks.messages]
found_fault = "not encrypted"
"#;

/// A process of ours that ends with the test.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// In order, as a service manager does.
    pub(crate) fn stop(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

/// A command at its work, and what it says on standard error.
pub(crate) struct Working {
    process: Running,
    says: Lines<BufReader<ChildStderr>>,
}

impl Working {
    /// Waits until it says that.
    pub(crate) fn says(&mut self, what: &str) {
        assert!(
            self.says.any(|line| line.unwrap().contains(what)),
            "it never said {what:?}"
        );
    }

    pub(crate) fn interrupt(&self) {
        self.send("INT");
    }

    pub(crate) fn send(&self, signal: &str) {
        let id = self.process.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Whether the kernel knows of a lock that it has on the file.
    pub(crate) fn locks(&self, file: &Path) -> bool {
        let (process, file) = (self.process.0.id().to_string(), std::fs::metadata(file).unwrap().ino());
        // To read this file in pieces, as is done here, overlooks a lock that is there now and then, and never shows one that is not.
        (0..20).any(|_| {
            let locks = std::fs::read_to_string("/proc/locks").unwrap();
            locks.lines().any(|lock| {
                let words: Vec<&str> = lock.split_whitespace().collect();
                words.contains(&process.as_str()) && words.iter().any(|word| word.ends_with(&format!(":{file}")))
            })
        })
    }

    pub(crate) fn ends_with(mut self, code: i32) {
        assert_eq!(self.process.0.wait().unwrap().code(), Some(code));
    }
}

/// A simulator, a configuration that leads to it, and a history that is not there yet.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) simulator: Running,
    pub(crate) endpoint: String,
}

impl Stage {
    pub(crate) fn new(scenario: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = command(&["simulate", "--listen", "127.0.0.1:0", "--seed", "1", "--scenario", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        process
            .stdin
            .take()
            .unwrap()
            .write_all(scenario.concat().as_bytes())
            .unwrap();
        let mut endpoint = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut endpoint).unwrap();
        let endpoint = endpoint.trim_end().to_owned();
        assert!(endpoint.starts_with("http://"), "{endpoint:?}");
        let stage = Self {
            folder,
            simulator: Running(process),
            endpoint,
        };
        stage.configure(&stage.endpoint);
        stage
    }

    pub(crate) fn configure(&self, endpoint: &str) {
        let config = format!(
            r#"
[history]
path = "history.db"

[poll]
discover_every = "1s"
idle_every = "2s"
sweep_every = "1h"

[[targets]]
name = "prod"
regions = "eu-west-1"
account_id = "123456789012"
endpoint_url = "{endpoint}"

[[receivers]]
name = "file"
type = "file"
path = "told.jsonl"

[[receivers]]
name = "far"
type = "webhook"
url = {{ env = "CCWATCH_TEST_NOT_SET" }}

[[routes]]
name = "everything"
to = "file"
"#
        );
        // The daemon, which sends, has no use for a receiver whose secret is not there.
        let (own, far) = config.split_once("[[receivers]]\nname = \"far\"").unwrap();
        let (_, routes) = far.split_once("[[routes]]").unwrap();
        std::fs::write(self.path("ccwatch.toml"), &config).unwrap();
        std::fs::write(self.path("daemon.toml"), format!("{own}[[routes]]{routes}")).unwrap();
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn config(&self) -> String {
        self.path("ccwatch.toml").to_str().unwrap().to_owned()
    }

    /// Runs a command with the configuration.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut process = command(arguments)
            .args(["--config", &self.config()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Closed behind it. One that does not read it may be gone already.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        process.wait_with_output().unwrap()
    }

    /// Begins a request, and returns its token.
    pub(crate) fn begun(&self, arguments: &[&str]) -> String {
        let begun = self.run(&[arguments, &["--no-wait"]].concat());
        exits(&begun, 0);
        out(&begun).trim_end().to_owned()
    }

    /// Starts a command with the configuration.
    pub(crate) fn start(&self, arguments: &[&str]) -> Working {
        let mut process = command(arguments)
            .args(["--config", &self.config()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stderr.take().unwrap()).lines();
        Working {
            process: Running(process),
            says,
        }
    }

    /// All that a command with the configuration shows on a terminal, in an environment that is changed as env(1) has it.
    pub(crate) fn on_terminal(&self, environment: &str, arguments: &[&str]) -> String {
        let line = format!(
            "stty cols 120 rows 50; env {environment} {} {} --config {}",
            env!("CARGO_BIN_EXE_ccwatch"),
            arguments.join(" "),
            self.config()
        );
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
        for (name, value) in command(&[]).get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        let output = script.output().unwrap();
        String::from_utf8(output.stdout).unwrap().replace('\r', "")
    }

    /// A daemon, which has looked at its target.
    pub(crate) fn daemon(&self) -> Running {
        let process = command(&["run", "--config", self.path("daemon.toml").to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let running = Running(process);
        let sql = "SELECT count(*) FROM targets WHERE baseline_completed_at IS NOT NULL";
        until(|| self.path("history.db").exists() && self.try_count(sql) == Some(1));
        running
    }

    pub(crate) fn try_count(&self, sql: &str) -> Option<i64> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(self.path("history.db"), flags).ok()?;
        connection.query_row(sql, [], |row| row.get(0)).ok()
    }

    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.try_count(sql).unwrap()
    }

    /// The tokens of the requests that stand so.
    pub(crate) fn tokens(&self, status: &str) -> Vec<String> {
        let connection = Connection::open(self.path("history.db")).unwrap();
        let mut statement = connection
            .prepare("SELECT request_token FROM v_requests WHERE status = ?1")
            .unwrap();
        let tokens = statement.query_map([status], |row| row.get(0)).unwrap();
        tokens.map(Result::unwrap).collect()
    }

    /// The changes of all requests, in order.
    pub(crate) fn changes(&self) -> Vec<String> {
        let connection = Connection::open(self.path("history.db")).unwrap();
        let mut statement = connection
            .prepare("SELECT kind || ' ' || coalesce(to_status, '') FROM v_changes ORDER BY id")
            .unwrap();
        let changes = statement.query_map([], |row| row.get(0)).unwrap();
        changes.map(Result::unwrap).collect()
    }

    pub(crate) fn ask(&self, head: &str) -> Value {
        let address = self.endpoint.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    pub(crate) fn calls(&self, operation: &str) -> u64 {
        let calls = self.ask("GET /_simulator/calls");
        calls["operations"][operation]["received"].as_u64().unwrap_or(0)
    }
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
    command
        .args(arguments)
        .env_remove("CCWATCH_CONFIG")
        .env_remove("CCWATCH_HISTORY")
        .env_remove("CCWATCH_TEST_NOT_SET")
        .env("AWS_ACCESS_KEY_ID", "123456789012")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Reads a call, and answers it.
pub(crate) fn answer(mut stream: TcpStream, status: &str, body: &str) {
    let mut asked = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        asked.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(told) = line.strip_prefix("content-length:") {
            length = told.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    asked.read_exact(&mut vec![0; length]).unwrap();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close");
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
}

/// Waits for what is sure to come, however slow the machine is.
pub(crate) fn until(mut it_is_so: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if it_is_so() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    panic!("it did not come");
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn exits(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}\n{}", out(output), err(output));
}

pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}\n{}", out(output), err(output)))
}

/// A create that ends soon.
pub(crate) fn create<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [
        &["create", "--type-name", "Acme::Test::Thing", "--desired-state", "{}"],
        more,
    ]
    .concat()
}

/// A create that takes a month.
pub(crate) fn create_slow<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [
        &["create", "--type-name", "Acme::Test::Slow", "--desired-state", "{}"],
        more,
    ]
    .concat()
}
