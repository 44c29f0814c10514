//! `ccwatch stats`, `hooks --scorecard` and `report`, as processes, on a history made here: what came over the wire is hostile,
//! and every number is known.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use ccwatch::decide::routing::Routing;
use ccwatch::history::{History, WriteTx};
use ccwatch::model::{
    ErrorCode, FailureMode, HookProgressEvent, HookStatus, Operation, ProgressEvent, Region, RequestKey, RequestStatus,
    RequestToken, Seen, Sighting, Source, TargetId, TargetName, Timestamp,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// 2026-11-01T00:00:00Z, a Sunday.
const BEGAN: i64 = 1_793_491_200_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// The days of the fixture, and no more.
const PERIOD: [&str; 4] = ["--since", "2026-11-01T00:00:00Z", "--until", "2026-11-11T00:00:00Z"];

/// Text that would do something in a terminal, a page, an attribute, a script, a style, a template, a comment or CSV.
const HOSTILE: &str =
    "Acme::\u{1b}[31m\u{202e}<script>alert(1)</script>::\"'><img src=x onerror=y>{{7*7}}-->&amp;\u{ffff}";

struct Scene {
    folder: TempDir,
    history: Option<History>,
    target: TargetId,
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(BEGAN + millis)
}

impl Scene {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.db")).unwrap();
        let target = history.write(|tx| register(tx, "prod")).unwrap();
        Self {
            folder,
            history: Some(history),
            target,
        }
    }

    /// Ten days. On each, ten requests: AWS::S3::Bucket, nine of which succeed after one to nine minutes, and one that fails
    /// after one. On the last, one that is open, with hooks; and in the middle half a day without a look.
    fn of_ten_days() -> Self {
        let scene = Self::empty();
        let mut sightings = Vec::new();
        for day in 0..10 {
            for number in 0..10 {
                let began = day * DAY + number * 60 * MINUTE;
                let token = format!("{day}-{number}");
                let status = if number == 0 {
                    RequestStatus::Failed
                } else {
                    RequestStatus::Success
                };
                sightings.push(scene.seen(began, began, &token, RequestStatus::InProgress));
                sightings.push(scene.seen(began, began + number.max(1) * MINUTE, &token, status));
            }
        }
        let began = 9 * DAY + 12 * 60 * MINUTE;
        let hooks = |first: HookStatus| {
            vec![
                hook("Acme::Guard::Encryption", "00000001", first, FailureMode::Fail),
                hook(HOSTILE, "00000002", HookStatus::CompleteFailed, FailureMode::Warn),
            ]
        };
        sightings.push(scene.guarded(began, hooks(HookStatus::InProgress)));
        sightings.push(scene.guarded(began + MINUTE, hooks(HookStatus::CompleteFailed)));
        scene.write(|tx| {
            tx.record(&sightings, &Routing::from(vec![]))?;
            tx.open_gap(scene.target, at(5 * DAY), HOSTILE)?;
            tx.close_gap(scene.target, at(5 * DAY + DAY / 2))
        });
        scene
    }

    fn write<T>(&self, work: impl FnOnce(&WriteTx<'_>) -> Result<T, ccwatch::history::Failure>) -> T {
        self.history.as_ref().unwrap().write(work).unwrap()
    }

    fn key(&self, token: &str) -> RequestKey {
        RequestKey {
            target: self.target,
            token: RequestToken::new(token),
        }
    }

    fn seen(&self, began: i64, seen: i64, token: &str, status: RequestStatus) -> Sighting {
        let event = ProgressEvent {
            type_name: Some("AWS::S3::Bucket".into()),
            operation: Some(Operation::Create),
            event_time: Some(at(began)),
            error_code: (status == RequestStatus::Failed).then_some(ErrorCode::NotStabilized),
            status: Some(status),
            ..ProgressEvent::of(RequestToken::new(token))
        };
        Sighting {
            key: self.key(token),
            seen_at: at(seen),
            source: Source::List,
            seen: Seen::Event(Box::new(event), None),
        }
    }

    fn guarded(&self, seen: i64, hooks: Vec<HookProgressEvent>) -> Sighting {
        let event = ProgressEvent {
            type_name: Some(HOSTILE.into()),
            operation: Some(Operation::Update),
            identifier: Some(HOSTILE.into()),
            hooks_request_token: Some("hooks".into()),
            event_time: Some(at(seen)),
            status: Some(RequestStatus::InProgress),
            ..ProgressEvent::of(RequestToken::new("guarded"))
        };
        Sighting {
            key: self.key("guarded"),
            seen_at: at(seen),
            source: Source::Get,
            seen: Seen::Event(Box::new(event), Some(hooks)),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
        command
            .args(arguments)
            .arg("--history")
            .arg(self.path())
            .env_remove("CCWATCH_CONFIG")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{errors}");
        assert_eq!(errors, "");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.said(&[arguments, &["--format", "json"]].concat())).unwrap()
    }
}

fn register(tx: &WriteTx<'_>, entry: &str) -> Result<TargetId, ccwatch::history::Failure> {
    let region = Region("eu-west-1".into());
    let target = tx.register_target(&TargetName::new(entry, &region), None, &region, at(0))?;
    tx.begin_baseline(target.target.id, at(0))?;
    tx.complete_baseline(target.target.id, at(0))?;
    Ok(target.target.id)
}

fn hook(name: &str, version: &str, status: HookStatus, mode: FailureMode) -> HookProgressEvent {
    HookProgressEvent {
        hook_type_name: Some(name.into()),
        hook_type_version_id: Some(version.into()),
        invocation_point: Some("PRE_PROVISION".into()),
        status: Some(status),
        failure_mode: Some(mode),
        ..HookProgressEvent::default()
    }
}

/// With what an editor does not show spelled out.
fn visible(told: &str) -> String {
    told.replace('\u{ffff}', "U+FFFF")
}

/// Without the lines whose numbers are of the file's pages and of today.
fn without_sizes(told: &str) -> String {
    let told = visible(told);
    let lines = told
        .lines()
        .filter(|line| !line.starts_with("takes") && !line.starts_with("grows"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn stats_count_by_type_with_shares_percentiles_and_a_trend() {
    let scene = Scene::of_ten_days();
    let told = scene.said(&[&["stats"][..], &PERIOD].concat());
    insta::assert_snapshot!(without_sizes(&told), @r#"
    TYPE                                                                             COUNT  FAILED  P50  P90  P99  TREND
    AWS::S3::Bucket                                                                    100    10 %   5m   9m   9m  ██████████
    Acme::�[31m�<script>alert(1)</script>::"'><img src=x onerror=y>{{7*7}}-->&amp;U+FFFF      1       -    -    -    -  ▁▁▁▁▁▁▁▁▁█
    (all)                                                                              101    10 %   5m   9m   9m  ██████████

    COUNT: requests that started from 2026-11-01T00:00:00.000Z until 2026-11-11T00:00:00.000Z.
    FAILED: of those whose end is known.
    P50, P90, P99: so many per cent of what succeeded took no longer than this.
    TREND: COUNT by the day, in UTC, from 2026-11-01T00:00:00.000Z on.

    holds      101 requests, 202 ProgressEvents, the oldest of 2026-11-01T00:00:00.000Z
    "#);
    assert!(told.lines().any(|line| line.starts_with("takes")), "{told}");
    assert!(!told.contains('\u{1b}') && !told.contains('\u{202e}'), "{told}");
}

#[test]
fn stats_in_json_have_every_number_and_the_history_with_them() {
    let scene = Scene::of_ten_days();
    let stats = scene.json(&[&["stats"][..], &PERIOD].concat());
    assert_eq!(
        stats["groups"][0],
        json!({
            "group": "AWS::S3::Bucket", "count": 100, "succeeded": 90, "failed": 10, "cancelled": 0, "lost": 0, "open": 0,
            "failed_share": 0.1, "p50_s": 300.0, "p90_s": 540.0, "p99_s": 540.0,
            "trend": [10, 10, 10, 10, 10, 10, 10, 10, 10, 10],
        })
    );
    assert_eq!(stats["groups"][1]["group"], HOSTILE);
    assert_eq!(
        (&stats["all"]["count"], &stats["all"]["open"], &stats["trend_unit"]),
        (&json!(101), &json!(1), &json!("day"))
    );
    let history = &stats["history"];
    assert_eq!((&history["requests"], &history["events"]), (&json!(101), &json!(202)));
    assert!(history["file_bytes"].as_u64() > Some(4096) && history["bytes_per_request"].as_u64() > Some(100));
    assert_eq!(history["oldest_at"], "2026-11-01T00:00:00.000Z");
    assert_eq!(
        (&history["retention"], &history["events_estimated"]),
        (&Value::Null, &json!(false))
    );
}

#[test]
fn stats_group_by_what_is_asked_for() {
    let scene = Scene::of_ten_days();
    let groups = |by: &str| {
        let stats = scene.json(&[&["stats", "--by", by][..], &PERIOD].concat());
        let groups = stats["groups"].as_array().unwrap().clone();
        groups
            .iter()
            .map(|group| {
                (
                    group["group"].as_str().unwrap().to_owned(),
                    group["count"].as_u64().unwrap(),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(groups("operation"), [("CREATE".into(), 100), ("UPDATE".into(), 1)]);
    assert_eq!(groups("target"), [("prod/eu-west-1".into(), 101)]);
    assert_eq!(groups("region"), [("eu-west-1".into(), 101)]);
    assert_eq!(groups("error"), [("NotStabilized".into(), 10)]);
    assert_eq!(
        groups("hook"),
        [(HOSTILE.into(), 1), ("Acme::Guard::Encryption".into(), 1)]
    );
}

#[test]
fn stats_for_machines_are_flat_rows() {
    let scene = Scene::of_ten_days();
    let period = &[&["stats"][..], &PERIOD].concat();
    let csv = scene.said(&[period, &["--format", "csv"][..]].concat());
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[..2],
        [
            "group,count,succeeded,failed,cancelled,lost,open,failed_share,p50_s,p90_s,p99_s,trend",
            "AWS::S3::Bucket,100,90,10,0,0,0,0.1,300.0,540.0,540.0,10 10 10 10 10 10 10 10 10 10"
        ]
    );
    let jsonl = scene.said(&[period, &["--format", "jsonl"][..]].concat());
    let rows: Vec<Value> = jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[1]["open"]), (2, &json!(1)));
}

#[test]
fn stats_say_what_a_configured_retention_comes_to() {
    let scene = Scene::of_ten_days();
    let config = scene.folder.path().join("ccwatch.toml");
    fs::write(
        &config,
        format!("[history]\npath = {:?}\nretention = \"30d\"\n", scene.path()),
    )
    .unwrap();
    let run = |format: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ccwatch"));
        command
            .args(["stats", "--format", format, "--config"])
            .arg(&config)
            .env_remove("CCWATCH_HISTORY");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let stats: Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(stats["history"]["retention"]["retention_s"], 30 * 24 * 3600);
    assert!(run("table").contains("\nretention  30d: "));
}

#[test]
fn stats_of_nothing_say_so() {
    let scene = Scene::empty();
    let told = scene.said(&["stats"]);
    assert!(told.starts_with("No requests started since "), "{told}");
    assert!(told.contains("holds      0 requests, 0 ProgressEvents\n"), "{told}");
    let told = scene.said(&["stats", "--region", "eu-west-7"]);
    assert!(
        told.contains("Z: no Region here is called eu-west-7 (did you mean eu-west-1?)."),
        "{told}"
    );
    assert!(scene.said(&["stats", "--format", "csv"]).starts_with("group,count,"));
    assert_eq!(scene.json(&["stats"])["groups"], json!([]));

    let scene = Scene::of_ten_days();
    let told = scene.said(&[&["stats", "--by", "hook", "--status", "FAILED"][..], &PERIOD].concat());
    assert!(
        told.starts_with("No invocations of hooks that match were first seen from ")
            && told.contains(": FAILED is a request's status; a hook has HOOK_COMPLETE_FAILED or HOOK_FAILED"),
        "{told}"
    );
    let told = scene.said(&[&["stats", "--status", "HOOK_FAILED"][..], &PERIOD].concat());
    assert!(
        told.starts_with("No requests that match started from ") && told.contains("a request has FAILED"),
        "{told}"
    );
}

#[test]
fn stats_and_scorecards_take_the_filters_of_every_listing() {
    let scene = Scene::of_ten_days();
    let counted = |filters: &[&str]| {
        let stats = scene.json(&[&["stats"][..], &PERIOD, filters].concat());
        stats["all"]["count"].as_u64().unwrap()
    };
    assert_eq!(counted(&["--type", "AWS::*"]), 100);
    assert_eq!(counted(&["--type", "!AWS::*"]), 1);
    assert_eq!(counted(&["--failed"]), 10);
    assert_eq!(counted(&["--open"]), 1);
    assert_eq!(counted(&["--hook", "Acme::Guard::*"]), 1);
    assert_eq!(counted(&["--target", "other"]), 0);
    assert_eq!(counted(&["--by", "hook", "--type", "AWS::*"]), 0);
    assert_eq!(counted(&["--by", "hook"]), 2);
    let page = scene.said(&[&["report"][..], &PERIOD, &["--type", "AWS::*", "--failed"]].concat());
    checked(&page);
    assert!(page.contains("<p>Only: type AWS::*; failed.</p>"), "{page}");
    assert!(page.contains("<dt>requests</dt><dd>10</dd>"), "{page}");
}

#[test]
fn a_scorecard_says_how_each_version_of_each_hook_did() {
    let scene = Scene::of_ten_days();
    let told = scene.said(&["hooks", "--scorecard", "--utc"]);
    insta::assert_snapshot!(visible(&told), @r#"
    HOOK                                                                             VERSION   COUNT  PASSED  BLOCKED  WARNED  FAILED  BROKEN  RUNNING  P50  P90  P99  FIRST SEEN                LAST SEEN
    Acme::�[31m�<script>alert(1)</script>::"'><img src=x onerror=y>{{7*7}}-->&amp;U+FFFF  00000002      1       0        0       1       0       0        0    -    -    -  2026-11-10T12:00:00.000Z  2026-11-10T12:00:00.000Z
    Acme::Guard::Encryption                                                          00000001      1       0        1       0       0       0        0   1m   1m   1m  2026-11-10T12:00:00.000Z  2026-11-10T12:00:00.000Z

    BLOCKED: failed in FAIL mode.
    WARNED: failed in WARN mode, and would have blocked in FAIL mode.
    FAILED: failed in a mode that the service did not say.
    BROKEN: of all that failed, those in which the hook itself broke (HOOK_FAILED).
    RUNNING: no end was seen.
    P50, P90, P99: from the first look at it to the look that saw its end, so no finer than the looks are apart;
    what had ended by the first look is left out.
    "#);
    let cards = scene.json(&["hooks", "--scorecard"]);
    let of = |name: &str, version: &str, blocked: u32, warned: u32, seconds: Value| {
        json!({
            "hook_type_name": name, "hook_type_version_id": version, "invocations": 1, "passed": 0, "blocked": blocked,
            "warned": warned, "failed_in_unknown_mode": 0, "running": 0, "broken": 0, "p50_s": seconds, "p90_s": seconds,
            "p99_s": seconds, "first_seen_at": "2026-11-10T12:00:00.000Z", "last_seen_at": "2026-11-10T12:00:00.000Z",
        })
    };
    let guard = of("Acme::Guard::Encryption", "00000001", 1, 0, json!(60.0));
    assert_eq!(cards, json!([of(HOSTILE, "00000002", 0, 1, Value::Null), guard]));
    assert_eq!(
        scene.json(&["hooks", "--scorecard", "--hook", "Acme::Guard::*"]),
        json!([guard])
    );
    let csv = scene.said(&["hooks", "--scorecard", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 3, "{csv}");
    // How far it is, is for a terminal alone.
    assert!(scene.run(&["hooks", "--scorecard"]).stderr.is_empty());
    let none = scene.run(&["hooks", "--scorecard", "--hook", "No::*"]);
    assert!(none.status.success() && none.stdout.is_empty());
}

#[test]
fn wrong_periods_are_refused_with_what_is_wrong() {
    let scene = Scene::empty();
    for command in ["stats", "report"] {
        let output = scene.run(&[command, "--since", "1d", "--until", "2d"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("--since"));
        assert_eq!(scene.run(&[command, "--since", "yesterday"]).status.code(), Some(2));
    }
}

/// The page, checked by a parser that forgives nothing: it is well-formed, has only elements and attributes of the list, names
/// no address, and its policy allows its one style sheet by the right hash.
const STRICT: &str = r#"
import base64, hashlib, re, sys
import xml.etree.ElementTree as tree

page = sys.stdin.buffer.read().decode()
root = tree.fromstring(page)
elements = set("""html head meta title style body header main section footer h1 h2 p dl div dt dd ul li figure details
summary table caption thead tbody tr th td svg desc rect line circle polyline text""".split())
attributes = set("""lang charset http-equiv content name class scope viewBox role aria-labelledby aria-hidden id x y x1 y1
x2 y2 cx cy r width height points text-anchor""".split())
ids = []
for element in root.iter():
    name = element.tag.split('}')[1]
    assert name in elements, name
    for attribute, value in element.attrib.items():
        assert attribute in attributes, attribute
        assert re.fullmatch(r'[\w ;:/.,=\'+-]*', value), value
    if 'id' in element.attrib:
        ids.append(element.attrib['id'])
assert len(ids) == len(set(ids)), ids
of = lambda name: [element for element in root.iter() if element.tag.split('}')[1] == name]
for svg in of('svg'):
    if svg.get('aria-hidden') != 'true':
        assert svg.get('role') == 'img'
        for label in svg.get('aria-labelledby').split():
            assert label in ids, label
for table in of('table'):
    kinds = [child.tag.split('}')[1] for child in table]
    assert kinds == ['caption', 'thead', 'tbody'], kinds
    columns = len(table[1][0])
    assert columns and all(len(row) == columns for row in table[2]), table[0].text
(style,) = of('style')
digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
policy = [meta.get('content') for meta in of('meta') if meta.get('http-equiv') == 'Content-Security-Policy']
assert policy == [f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"], policy
assert 'url(' not in style.text and '@import' not in style.text
print(len(of('svg')), len(of('table')))
"#;

/// Pictures, with those in keys, and tables of a page that a strict parser finds nothing wrong with.
fn checked(page: &str) -> (usize, usize) {
    use std::io::Write;
    let mut python = Command::new("python3")
        .args(["-c", STRICT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}\n{page}",
        String::from_utf8_lossy(&output.stderr)
    );
    let counts = String::from_utf8(output.stdout).unwrap();
    let (pictures, tables) = counts.trim().split_once(' ').unwrap();
    (pictures.parse().unwrap(), tables.parse().unwrap())
}

#[test]
fn a_report_is_a_page_that_a_strict_parser_takes_and_in_which_the_wire_is_only_text() {
    let scene = Scene::of_ten_days();
    let page = scene.said(&[&["report"][..], &PERIOD].concat());
    let (pictures, tables) = checked(&page);
    assert!(pictures >= 5 && tables >= 6, "{pictures} pictures, {tables} tables");
    for raw in ["<script", "<img", "\u{1b}", "\u{202e}", "\u{ffff}", "\"'>", "-->", "49"] {
        assert!(
            !page.contains(&format!("{raw}alert")) && (raw == "49" || !page.contains(raw)),
            "{raw}"
        );
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;"));
    for told in [
        "{{7*7}}",
        "NotStabilized",
        "Open for longest",
        "When ccwatch did not look",
        "prod&#x2f;eu-west-1",
    ] {
        assert!(page.contains(told), "{told}");
    }
}

#[test]
fn a_report_of_nothing_and_of_one_request_are_pages_too() {
    let scene = Scene::empty();
    let page = scene.said(&["report"]);
    checked(&page);
    assert!(page.contains("No request began in this time") && page.contains("No request is open."));
    scene.write(|tx| {
        let began = scene.seen(0, 0, "one", RequestStatus::Pending);
        let ended = scene.seen(0, MINUTE, "one", RequestStatus::Success);
        tx.record(&[began, ended], &Routing::from(vec![]))
    });
    let page = scene.said(&[&["report"][..], &PERIOD].concat());
    checked(&page);
    assert!(
        page.contains("<dt>requests</dt><dd>1</dd>") && page.contains("<dd>1m</dd>"),
        "{page}"
    );
}

#[test]
fn a_report_replaces_no_file_unless_it_is_told_to_and_leaves_no_other() {
    let scene = Scene::empty();
    let path = scene.folder.path().join("report.html");
    let names = || {
        let mut names: Vec<_> = fs::read_dir(scene.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("report"))
            .collect();
        names.sort();
        names
    };
    let made = scene.run(&["report", "-o", "report.html"]);
    assert_eq!((made.status.code(), made.stdout), (Some(0), Vec::new()));
    let told = String::from_utf8(made.stderr).unwrap();
    assert!(told.starts_with("report.html: ") && told.lines().count() == 1, "{told}");
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.ends_with("</html>") || page.ends_with("</html>\n"));
    fs::write(&path, "mine").unwrap();
    let refused = scene.run(&["report", "-o", "report.html"]);
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        told.contains("report.html is there already") && told.contains("--force"),
        "{told}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(scene.run(&["report", "-o", "report.html", "--force"]).status.success());
    assert_ne!(fs::read_to_string(&path).unwrap(), "mine");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "who could read it still can");
    assert_eq!(names(), ["report.html"]);

    let nowhere = scene.run(&["report", "-o", "no/such/report.html"]);
    assert_eq!(nowhere.status.code(), Some(2));
    let told = String::from_utf8(nowhere.stderr).unwrap();
    assert!(told.contains("no/such") && told.contains("No such file"), "{told}");
}
