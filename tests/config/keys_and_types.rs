//! Keys that are not known, values of the wrong type, and what a file must have.

use crate::{assert_problems, problems};

/// Unknown keys are refused with what was probably meant.
#[test]
fn unknown_keys() {
    assert_problems(
        "colour = 1
histroy = 2
",
        r#"1:1: colour: unknown key; the keys are history, poll, targets, receivers, routes, attention
2:1: histroy: unknown key (did you mean "history"?); the keys are history, poll, targets, receivers, routes, attention"#,
    );
    assert_problems(
        r#"[poll]
discovr_every = "10s"
colour = "red"
"#,
        r#"2:1: poll.discovr_every: unknown key (did you mean "discover_every"?); the keys of [poll] are discover_every, idle_every, sweep_every, min_look_every, max_look_every, max_calls_per_second
3:1: poll.colour: unknown key; the keys of [poll] are discover_every, idle_every, sweep_every, min_look_every, max_look_every, max_calls_per_second"#,
    );
    assert_problems(
        r#"[history]
file = "x"
"#,
        "2:1: history.file: unknown key; the keys of [history] are path, retention, resource_model",
    );
    assert_problems(
        r#"[[targets]]
name = "a"
region = "eu-west-1"
regions = "eu-west-1"
"#,
        r#"3:1: targets[0].region: unknown key (did you mean "regions"?); the keys of [[targets]] are name, regions, profile, role_arn, external_id, session_name, account_id, endpoint_url, discover_every, idle_every, sweep_every, min_look_every, max_look_every, max_calls_per_second"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "log"
url = "https://hunter2"
"#,
        r#"4:1: receivers[0].url: unknown key; the keys of a receiver of type "log" are {common receiver keys}, format"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
hook = "x"
url = "https://hunter2"
"#,
        r"1:1: receivers[0].type: missing; expected one of {types}
3:1: receivers[0].hook: unknown key; the keys of [[receivers]] are {receiver keys}",
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = { value = "hunter2" }
"#,
        "4:9: receivers[0].url.value: unknown key; the keys of a secret value are env, file, credential",
    );
    assert_problems(
        r#"[[routes]]
name = "a"
to = "log"
typename = "*"
"#,
        r#"4:1: routes[0].typename: unknown key (did you mean "type_name"?); the keys of [[routes]] are {route keys}"#,
    );
    assert_problems(
        r#""a\u001b[31m" = 1
[target]
"#,
        r#"1:2: a�[31m: unknown key; the keys are history, poll, targets, receivers, routes, attention
2:2: target: unknown key (did you mean "targets"?); the keys are history, poll, targets, receivers, routes, attention"#,
    );
}

