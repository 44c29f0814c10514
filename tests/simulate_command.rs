//! `ccwatch simulate`: which world it serves, and when its time passes.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

fn simulate(listen: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
    command
        .args(["simulate", "--listen", listen, "--seed", "1"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A simulator that serves until it is dropped.
struct Serving {
    process: Child,
    address: String,
}

impl Serving {
    fn start(arguments: &[&str], scenario: &str) -> Self {
        let mut process = simulate("127.0.0.1:0", arguments).spawn().unwrap();
        // Closed behind it. One that does not read it may be gone already.
        let _ = process.stdin.take().unwrap().write_all(scenario.as_bytes());
        let mut line = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("http://").unwrap_or_default().to_owned();
        let serving = Self { process, address };
        assert!(!serving.address.is_empty(), "no address: {line:?}");
        serving
    }

    fn ask(&self, head: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let request = format!("{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn call(&self, operation: &str, input: &Value) -> Value {
        let head = format!(
            "POST / HTTP/1.1\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-target: CloudApiService.{operation}"
        );
        let (status, answer) = self.ask(&head, &input.to_string());
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn advance(&self, body: &str) -> (u16, Value) {
        self.ask("POST /_simulator/advance HTTP/1.1", body)
    }

    fn status(&self, token: &Value) -> Value {
        let answer = self.call("GetResourceRequestStatus", &json!({ "RequestToken": token }));
        answer["ProgressEvent"]["OperationStatus"].clone()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(arguments: &[&str], scenario: &[u8]) -> Output {
    let mut process = simulate("127.0.0.1:0", arguments).spawn().unwrap();
    let _ = process.stdin.take().unwrap().write_all(scenario);
    process.wait_with_output().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const BUCKET: &str = r#"{"TypeName": "AWS::S3::Bucket", "DesiredState": "{}"}"#;

#[test]
fn with_a_manual_clock_time_stands_still_until_it_is_moved() {
    let serving = Serving::start(&["--clock", "manual"], "");
    let created = serving.call("CreateResource", &serde_json::from_str(BUCKET).unwrap());
    let token = created["ProgressEvent"]["RequestToken"].clone();
    assert_eq!(serving.status(&token), "PENDING");

    let (status, begun) = serving.advance(r#"{"by": "0s"}"#);
    assert_eq!((status, &begun["transitions"]), (200, &json!(0)));
    let (status, answer) = serving.advance(r#"{"by": "1m 30s"}"#);
    assert_eq!(status, 200, "{answer}");
    assert!(answer["transitions"].as_u64().unwrap() >= 3, "{answer}");
    let millis = |answer: &Value| {
        let time: jiff::Timestamp = answer["now"].as_str().unwrap().parse().unwrap();
        time.as_millisecond()
    };
    assert_eq!(millis(&answer) - millis(&begun), 90_000);
    assert_eq!(serving.status(&token), "SUCCESS");
    let (_, truth) = serving.ask("GET /_simulator/truth HTTP/1.1", "");
    assert_eq!(truth["now"], answer["now"]);

    let to = json!({ "to": answer["now"] }).to_string();
    let (status, again) = serving.advance(&to);
    assert_eq!((status, &again["transitions"]), (200, &json!(0)), "it is that time");
    let (status, error) = serving.advance(&json!({ "to": begun["now"] }).to_string());
    assert_eq!(status, 400);
    assert!(
        error["error"].as_str().unwrap().ends_with("time goes forward only"),
        "{error}"
    );
    let (status, _) = serving.advance(r#"{"by": "31days"}"#);
    assert_eq!(status, 400);

    // Eight days later it is forgotten.
    let (_, answer) = serving.advance(r#"{"by": "8days"}"#);
    assert_eq!(answer["transitions"], 1, "it expired");
}

#[test]
fn what_is_slow_waits_in_real_time_whatever_the_clock() {
    let scenario = "[faults]\nslow = 1\nslow_by = \"20ms\"\n";
    let serving = Serving::start(&["--clock", "manual", "--scenario", "-"], scenario);
    let listed = serving.call("ListResourceRequests", &json!({}));
    assert_eq!(listed["ResourceRequestStatusSummaries"], json!([]));
}

#[test]
fn a_clock_that_runs_by_itself_cannot_be_moved() {
    let serving = Serving::start(&[], "");
    for body in [r#"{"by": "1s"}"#, "nonsense"] {
        let (status, error) = serving.advance(body);
        assert_eq!(status, 409);
        assert_eq!(
            error["error"],
            "this simulator's clock runs by itself; one that is started with --clock manual can be advanced"
        );
    }
    assert_eq!(serving.ask("GET /_simulator/advance HTTP/1.1", "").0, 405);
}

#[test]
fn a_scenario_comes_by_name_from_a_file_or_through_standard_input() {
    let faults = |serving: &Serving| serving.ask("GET /_simulator/faults HTTP/1.1", "").1;
    let throttled = Serving::start(&["--scenario", "throttled"], "");
    assert_eq!(
        faults(&throttled)["throttle"],
        json!({ "per_second": 2.0, "burst": 5.0 })
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, "faults.access_denied = [\"*\"]").unwrap();
    let mine = Serving::start(&["--scenario", path.to_str().unwrap()], "");
    assert_eq!(faults(&mine)["access_denied"], json!(["*"]));

    let piped = Serving::start(&["--scenario", "-"], "faults.clock_skew = \"-90s\"");
    assert_eq!(faults(&piped)["clock_skew"], "-1m 30s");
}

#[test]
fn a_scenario_that_is_wrong_is_told_with_its_places_and_exits_with_78() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, "fail = 2\n\n[faults]\nresets = -1\n").unwrap();
    let output = run(&["--scenario", path.to_str().unwrap()], b"");
    assert_eq!(output.status.code(), Some(78));
    assert!(output.stdout.is_empty());
    let path = path.display();
    assert_eq!(
        err(&output),
        format!(
            "ccwatch: {path}:1:8: fail: expected a share from 0 to 1, found 2\n{path}:4:10: faults.resets: expected a share from 0 to \
             1, found -1\n2 problems in the scenario.\n"
        )
    );

    let output = run(&["--scenario", "-"], b"fail = 2");
    assert_eq!(output.status.code(), Some(78));
    assert!(
        err(&output).contains("<stdin>:1:8: fail: expected a share"),
        "{}",
        err(&output)
    );

    let output = run(&["--scenario", "livly"], b"");
    assert_eq!(output.status.code(), Some(78));
    assert_eq!(
        err(&output),
        "ccwatch: livly: no such file, nor a scenario of that name (did you mean \"lively\"?); those that come along are friendly, \
         lively, hooks, throttled, flaky-network, traps, busy\nThe scenario could not be read.\n"
    );
    let output = run(&["--clock", "sundial"], b"");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn listening_for_everyone_is_possible_and_warned_of() {
    let mut process = simulate("0.0.0.0:0", &[]).spawn().unwrap();
    let mut talk = BufReader::new(process.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("warning") {
        assert_ne!(talk.read_line(&mut said).unwrap(), 0, "no warning: {said}");
    }
    assert!(said.contains("there is no authentication"), "{said}");
    process.kill().unwrap();
    process.wait().unwrap();
}
