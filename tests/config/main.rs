//! What is said of a configuration that is wrong, to the letter: a line for each problem, with line and column.

// A case takes a few lines, and there are many of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_lines)]

mod annotated;
mod hostile;
mod intervals;
mod keys_and_types;
mod receivers;
mod right;
mod routes;
mod syntax;
mod targets;

use std::path::Path;

use ccwatch::config::{Config, Environment};

/// A configuration that is right, to stand below the lines that are wrong.
const RIGHT: &str = r#"[[targets]]
name = "prod"
regions = ["eu-west-1"]
[[receivers]]
name = "log"
type = "log"
[[routes]]
name = "all"
to = "log"
"#;

/// What stands in expectations for a list that grows.
const LISTS: &[(&str, &[&str])] = &[
    (
        "{types}",
        &[
            "\"log\"",
            "\"slack\"",
            "\"matrix\"",
            "\"telegram\"",
            "\"ntfy\"",
            "\"email\"",
            "\"webhook\"",
            "\"exec\"",
        ],
    ),
    (
        "{receiver keys}",
        &[
            "name",
            "type",
            "give_up_after",
            "time_out",
            "format",
            "url",
            "token",
            "room",
            "chat_id",
            "message_thread_id",
            "topic",
            "host",
            "port",
            "tls",
            "user",
            "password",
            "from",
            "to",
            "secret",
            "command",
        ],
    ),
    (
        "{kinds}",
        &[
            "request.status",
            "request.detail",
            "request.lost",
            "request.stuck",
            "hook.status",
            "hook.detail",
        ],
    ),
];

fn problems(text: &str) -> String {
    let environment: Environment = [
        ("HOME", "/home/ada"),
        ("SLACK_URL", "https://hooks.slack.com/services/T0/B0/hunter2"),
        ("EMPTY", "\n"),
        ("NOT_A_URL", "hunter2"),
        ("TWO_LINES", "https://hunter2\nhunter2"),
    ]
    .into_iter()
    .collect();
    let errors = Config::parse(text, Path::new("/etc/ccwatch.toml"), &environment).expect_err("something is wrong");
    let shown = errors.to_string();
    assert!(!shown.contains("hunter2"), "a secret is shown: {shown}");
    let (problems, closing) = shown.rsplit_once('\n').unwrap();
    let count = errors.problems().len();
    let counted = if count == 1 {
        "1 problem in the configuration".to_owned()
    } else {
        format!("{count} problems in the configuration")
    };
    assert!(closing.starts_with(&counted), "{closing}");
    problems.replace("/etc/ccwatch.toml:", "")
}

/// Holds what is said of some lines, which stand before others that are right, against what is expected.
#[track_caller]
fn assert_problems(lines: &str, expected: &str) {
    let expected = LISTS.iter().fold(expected.to_owned(), |expected, (name, words)| {
        expected.replace(name, &words.join(", "))
    });
    assert_eq!(problems(&format!("{lines}{RIGHT}")), expected, "of:\n{lines}");
}
