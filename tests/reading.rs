//! What the commands that read show, to people on terminals of any width and to programs, and what bad input gets.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ccwatch::decide::routing::Routing;
use ccwatch::history::History;
use ccwatch::model::{
    ErrorCode, FailureMode, HookProgressEvent, HookStatus, Operation, ProgressEvent, Region, RequestKey, RequestStatus,
    RequestToken, Seen, Sighting, Source, TargetId, TargetName, Timestamp,
};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// What a hostile name tries on a terminal: colour, title, clearing, C1, direction.
const HOSTILE: &str = "evil\u{1b}[31m\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\r\nname";

struct Stage {
    folder: TempDir,
    now: Timestamp,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history.db")).unwrap();
        let now = Timestamp::from_millis(1_795_328_880_000);
        let region = Region("eu-west-1".into());
        let name = TargetName::new("prod", &region);
        let target = history
            .write(|tx| {
                let target = tx.register_target(&name, None, &region, now)?.target.id;
                tx.begin_baseline(target, now)?;
                tx.complete_baseline(target, now)?;
                Ok(target)
            })
            .unwrap();
        let stage = Self { folder, now };
        let seen = [
            stage.seen(target, "aaaa1111", 0, RequestStatus::Pending, "logs"),
            stage.seen(target, "aaaa2222", 60, RequestStatus::Failed, "orders"),
            stage.seen(target, "bbbb3333", 120, RequestStatus::Success, HOSTILE),
        ];
        history.write(|tx| tx.record(&seen, &Routing::default())).unwrap();
        stage
    }

    fn seen(&self, target: TargetId, token: &str, second: u64, status: RequestStatus, identifier: &str) -> Sighting {
        let token = RequestToken::new(token);
        let at = self.now.plus(std::time::Duration::from_secs(second));
        let failed = status == RequestStatus::Failed;
        let hook = HookProgressEvent {
            hook_type_name: Some("Acme::Guard::Encryption".into()),
            hook_type_arn: None,
            hook_type_version_id: None,
            invocation_point: None,
            failure_mode: Some(FailureMode::from("WARN")),
            status: Some(HookStatus::CompleteFailed),
            status_message: Some("not encrypted".into()),
            event_time: None,
        };
        let event = ProgressEvent {
            status: Some(status),
            event_time: Some(at),
            operation: Some(Operation::Create),
            type_name: Some("AWS::RDS::DBInstance".into()),
            identifier: Some(identifier.into()),
            error_code: failed.then(|| ErrorCode::from("Throttling")),
            status_message: failed.then(|| "Rate exceeded".into()),
            hooks_request_token: failed.then(|| "hooks".to_owned()),
            ..ProgressEvent::of(token.clone())
        };
        Sighting {
            key: RequestKey { target, token },
            seen_at: at,
            source: Source::Get,
            seen: Seen::Event(Box::new(event), Some(if failed { vec![hook] } else { Vec::new() })),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn ccwatch(&self, arguments: &[&str]) -> Output {
        ccwatch(&self.path(), arguments)
    }

    /// On a terminal of so many columns.
    fn on_terminal(&self, columns: u16, arguments: &str, environment: &str) -> String {
        let line = format!(
            "stty cols {columns} rows 50; {environment} {} {arguments} --history {}",
            env!("CARGO_BIN_EXE_ccwatch"),
            self.path().display()
        );
        let output = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().replace('\r', "")
    }
}

fn ccwatch(history: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ccwatch"))
        .args(arguments)
        .args(["--history", history.to_str().unwrap()])
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", err(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn filters_mean_the_same_everywhere() {
    let stage = Stage::new();
    for (filter, requests, hooks, changes) in [
        (&[][..], 3, 1, 4),
        (&["--failed"], 1, 1, 2),
        (&["--open"], 1, 0, 1),
        (&["--error", "throttling"], 1, 1, 2),
        (&["--type", "AWS::RDS::*"], 3, 1, 4),
        (&["--type", "!AWS::RDS::*"], 0, 0, 0),
        (&["--identifier", "ord*"], 1, 1, 2),
        (&["--hook", "Acme::*"], 1, 1, 1),
        (
            &["--target", "prod", "--region", "eu-*", "--operation", "create"],
            3,
            1,
            4,
        ),
        (&["--target", "play"], 0, 0, 0),
        (
            &["--since", "2026-11-22T06:29:00Z", "--until", "2026-11-22T06:30:00Z"],
            1,
            1,
            2,
        ),
        // Whatever this machine's clock says: all of time, and none of it.
        (&["--since", "-100y", "--until", "9999-12-31"], 3, 1, 4),
        (&["--until", "-100y"], 0, 0, 0),
    ] {
        for (command, expected) in [("requests", requests), ("hooks", hooks), ("events", changes)] {
            let rows = json(&stage.ccwatch(&[&[command, "--format", "json"], filter].concat()));
            assert_eq!(
                rows.as_array().unwrap().len(),
                expected,
                "{command} {filter:?}: {rows:#}"
            );
        }
    }
}

#[test]
fn where_nothing_is_found_it_is_said_in_which_history() {
    let stage = Stage::new();
    let history = stage.folder.path().join("history.db");
    let no_target = ": no target here is called none (there is prod)";
    for (command, what, why) in [
        (&["requests", "--target", "none"][..], "requests", no_target),
        (&["hooks", "--target", "none"], "hooks", no_target),
        (&["hooks", "--scorecard", "--target", "none"], "hooks", no_target),
        (&["events", "--target", "none"], "events", no_target),
        (&["gaps", "--target", "none"], "gaps", no_target),
        (
            &["gaps", "--target", "prod/eu-west-1,prd/eu-west-1", "--region", "us-*"],
            "gaps",
            ": no target here is called prd/eu-west-1 (did you mean prod/eu-west-1?)",
        ),
        (
            &["requests", "--type", "aws::rds::dbinstance", "--region", "eu-west-2"],
            "requests",
            ": no Region here is called eu-west-2 (did you mean eu-west-1?); \
             no type here is called aws::rds::dbinstance (did you mean AWS::RDS::DBInstance?)",
        ),
        (
            &["hooks", "--hook", "Acme::Guard::Tags", "--error", "NotFound"],
            "hooks",
            ": no error code here is called NotFound (there is Throttling); \
             no hook here is called Acme::Guard::Tags (there is Acme::Guard::Encryption)",
        ),
        (
            &["hooks", "--status", "FAILED"],
            "hooks",
            ": FAILED is a request's status; a hook has HOOK_COMPLETE_FAILED or HOOK_FAILED (--failed means them all)",
        ),
        (
            &["hooks", "--scorecard", "--status", "failed"],
            "hooks",
            ": FAILED is a request's status; a hook has HOOK_COMPLETE_FAILED or HOOK_FAILED (--failed means them all)",
        ),
        (
            &["requests", "--status", "HOOK_COMPLETE_FAILED"],
            "requests",
            ": HOOK_COMPLETE_FAILED is a hook's status; a request has FAILED (--failed means them all)",
        ),
        (
            &["events", "--status", "FAILED", "--hook", "Acme::*"],
            "events",
            ": FAILED is a request's status; a hook has HOOK_COMPLETE_FAILED or HOOK_FAILED (--failed means them all)",
        ),
        // Changes are of both.
        (&["events", "--status", "HOOK_PENDING,CANCEL_COMPLETE"], "events", ""),
        // What names something that is there, or nothing in particular.
        (
            &["requests", "--type", "AWS::RDS::DBInstance", "--operation", "DELETE"],
            "requests",
            "",
        ),
        (
            &["requests", "--type", "AWS::S3::*", "--target", "!dev"],
            "requests",
            "",
        ),
    ] {
        let output = stage.ccwatch(command);
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        assert_eq!(
            (out(&output), err(&output)),
            (
                String::new(),
                format!("no {what} match in {}{why}\n", history.display())
            )
        );
    }
    let output = stage.ccwatch(&["events", "--target", "none", "--format", "jsonl"]);
    assert_eq!((out(&output), err(&output)), (String::new(), String::new()));
    for command in ["requests", "hooks", "events", "gaps"] {
        let csv = out(&stage.ccwatch(&[command, "--target", "none", "--format", "csv"]));
        assert_eq!(csv.lines().count(), 1, "the names of the columns: {csv}");
    }
}

#[test]
fn what_shows_no_rows_by_itself_says_what_it_does_not_know() {
    let stage = Stage::new();
    let file = stage.folder.path().join("out.csv");
    let to_file = ["history", "export", "--target", "prdo", "-o", file.to_str().unwrap()];
    let unknown = |none: &str| {
        let history = stage.path();
        let history = history.display();
        format!("{none} in {history}: no target here is called prdo (did you mean prod?)\n")
    };
    for (command, said) in [
        (&["report", "--target", "prdo"][..], unknown("nothing matches")),
        (
            &["history", "export", "--target", "prdo", "-o", "-"],
            unknown("no requests match"),
        ),
        (
            &to_file,
            format!("{}: 0 requests\n{}", file.display(), unknown("no requests match")),
        ),
        // The page shows hooks, and these are all that there is of the time.
        (
            &["report", "--status", "HOOK_COMPLETE_FAILED", "--since", "-100y"],
            String::new(),
        ),
        (&["report", "--until", "-100y", "--since", "-200y"], String::new()),
    ] {
        let output = stage.ccwatch(command);
        assert_eq!((output.status.code(), err(&output)), (Some(0), said), "{command:?}");
        if command[0] == "report" {
            assert!(out(&output).contains("<html"), "{command:?}");
        }
    }
}

#[test]
fn who_follows_what_is_not_there_is_told_and_follows() {
    let stage = Stage::new();
    for format in ["table", "jsonl"] {
        let mut following = Command::new(env!("CARGO_BIN_EXE_ccwatch"))
            .args(["events", "--follow", "--target", "prdo", "--format", format])
            .args(["--history", stage.path().to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut says = BufReader::new(following.stderr.take().unwrap());
        says.read_line(&mut said).unwrap();
        let follows = following.try_wait().unwrap().is_none();
        following.kill().unwrap();
        following.wait().unwrap();
        assert!(
            said.ends_with(": no target here is called prdo (did you mean prod?)\n"),
            "{said}"
        );
        assert!(follows, "{format}");
    }
}

#[test]
fn a_view_in_csv_is_the_same_whichever_command_wrote_it() {
    fn sorted(output: &Output) -> Vec<String> {
        let mut lines: Vec<String> = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(output.stdout.as_slice())
            .records()
            .map(|record| format!("{:?}", record.unwrap()))
            .collect();
        lines[1..].sort();
        lines
    }
    let stage = Stage::new();
    let sql = |sql: &str| sorted(&stage.ccwatch(&["sql", sql, "--format", "csv"]));
    for (command, view) in [("requests", "requests"), ("hooks", "hooks"), ("events", "changes")] {
        let asked = sql(&format!("SELECT * FROM v_{view}"));
        assert!(asked.len() > 1, "{asked:?}");
        // A hook comes with what it judged.
        let listed = if command == "hooks" {
            sql("SELECT h.*, r.type_name, r.identifier, r.operation
                 FROM v_hooks AS h JOIN v_requests AS r USING (target, request_token)")
        } else {
            asked.clone()
        };
        assert_eq!(
            sorted(&stage.ccwatch(&[command, "--limit", "0", "--format", "csv"])),
            listed
        );
        let export = ["history", "export", "--view", view, "--format", "csv", "-o", "-"];
        assert_eq!(sorted(&stage.ccwatch(&export)), asked);
    }
    let open = |format| out(&stage.ccwatch(&["requests", "--open", "--format", format]));
    assert!(open("csv").contains(",1,"), "{}", open("csv"));
    assert!(open("jsonl").contains("\"open\":true"), "{}", open("jsonl"));
}

#[test]
fn every_format_has_the_same_rows() {
    let stage = Stage::new();
    for command in ["requests", "hooks", "events"] {
        let array = json(&stage.ccwatch(&[command, "--format", "json"]));
        let lines = out(&stage.ccwatch(&[command, "--format", "jsonl"]));
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(array, Value::from(lines), "{command}");
        let csv = stage.ccwatch(&[command, "--format", "csv"]);
        let mut csv = csv::Reader::from_reader(csv.stdout.as_slice());
        let columns: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
        for (row, object) in csv.records().zip(array.as_array().unwrap()) {
            let row = row.unwrap();
            assert_eq!(columns.len(), object.as_object().unwrap().len());
            for (column, value) in columns.iter().zip(&row) {
                let expected = match &object[column] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    Value::Bool(yes) => u8::from(*yes).to_string(),
                    other => other.to_string(),
                };
                assert_eq!(value, expected, "{command}.{column}");
            }
        }
    }
    let timeline = out(&stage.ccwatch(&["show", "aaaa2222", "--format", "csv"]));
    assert!(timeline.starts_with("at,until,what,status,detail\n"), "{timeline}");
    assert!(
        timeline.contains("hook Acme::Guard::Encryption (WARN),HOOK_COMPLETE_FAILED"),
        "{timeline}"
    );
}

#[test]
fn a_report_is_not_written_to_a_terminal() {
    let stage = Stage::new();
    // `!` has the line succeed where the command fails.
    let told = stage.on_terminal(80, "report", "! ");
    assert!(
        told.contains("name a file with -o") && !told.contains("<html"),
        "{told}"
    );
    assert!(out(&stage.ccwatch(&["report"])).contains("<html"));
}

#[test]
fn what_is_unknown_or_wrong_gets_a_plain_answer() {
    let stage = Stage::new();
    for (arguments, code, said) in [
        (
            &["show", "zzzz"][..],
            1,
            "history.db has a token that begins with `zzzz`",
        ),
        (&["show", "aaaa"], 1, "`aaaa` begins several tokens"),
        (
            &["show", "aaaa1", "--target", "play"],
            1,
            "the request aaaa1111 is of prod/eu-west-1, and not of --target play",
        ),
        (
            &["show", "aaaa", "--target", "play"],
            1,
            "the request aaaa1111 is of prod/eu-west-1, aaaa2222 is of prod/eu-west-1, and not of --target play",
        ),
        (&["show", "zzzz", "--target", "play"], 1, "begins with `zzzz`"),
        (
            &["wait", "bb", "--target", "play"],
            1,
            "the request bbbb3333 is of prod/",
        ),
        (
            &["cancel", "bb", "--target", "play"],
            1,
            "the request bbbb3333 is of prod/",
        ),
        (
            &["cancel", "nope"],
            1,
            "no request in the history has a token that begins with `nope`; Cloud Control could be asked for it by its \
             whole token",
        ),
        (
            &["cancel", "00000000-0000-0000-0000-000000000000"],
            2,
            "to ask Cloud Control for it: ",
        ),
        (&["wait", "nope", "--region", "eu-west-1"], 1, "by its whole token"),
        (
            &["wait", "nope", "--timeout", "soon"],
            2,
            "expected how long, such as 30s",
        ),
        (&["sql", "--memory", "much", "SELECT 1"], 2, "MiB from 16 to 65536"),
        (&["show", ""], 2, "an empty text is no request's token"),
        (&["wait", ""], 2, "an empty text is no request's token"),
        (&["show", "aaaa1111\u{1b}[2J"], 1, "begins with `aaaa1111\u{fffd}[2J`"),
        (
            &["sql", "--param", "q\u{1b}[31m=1", "SELECT 1"],
            2,
            "no parameter :q\u{fffd}[31m",
        ),
        (&["requests", "--status", "FAILD"], 2, "did you mean FAILED?"),
        (&["requests", "--type", "RDS"], 2, "no type is named `RDS`"),
        (&["hooks", "--operation", "READ"], 2, "nothing has the operation `READ`"),
        (&["events", "--since", "yesterday"], 2, "06:28:00Z or 2026-11-22"),
        (&["events", "--since", "--open"], 2, "a time is missing before it"),
        (&["events", "--since", "-2x"], 2, "expected how long ago"),
        (&["gaps", "--since", "1d", "--until", "2d"], 2, "is not before --until"),
        (
            &["gaps", "--since", "-1d", "--until", "-2d"],
            2,
            "is not before --until",
        ),
        (
            &["events", "--follow", "--until", "1h"],
            2,
            "cannot be used with '--until",
        ),
        (&["requests", "--limit", "-1"], 2, "or 0 for all"),
        (&["notify", "list", "--limit", "-1"], 2, "or 0 for all"),
        (&["sql", "--limit", "-1", "SELECT 1"], 2, "or 0 for all"),
        (
            &["requests", "--format", "xml"],
            2,
            "[possible values: table, json, jsonl, csv]",
        ),
    ] {
        let output = stage.ccwatch(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(said), "{arguments:?}: {}", err(&output));
        assert_eq!(out(&output), "", "{arguments:?}");
    }
}

#[test]
fn a_history_that_can_not_be_read_is_named_with_what_to_do() {
    let stage = Stage::new();
    let newer = stage.folder.path().join("newer.db");
    std::fs::copy(stage.path(), &newer).unwrap();
    Connection::open(&newer)
        .unwrap()
        .pragma_update(None, "user_version", 999)
        .unwrap();
    let older = stage.folder.path().join("older.db");
    std::fs::copy(stage.path(), &older).unwrap();
    Connection::open(&older)
        .unwrap()
        .pragma_update(None, "user_version", 1)
        .unwrap();
    let damaged = stage.folder.path().join("damaged.db");
    let mut bytes = std::fs::read(stage.path()).unwrap();
    for byte in bytes.iter_mut().skip(4096) {
        *byte = 0xa5;
    }
    std::fs::write(&damaged, bytes).unwrap();
    for (path, said, code) in [
        (&newer, "newer", 1),
        (&older, "older", 1),
        (&damaged, "damaged", 1),
        (&stage.folder.path().join("none.db"), "none.db", 2),
        (&stage.folder.path().to_owned(), "not a regular file", 2),
    ] {
        for command in [&["requests"][..], &["events"], &["hooks"], &["gaps"], &["show", "a"]] {
            let output = ccwatch(path, command);
            let told = err(&output);
            assert_eq!(
                output.status.code(),
                Some(code),
                "{command:?} {}: {told}",
                path.display()
            );
            assert!(
                told.contains(said) && told.contains(path.to_str().unwrap()),
                "{command:?}: {told}"
            );
            assert!(!told.contains("panicked"), "{told}");
        }
    }
}

#[test]
fn that_no_ccwatch_looks_is_said_with_the_gaps_which_know_nothing_of_it_yet() {
    let stage = Stage::new();
    let told = || err(&stage.ccwatch(&["gaps"]));
    assert!(!told().contains("looks"), "no one ever did");
    let history = Connection::open(stage.path()).unwrap();
    history
        .execute("UPDATE targets SET last_looked_at = ?1", [stage.now.as_millis()])
        .unwrap();
    let said = "no ccwatch looks now: the last look was ";
    assert!(
        told().contains(said) && told().contains(" ago, at 2026-11-22T"),
        "{}",
        told()
    );
    assert_eq!(err(&stage.ccwatch(&["gaps", "--format", "json"])), "");
    let _daemon = History::open(&stage.path()).unwrap();
    assert!(!told().contains(said));
}

#[test]
fn a_name_that_was_typed_is_not_repeated_raw() {
    for hostile in ["/no/\u{1b}[31mhistory.db", "\u{9b}2J"] {
        let told = err(&ccwatch(Path::new(hostile), &["requests"]));
        assert!(
            told.contains("there is no history at") && !told.contains(['\u{1b}', '\u{9b}']),
            "{told:?}"
        );
    }
    let stage = Stage::new();
    let hostile = stage.folder.path().join("\u{1b}[31m.db");
    let backup = stage.ccwatch(&["history", "backup", hostile.to_str().unwrap()]);
    assert!(backup.status.success(), "{}", err(&backup));
    for command in [&["requests"][..], &["history", "export", "-o", "-"]] {
        let told = err(&ccwatch(&hostile, &[command, &["--target", "none"]].concat()));
        assert!(told.contains("no target here is called none"), "{told:?}");
        assert!(!told.contains('\u{1b}'), "{told:?}");
    }
}

#[test]
fn a_history_that_is_named_goes_before_a_configuration_that_the_environment_names() {
    let stage = Stage::new();
    for command in [&["requests"][..], &["stats"], &["history", "check"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_ccwatch"))
            .args(command)
            .args(["--history", stage.path().to_str().unwrap()])
            .env("CCWATCH_CONFIG", stage.folder.path().join("none.toml"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{command:?}: {}", err(&output));
    }
}

#[test]
fn a_terminal_of_any_width_shows_all_of_it_and_nothing_acts_on_it() {
    let stage = Stage::new();
    for columns in [20, 40, 60, 99, 100, 160, 300] {
        for command in [
            "requests",
            "hooks",
            "events",
            "gaps --limit 1",
            "show bbbb",
            "show aaaa2 --utc",
        ] {
            let shown = stage.on_terminal(columns, command, "");
            // Colour is ours; whatever else begins with an escape is not.
            let (first, escapes) = shown.split_once('\u{1b}').unwrap_or((&shown, "m"));
            let mut plain = first.to_owned();
            for escape in escapes.split('\u{1b}') {
                let (colour, text) = escape
                    .split_once('m')
                    .unwrap_or_else(|| panic!("{command}: {escape:?}"));
                assert!(
                    colour.chars().all(|c| c.is_ascii_digit() || c == ';' || c == '['),
                    "{columns} {command}: {escape:?}"
                );
                plain.push_str(text);
            }
            // A sentence on standard error is for the terminal to fold.
            let rows = plain.lines().filter(|line| !line.starts_with("no gaps match in "));
            for line in rows {
                assert!(
                    line.chars().count() <= usize::from(columns),
                    "{columns} {command}: {line:?}"
                );
            }
            for hostile in ["\u{7}", "\u{9b}", "\u{202e}"] {
                assert!(!shown.contains(hostile), "{columns} {command}: {shown:?}");
            }
        }
        let narrow = stage.on_terminal(columns, "requests", "NO_COLOR=1");
        assert!(!narrow.contains('\u{1b}'), "{narrow:?}");
        let text: String = narrow.split_whitespace().collect();
        assert!(
            text.contains("FAILED") && text.contains("aaaa2222") && text.contains("(Throttling)"),
            "{columns}: {narrow}"
        );
        let is_table =
            narrow.starts_with("STARTED") && narrow.lines().next().is_some_and(|line| line.contains("TOKEN"));
        assert_eq!(is_table, columns >= 50, "{columns}: {narrow}");
    }
    let events = stage.on_terminal(20, "events --failed", "NO_COLOR=1");
    let blocks = events.matches("\n\nSEEN    ").count();
    assert_eq!(blocks, 1, "a block for each of the two: {events}");
    for columns in [20, 60] {
        let facts = stage.on_terminal(columns, "show aaaa2222", "NO_COLOR=1");
        assert!(
            facts.starts_with("REQUEST     aaaa2222\nstatus      FAILED\n"),
            "{columns}: {facts}"
        );
    }
    assert!(
        stage.on_terminal(120, "requests", "").contains("\u{1b}["),
        "colours on a terminal"
    );
    let dumb = stage.on_terminal(120, "requests", "TERM=dumb");
    assert!(!dumb.contains('\u{1b}'), "{dumb:?}");
    for format in ["json", "jsonl", "csv"] {
        let shown = stage.on_terminal(120, &format!("requests --format {format}"), "");
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\u{9b}'),
            "{format}: {shown:?}"
        );
    }
}

#[test]
fn top_draws_on_no_terminal_that_can_not_move_its_cursor() {
    let stage = Stage::new();
    let line = format!(
        "TERM=dumb {} top --history {}",
        env!("CARGO_BIN_EXE_ccwatch"),
        stage.path().display()
    );
    let output = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = out(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("TERM") && !told.contains('\u{1b}'), "{told:?}");
}

#[test]
fn a_table_that_ends_at_the_limit_says_so() {
    let stage = Stage::new();
    for (command, rows) in [("requests", 3), ("events", 4)] {
        for (limit, says) in [
            (0, false),
            (2, true),
            (rows - 1, true),
            (rows, false),
            (rows + 1, false),
        ] {
            let limit = limit.to_string();
            let output = stage.ccwatch(&[command, "--limit", &limit]);
            let said = if says {
                format!("the newest {limit}; --limit 0 shows all\n")
            } else {
                String::new()
            };
            assert_eq!(err(&output), said, "{command} --limit {limit}");
            for format in ["json", "jsonl", "csv"] {
                let output = stage.ccwatch(&[command, "--limit", &limit, "--format", format]);
                assert_eq!(err(&output), "", "{command} --limit {limit} --format {format}");
            }
        }
        let newest = |limit| out(&stage.ccwatch(&[command, "--limit", limit, "--utc"]));
        let (two, all) = (newest("2"), newest("0"));
        let two: Vec<&str> = two.lines().filter(|line| !line.starts_with("STARTED")).collect();
        assert_eq!(two.len(), 2, "{two:?}");
        let times = |lines: &[&str]| -> Vec<String> { lines.iter().map(|line| line[..24].to_owned()).collect() };
        let all: Vec<&str> = all.lines().filter(|line| !line.starts_with("STARTED")).collect();
        let newest = if command == "events" { &all[2..] } else { &all[..2] };
        assert_eq!(times(&two), times(newest), "{command}");
    }
}

#[test]
fn a_request_that_has_not_ended_says_when_it_was_last_seen() {
    let stage = Stage::new();
    let shown = |token| out(&stage.ccwatch(&["show", token, "--utc"]));
    assert!(
        shown("aaaa1111").contains("\nlast seen   2026-11-22T06:28:00.000Z\n"),
        "{}",
        shown("aaaa1111")
    );
    assert!(!shown("bbbb3333").contains("last seen"), "{}", shown("bbbb3333"));
}

#[test]
fn a_request_is_told_with_bars() {
    let stage = Stage::new();
    let told = out(&stage.ccwatch(&["show", "aaaa2222"]));
    for part in [
        "AWS::RDS::DBInstance",
        "Throttling",
        "Rate exceeded",
        "◆",
        "HOOK_COMPLETE_FAILED",
        "not encrypted",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let open = out(&stage.ccwatch(&["show", "aaaa1111"]));
    assert!(open.contains("████"), "it is pending still: {open}");
    assert!(open.contains("  TIMELINE ("), "{open}");
}

#[test]
fn following_ends_with_whoever_reads_it_though_nothing_changes() {
    let stage = Stage::new();
    let mut followed = Command::new(env!("CARGO_BIN_EXE_ccwatch"))
        .args(["events", "--follow", "--format", "jsonl", "--history"])
        .arg(stage.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let reader = BufReader::new(followed.stdout.take().unwrap());
    assert_eq!(reader.lines().take(4).count(), 4);
    assert_eq!(followed.wait().unwrap().code(), Some(0));
}

#[test]
fn what_cannot_be_written_is_a_failure_help_as_well_as_rows() {
    let stage = Stage::new();
    for command in [&["requests"][..], &["requests", "--help"], &["--version"], &["man"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_ccwatch"))
            .args(command)
            .env("CCWATCH_HISTORY", stage.path())
            .stdout(full)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {told}");
        assert!(told.contains("No space left on device"), "{command:?}: {told}");
    }
}

#[test]
fn a_closed_pipe_ends_every_command_quietly() {
    let stage = Stage::new();
    for command in [
        &["requests"][..],
        &["hooks"],
        &["events"],
        &["show", "bbbb"],
        &["hooks", "--help"],
    ] {
        for format in ["table", "json", "jsonl", "csv"] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let output = Command::new(env!("CARGO_BIN_EXE_ccwatch"))
                .args(command)
                .args(["--format", format, "--history", stage.path().to_str().unwrap()])
                .stdout(writer)
                .output()
                .unwrap();
            assert_eq!(
                (output.status.code(), err(&output).as_str()),
                (Some(0), ""),
                "{command:?} {format}"
            );
        }
    }
}
