//! Scenario files: what they hold, and what is said of one that is wrong, to the letter.
// A case takes a few lines, and there are many of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_lines)]

use std::path::Path;
use std::time::Duration;

use ccwatch::model::{ErrorCode, Operation, Timestamp};
use ccwatch::simulator::scenario::ListOrder;
use ccwatch::simulator::{Scenario, Spread, World};
use proptest::prelude::*;

const ANNOTATED: &str = include_str!("../config/scenarios/annotated.toml");

fn parse(text: &str) -> Scenario {
    Scenario::parse(text, Path::new("s.toml")).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Holds what is said of a scenario against what is expected: a line for each problem.
#[track_caller]
fn assert_problems(text: &str, expected: &[&str]) {
    let errors = Scenario::parse(text, Path::new("s.toml")).expect_err(text);
    let problems: Vec<_> = errors
        .problems()
        .iter()
        .map(|problem| problem.strip_prefix("s.toml:").unwrap())
        .collect();
    assert_eq!(problems, expected, "of:\n{text}");
    let count = expected.len();
    let plural = if count == 1 { "" } else { "s" };
    let shown = errors.to_string();
    assert!(
        shown.ends_with(&format!("\n{count} problem{plural} in the scenario.")),
        "{shown}"
    );
}

#[test]
fn a_scenario_says_only_what_is_not_as_in_the_plain_world() {
    assert_eq!(parse(""), Scenario::default());
    let scenario = parse(
        r#"
pending = "2s"
cancelling = { from = "1s", to = "3s" }
operations = { DELETE = 1, CREATE = 2.5 }
list_order = "oldest-first"
list_lag = "3s"
retention = "1h"
other_types = false
[[types]]
type_name = "AWS::S3::Bucket"
duration = { median = "10s", p99 = "40s" }
messages = ["Almost there"]
failures = [{ error_code = "NotStabilized", message = "No." }]
[[hooks]]
hook_type_name = "Acme::Guard::All"
failure_mode = "WARN"
messages.passed = "Fine."
[faults]
clock_skew = "-90s"
"#,
    );
    assert_eq!(scenario.pending, Spread::Fixed(Duration::from_secs(2)));
    let (from, to) = (Duration::from_secs(1), Duration::from_secs(3));
    assert_eq!(scenario.cancelling, Spread::Uniform { from, to });
    assert_eq!(
        scenario.operations,
        [(2.5, Operation::Create), (1.0, Operation::Delete)],
        "in the order of the service's words: the order in which they are drawn"
    );
    assert_eq!(scenario.list_order, ListOrder::OldestFirst);
    assert_eq!(scenario.list_lag, Duration::from_secs(3));
    assert_eq!(scenario.retention, Duration::from_hours(1));
    assert_eq!(scenario.other_types, None);
    let [kind] = scenario.types.as_slice() else {
        panic!("{:?}", scenario.types)
    };
    let expected = Spread::log_normal(Duration::from_secs(10), Duration::from_secs(40));
    assert_eq!(kind.duration, expected);
    assert_eq!(kind.failures[0].error_code, ErrorCode::NotStabilized);
    assert!(kind.failures[0].weight > 0.0);
    assert_eq!(scenario.hooks[0].messages.passed.as_deref(), Some("Fine."));
    assert!(scenario.faults.clock_skew.behind);
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    assert_problems(
        r#"
arivals_per_second = 1
fail = 1.5
list_order = "newest"
[[types]]
type_name = "S3 Bucket"
duration = "5"
weight = -1
[[types.failures]]
error_code = "NotStabilised"
message = "No."
[[hooks]]
failure_mode = "warn"
find_fault = 0.6
break_down = 0.6
[faults]
throttled = nan
acces_denied = ["*"]
"#,
        &[
            "2:1: arivals_per_second: unknown key (did you mean \"arrivals_per_second\"?); the keys are account_id, region, \
             arrivals_per_second, operations, pending, cancelling, fail, never_start, failed_without_operation, list_order, \
             list_lag, retention, truth_limit, retry_after, hooks, types, other_types, failures, faults",
            "3:8: fail: expected a share from 0 to 1, found 1.5",
            "4:14: list_order: expected one of \"unordered\", \"newest-first\", \"oldest-first\", found \"newest\"",
            "6:13: types[0].type_name: expected a type's name of three parts, such as \"AWS::S3::Bucket\", found \
             \"S3 Bucket\"",
            "7:12: types[0].duration: expected a duration from 0s to 30days, { from = …, to = … } or { median = …, p99 = … \
             }, such as \"10s\", \"5m\" or \"1h 30m\", found \"5\"",
            "8:10: types[0].weight: expected a weight from 0 to 1000000, found -1",
            "10:14: types[0].failures[0].error_code: expected one of \"NotUpdatable\", \"InvalidRequest\", \
             \"AccessDenied\", \"UnauthorizedTaggingOperation\", \"InvalidCredentials\", \"AlreadyExists\", \"NotFound\", \
             \"ResourceConflict\", \"Throttling\", \"ServiceLimitExceeded\", \"NotStabilized\", \
             \"GeneralServiceException\", \"ServiceInternalError\", \"ServiceTimeout\", \"NetworkFailure\", \
             \"InternalFailure\", found \"NotStabilised\" (did you mean \"NotStabilized\"?)",
            "12:1: hooks[0].hook_type_name: missing; expected the hook's name",
            "13:16: hooks[0].failure_mode: expected one of \"FAIL\", \"WARN\", found \"warn\" (did you mean \"WARN\"?)",
            "15:14: hooks[0].break_down: find_fault, break_down exclude each other: expected at most 1 in all, found 1.2",
            "17:13: faults.throttled: expected a share from 0 to 1, found NaN",
            "18:1: faults.acces_denied: unknown key (did you mean \"access_denied\"?); the keys of [faults] are throttle, \
             throttled, server_errors, resets, cut_off, slow, slow_by, expired_credentials, access_denied, clock_skew, \
             missing_fields, unknown_statuses, repeated_next_tokens, shifting_pages, empty_bodies",
        ],
    );
}

#[test]
fn what_can_be_read_but_not_lived_in_is_refused() {
    let cases = [
        (
            "other_types = false",
            "1:1: types: no type is known: expected [[types]], or other_types that is not false",
        ),
        (
            "other_types = true",
            "1:15: other_types: expected the table [other_types], or false, found true",
        ),
        (
            "other_types = \"any\"",
            "1:15: other_types: expected the table [other_types], or false, found a string",
        ),
        (
            "[other_types]\nweight = 1",
            "2:1: other_types.weight: unknown key; the keys of a type are type_name, identifier_property, \
             identifier_prefix, duration, messages, unsupported, failures",
        ),
        (
            "[[types]]\ntype_name = \"AWS::S3::Bucket\"\nweight = 0",
            "1:1: types: expected at least one entry with a weight above 0",
        ),
        (
            "[[types]]\ntype_name = \"AWS::S3::Bucket\"\n[[types]]\ntype_name = \"AWS::S3::Bucket\"",
            "4:13: types[1].type_name: \"AWS::S3::Bucket\" was already described at line 2",
        ),
        (
            "failures = []",
            "1:12: failures: expected at least one entry with a weight above 0",
        ),
        (
            "failures = 3",
            "1:12: failures: expected entries that begin with [[failures]], found an integer",
        ),
        (
            "other_types.failures = 3",
            "1:24: other_types.failures: expected entries that begin with [[other_types.failures]], found an integer",
        ),
        (
            "operations = { CREATE = 0 }",
            "1:14: operations: expected at least one weight above 0",
        ),
        (
            "operations = { create = 1 }",
            "1:16: operations.create: unknown key (did you mean \"CREATE\"?); the keys of the operations are CREATE, \
             UPDATE, DELETE",
        ),
        (
            "arrivals_per_second = 1e9",
            "1:23: arrivals_per_second: expected a number of requests a second from 0 to 10000, found 1000000000",
        ),
        (
            "arrivals_per_second = inf",
            "1:23: arrivals_per_second: expected a number of requests a second from 0 to 10000, found inf",
        ),
        (
            "arrivals_per_second = \"many\"",
            "1:23: arrivals_per_second: expected a number of requests a second from 0 to 10000, found a string",
        ),
        (
            "arrivals_per_second = 1000",
            "1:23: arrivals_per_second: 1000 requests a second are more than the 1000000 that may be remembered, if each \
             is for 7days: expected fewer, or a shorter retention",
        ),
        (
            "pending = \"-5s\"",
            "1:11: pending: expected a duration from 0s to 30days, { from = …, to = … } or { median = …, p99 = … }, found \
             the negative \"-5s\"",
        ),
        (
            "pending = 5",
            "1:11: pending: expected a duration in quotes, { from = …, to = … } or { median = …, p99 = … }, found an \
             integer",
        ),
        (
            "pending = { from = \"1s\" }",
            "1:11: pending: expected a duration in quotes, { from = …, to = … } or { median = …, p99 = … }, found other \
             keys together",
        ),
        (
            "pending = { from = \"5s\", to = \"1s\" }",
            "1:31: pending.to: expected at least from, which is 5s, found 1s",
        ),
        (
            "pending = { median = \"5s\", p99 = \"1000years\" }",
            "1:34: pending.p99: expected a duration from 1ms to 30days, found \"1000years\"",
        ),
        (
            "retention = \"0s\"",
            "1:13: retention: expected a duration from 1s to 1year 18h, found \"0s\"",
        ),
        (
            "truth_limit = -1",
            "1:15: truth_limit: expected a whole number from 0 to 100000000, found -1",
        ),
        (
            "[retry_after]\nabsent = 0.7\npast = 0.7",
            "3:8: retry_after.past: absent, past, far exclude each other: expected at most 1 in all, found 1.4",
        ),
        (
            "account_id = \"12\"",
            "1:14: account_id: expected an account id of 12 digits, found \"12\"",
        ),
        (
            "[faults]\nslow = 0.5",
            "2:8: faults.slow: expected slow_by beside it: how long do these calls wait?",
        ),
        (
            "faults.slow_by = \"2h\"",
            "1:18: faults.slow_by: expected a duration from 0s to 1h, found \"2h\"",
        ),
        (
            "faults.clock_skew = \"-1000years\"",
            "1:21: faults.clock_skew: expected at most 1year 18h, found \"-1000years\"",
        ),
        (
            "faults.clock_skew = \"soon\"",
            "1:21: faults.clock_skew: expected how far the clock is ahead, such as \"90s\", or behind, such as \"-90s\", \
             found \"soon\"",
        ),
        (
            "faults.expired_credentials = \"yes\"",
            "1:30: faults.expired_credentials: expected true or false, found a string",
        ),
        (
            "faults.throttle = { per_second = 2 }",
            "1:19: faults.throttle.burst: missing; expected a number of calls from 0 to 1000000",
        ),
        (
            "faults.access_denied = [\"ListResource\"]",
            "1:25: faults.access_denied[0]: expected one of \"CreateResource\", \"UpdateResource\", \"DeleteResource\", \
             \"GetResourceRequestStatus\", \"ListResourceRequests\", \"CancelResourceRequest\", \"GetResource\", \
             \"ListResources\", \"*\", found \"ListResource\" (did you mean \"ListResources\"?)",
        ),
    ];
    for (text, problem) in cases {
        assert_problems(text, &[problem]);
    }
}

#[test]
fn what_each_request_would_drag_along_is_bounded() {
    let messages = "\"x\",".repeat(101);
    assert_problems(
        &format!("other_types.messages = [{messages}]"),
        &["1:24: other_types.messages: expected at most 100, found 101"],
    );
    let hooks = "[[hooks]]\nhook_type_name = \"Acme::Guard::All\"\n";
    assert_problems(&hooks.repeat(101), &["1:1: hooks: expected at most 100, found 101"]);
    parse(&hooks.repeat(100));
}

#[test]
fn what_is_no_toml_or_cannot_be_read_is_told_in_the_words_of_the_configuration() {
    let errors = Scenario::parse("pending = 5s", Path::new("s.toml")).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "s.toml:1:11: not TOML: not a number; durations, account ids and dates need quotes: key = \"10s\"\n1 problem in \
         the scenario; the rest was not checked yet."
    );
    let errors = Scenario::load(Path::new("/nowhere/s.toml")).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "/nowhere/s.toml: no such file\nThe scenario could not be read."
    );
    let piped = Scenario::load_from(&b"\xff"[..], Path::new("<stdin>")).unwrap_err();
    assert_eq!(
        piped.to_string(),
        "<stdin>: is not UTF-8 text: byte 1 is not\nThe scenario could not be read."
    );
    let endless = Scenario::load_from(std::io::repeat(b'#'), Path::new("<stdin>")).unwrap_err();
    assert!(endless.to_string().contains("is larger than 1024 KiB"), "{endless}");
}

