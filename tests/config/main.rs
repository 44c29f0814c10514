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
mod telling;

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
            "\"slack-bot\"",
            "\"discord\"",
            "\"mattermost\"",
            "\"teams\"",
            "\"google-chat\"",
            "\"matrix\"",
            "\"telegram\"",
            "\"ntfy\"",
            "\"email\"",
            "\"pagerduty\"",
            "\"opsgenie\"",
            "\"alertmanager\"",
            "\"webhook\"",
            "\"sqs\"",
            "\"sns\"",
            "\"eventbridge\"",
            "\"file\"",
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
            "digest_over",
            "max_messages_per_minute",
            "escalate_to",
            "escalate_after",
            "format",
            "title",
            "body",
            "url",
            "token",
            "channel",
            "forum",
            "channel_id",
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
            "routing_key",
            "api_key",
            "secret",
            "payload",
            "queue_url",
            "region",
            "profile",
            "endpoint_url",
            "topic_arn",
            "bus",
            "path",
            "command",
        ],
    ),
    (
        "{common receiver keys}",
        &[
            "name",
            "type",
            "give_up_after",
            "time_out",
            "digest_over",
            "max_messages_per_minute",
            "escalate_to",
            "escalate_after",
        ],
    ),
    (
        "{fields}",
        &[
            "\"kind\"",
            "\"status\"",
            "\"from\"",
            "\"type_name\"",
            "\"identifier\"",
            "\"operation\"",
            "\"error_code\"",
            "\"target\"",
            "\"account_id\"",
            "\"region\"",
            "\"hook_type_name\"",
            "\"failure_mode\"",
        ],
    ),
    (
        "{route keys}",
        &[
            "name",
            "to",
            "group_by",
            "group_wait",
            "group_interval",
            "mute",
            "kind",
            "status",
            "from",
            "type_name",
            "identifier",
            "operation",
            "error_code",
            "target",
            "account_id",
            "region",
            "hook_type_name",
            "failure_mode",
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

/// As messages list words: no more than fifty of them.
fn listed(words: &[&str]) -> String {
    match words.split_at_checked(50) {
        Some((shown, left)) if !left.is_empty() => format!("{} and {} more", shown.join(", "), left.len()),
        _ => words.join(", "),
    }
}

/// Holds what is said of some lines, which stand before others that are right, against what is expected.
#[track_caller]
fn assert_problems(lines: &str, expected: &str) {
    let expected = LISTS.iter().fold(expected.to_owned(), |expected, (name, words)| {
        expected.replace(name, &listed(words))
    });
    assert_eq!(problems(&format!("{lines}{RIGHT}")), expected, "of:\n{lines}");
}