/// Wrong types are told with what was found and what was expected.
#[test]
fn wrong_types() {
    assert_problems(
        "history = 1
poll = []
",
        "1:11: history: expected a table, [history], found an integer
2:8: poll: expected a table, [poll], found an array",
    );
    assert_problems(
        "[history]
path = 1
retention = true
resource_model = []
",
        r#"2:8: history.path: expected the path of a file, found an integer
3:13: history.retention: expected a duration from 8days to 100years or "forever", in quotes and with its unit, such as "10s", found a boolean
4:18: history.resource_model: expected one of "drop", "redact", "keep", found an array"#,
    );
    assert_problems(
        r#"[poll]
discover_every = 10
idle_every = 1.5
sweep_every = {}
max_calls_per_second = "5"
"#,
        r#"2:18: poll.discover_every: expected a duration from 100ms to 1day, in quotes and with its unit, such as "10s", found an integer
3:14: poll.idle_every: expected a duration from 100ms to 1day, in quotes and with its unit, such as "10s", found a float
4:15: poll.sweep_every: expected a duration from 100ms to 1day, in quotes and with its unit, such as "10s", found a table
5:24: poll.max_calls_per_second: expected a number above 0 and up to 25, found a string"#,
    );
    assert_problems(
        "[[targets]]
name = 1
regions = 2
profile = 3
role_arn = 4
external_id = 5
session_name = 6
endpoint_url = 8
",
        r#"2:8: targets[0].name: expected a name of 1 to 64 letters, digits, dots, dashes or underscores, found an integer
3:11: targets[0].regions: expected Regions to look at, such as ["eu-west-1"], found an integer
4:11: targets[0].profile: expected the name of a profile of ~/.aws/config, found an integer
5:12: targets[0].role_arn: expected the ARN of an IAM role, such as "arn:aws:iam::123456789012:role/ccwatch", found an integer
6:15: targets[0].external_id: expected 2 to 1224 letters, digits or characters of _+=,.@-:/, found an integer
7:16: targets[0].session_name: expected 2 to 64 letters, digits or characters of _+=,.@-, found an integer
8:16: targets[0].endpoint_url: expected an http or https URL of an endpoint, found an integer"#,
    );
    assert_problems(
        r#"[[targets]]
name = "a"
regions = "eu-west-1"
account_id = 123456789012
"#,
        r#"4:14: targets[0].account_id: expected an account id of twelve digits in quotes, such as "123456789012", found an integer: write "123456789012""#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = 1
"#,
        r"3:8: receivers[0].type: expected one of {types}, found an integer",
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = 1
[[receivers]]
name = "b"
type = "slack"
url = { env = 1 }
"#,
        r#"4:7: receivers[0].url: expected a string, { env = "NAME" }, { file = "PATH" } or { credential = "NAME" }, found an integer
8:15: receivers[1].url.env: expected a string, found an integer"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "webhook"
url = []
secret = 1
"#,
        r#"4:7: receivers[0].url: expected a string, { env = "NAME" }, { file = "PATH" } or { credential = "NAME" }, found an array
5:10: receivers[0].secret: expected a signing key, or several while it is being changed, found an integer"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "exec"
command = ["x", 1]
"#,
        "4:17: receivers[0].command[1]: expected a string, found an integer",
    );
    assert_problems(
        r#"[[routes]]
name = "a"
to = 1
kind = 2
status = [3]
"#,
        "3:6: routes[0].to: expected the name of a receiver, or several in an array, found an integer
4:8: routes[0].kind: expected a pattern, or several in an array, found an integer
5:11: routes[0].status[0]: expected a pattern, found an integer",
    );
}

/// The file as a whole.
#[test]
fn files_without_what_is_needed() {
    assert_eq!(
        problems(""),
        "1:1: targets: missing; expected at least one [[targets]] entry with a name and regions, to say where to look"
    );
    assert_eq!(
        problems(
            "receivers = 5
routes = [1]
"
        ),
        "1:1: targets: missing; expected at least one [[targets]] entry with a name and regions, to say where to look
1:13: receivers: expected entries that begin with [[receivers]], found an integer
2:11: routes[0]: expected entries that begin with [[routes]], found an integer"
    );
    assert_eq!(
        problems(
            "targets = []
"
        ),
        "1:1: targets: missing; expected at least one [[targets]] entry with a name and regions, to say where to look"
    );
    assert_eq!(
        problems(
            r#"[targets]
name = "x"
"#
        ),
        "1:1: targets: expected entries that begin with [[targets]], found a table"
    );
    assert_eq!(
        problems("\u{feff}colour = 1\n"),
        "1:1: colour: unknown key; the keys are history, poll, targets, receivers, routes, attention
1:1: targets: missing; expected at least one [[targets]] entry with a name and regions, to say where to look"
    );
    assert_eq!(
        problems(
            r#"[[routes]]
name = "a"
to = "log"
[[targets]]
name = "a"
regions = "eu-west-1"
"#
        ),
        r#"3:6: routes[0].to: no receiver is named "log": there is no [[receivers]] entry"#
    );
}

/// Lines and columns count from one, in characters, and a string begins at its quotes.
#[test]
fn places_are_exact() {
    for (lines, place) in [
        ("poll.idle_every = \"x\"\n", "1:19"),
        ("poll.idle_every = \"\"\n", "1:19"),
        ("poll.idle_every = 'x'\n", "1:19"),
        ("poll.idle_every = \"\"\"x\"\"\"\n", "1:19"),
        ("poll.idle_every = \"\"\"\nx\"\"\"\n", "1:19"),
        ("poll.idle_every = '''\r\n\r\nx'''\n", "1:19"),
        ("# é\r\n\tpoll.idle_every\t=\t\"x\"\r\n", "2:20"),
        ("poll = { sweep_every = \"1m\", # é\n  idle_every = \"x\" }\n", "2:16"),
        ("poll = { \"sweep_every\" = '1m', 'idle_every' = 'x' }\n", "1:47"),
    ] {
        let said = problems(&format!("{lines}{}", crate::RIGHT));
        assert!(
            said.starts_with(&format!("{place}: poll.idle_every: expected a duration ")),
            "{lines}\n{said}"
        );
    }
}