/// Values that are right somewhere, and wrong elsewhere.
const VALUES: [&str; 24] = [
    "0",
    "1",
    "-1",
    "0.5",
    "1.5",
    "1e308",
    "-0.0",
    "nan",
    "inf",
    "-inf",
    "9223372036854775807",
    "true",
    "false",
    "\"\"",
    "\"5s\"",
    "\"-5s\"",
    "\"30days\"",
    "\"9999999years\"",
    "[]",
    "[\"*\"]",
    "{}",
    "{ from = \"0s\", to = \"30days\" }",
    "{ median = \"1ms\", p99 = \"30days\" }",
    "\"AWS::S3::Bucket\"",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Some of the annotated file's values replaced by others: either every problem is told, or the world can be lived in.
    #[test]
    fn any_scenario_is_refused_in_plain_words_or_can_be_lived_in(
        replaced in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&VALUES[..])), 1..4),
    ) {
        let mut lines: Vec<String> = ANNOTATED.lines().map(str::to_owned).collect();
        let settings: Vec<usize> = (0..lines.len())
            .filter(|line| !lines[*line].starts_with(['#', '[']) && lines[*line].contains(" = "))
            .collect();
        for (at, value) in replaced {
            let line = &mut lines[settings[at.index(settings.len())]];
            let (key, _) = line.split_once(" = ").unwrap();
            *line = format!("{key} = {value}");
        }
        match Scenario::parse(&lines.join("\n"), Path::new("s.toml")) {
            Ok(scenario) => {
                let start = Timestamp::from_millis(1_767_110_540_245);
                let mut world = World::new(scenario, 1, start);
                world.advance(start.plus(Duration::from_mins(5)));
                prop_assert!(world.len() < 1_000);
            }
            Err(errors) => prop_assert!(!errors.problems().is_empty()),
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "(\\[\\[types\\]\\]|\\[faults\\]|weight|throttle|=|\\{|\\}|\"5s\"|1|\n|\\PC){0,20}") {
        let _ = Scenario::parse(&text, Path::new("s.toml"));
    }
}
