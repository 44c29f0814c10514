//! `[[receivers]]`, and where their secrets come from.

use crate::assert_problems;

/// What is wrong with a receiver.
#[test]
fn receivers() {
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "webhok"
"#,
        r#"3:8: receivers[0].type: expected one of {types}, found "webhok" (did you mean "webhook"?)"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "log"
format = "yaml"
"#,
        r#"4:10: receivers[0].format: expected one of "text", "json", found "yaml""#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
[[receivers]]
name = "b"
type = "webhook"
[[receivers]]
name = "c"
type = "exec"
[[receivers]]
name = "d"
"#,
        r#"1:1: receivers[0].url: missing; expected the URL to post to, as text or by reference: { env = "NAME" }
4:1: receivers[1].url: missing; expected the URL to post to, as text or by reference: { env = "NAME" }
7:1: receivers[2].command: missing; expected a program and its arguments, such as ["/usr/bin/logger", "-t", "ccwatch"]
10:1: receivers[3].type: missing; expected one of {types}"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = "hunter2"
[[receivers]]
name = "b"
type = "slack"
url = "ftp://hunter2/"
"#,
        "4:7: receivers[0].url: the value is not a URL (relative URL without a base)
8:7: receivers[1].url: the value begins with neither https:// nor http://",
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "webhook"
url = "https://example.com"
secret = ["hunter2", "whsec_hunter2", "whsec_aHVudGVyMg=="]
"#,
        "5:11: receivers[0].secret[0]: the value does not begin with whsec_, as a Standard Webhooks key does
5:22: receivers[0].secret[1]: the value is not whsec_ and standard, padded base64
5:39: receivers[0].secret[2]: the value is a key of 7 bytes, expected whsec_ and the base64 of 24 to 64 bytes",
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "exec"
command = "echo hi"
[[receivers]]
name = "b"
type = "exec"
command = ["", "x"]
[[receivers]]
name = "c"
type = "exec"
command = []
[[receivers]]
name = "d"
type = "file"
path = "/var/log/"
"#,
        r#"4:11: receivers[0].command: expected an array, or the absolute path of a program alone (no shell is there to split it), found "echo hi"
8:12: receivers[1].command[0]: expected a program, found ""
12:11: receivers[2].command: expected a program and its arguments, such as ["/usr/bin/logger", "-t", "ccwatch"], found an empty array
16:8: receivers[3].path: expected the path of a file, such as "/var/lib/ccwatch/changes.jsonl", found "/var/log/""#,
    );
}

/// What is wrong with a receiver of incidents.
#[test]
fn receivers_of_incidents() {
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "pagerduty"
url = "hunter2"
[[receivers]]
name = "b"
type = "pagerduty"
routing_key = "hunter2 "
[[receivers]]
name = "c"
type = "opsgenie"
"#,
        r#"1:1: receivers[0].routing_key: missing; expected the Integration Key of an Events API v2 integration, as text or by reference: { env = "NAME" }
4:7: receivers[0].url: the value is not a URL (relative URL without a base)
8:15: receivers[1].routing_key: the value holds a space or a letter beyond ASCII, which no such key does
9:1: receivers[2].api_key: missing; expected the key of an API integration, as text or by reference: { env = "NAME" }"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "alertmanager"
user = "a:b"
[[receivers]]
name = "b"
type = "alertmanager"
url = "http://localhost:9093"
password = "hunter2"
token = "hunter2"
"#,
        r#"1:1: receivers[0].url: missing; expected the URL to post to, as text or by reference: { env = "NAME" }
1:1: receivers[0].password: missing; expected the user's password, as text or by reference: { env = "NAME" }
4:8: receivers[0].user: expected a user's name, without a colon, found "a:b"
9:12: receivers[1].password: stands beside `token`: a login is either a token, or a user with a password"#,
    );
}

/// What is wrong with a receiver in AWS.
#[cfg(feature = "aws-receivers")]
#[test]
fn receivers_in_aws() {
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "sns"
topic_arn = "arn:aws:sqs:eu-west-1:123456789012:changes"
profile = ""
endpoint_url = "https://example.com/?a"
[[receivers]]
name = "b"
type = "sqs"
queue_url = "changes"
[[receivers]]
name = "c"
type = "sqs"
queue_url = "https://example.com/123456789012/changes"
[[receivers]]
name = "d"
type = "sqs"
queue_url = "https://example.com/123456789012/changes"
region = "EU"
"#,
        r#"4:13: receivers[0].topic_arn: expected a topic's ARN, such as "arn:aws:sns:eu-west-1:123456789012:changes", found "arn:aws:sqs:eu-west-1:123456789012:changes"
5:11: receivers[0].profile: expected the name of a profile of ~/.aws/config, found ""
6:16: receivers[0].endpoint_url: ends in a query or a fragment, which an endpoint can't have
10:13: receivers[1].queue_url: expected a queue's URL, such as "https://sqs.eu-west-1.amazonaws.com/123456789012/changes", found text that is not a URL (relative URL without a base)
11:1: receivers[2].region: missing; `queue_url` does not say in which Region the queue is
19:10: receivers[3].region: expected a Region, such as "eu-west-1", found "EU""#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "eventbridge"
bus = "ops"
[[receivers]]
name = "b"
type = "eventbridge"
bus = "arn:aws:events:eu-west-1:123456789012:event-bus/ops"
region = "eu-west-1"
[[receivers]]
name = "c"
type = "eventbridge"
bus = "a bus"
region = "eu-west-1"
"#,
        r#"1:1: receivers[0].region: missing; expected a Region, such as "eu-west-1"
9:10: receivers[1].region: the bus's ARN says it already: leave it out
13:7: receivers[2].bus: expected an event bus by its name, such as "default", or by its ARN, found "a bus""#,
    );
}

/// Without the feature that they are behind, they are refused.
#[cfg(not(feature = "aws-receivers"))]
#[test]
fn receivers_in_aws_that_are_not_built_in() {
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "sns"
topic_arn = "arn:aws:sns:eu-west-1:123456789012:changes"
"#,
        "1:1: receivers[0].type: this ccwatch was built without the receivers in AWS: build it with the cargo feature \
         `aws-receivers`",
    );
}

/// A template is tried where it is read, and its own line is told.
#[test]
fn templates() {
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = "https://example.com"
title = "{{ target }}: {{ words.titel }}"
body = """
{{ message }}
{{ hook.status }}"""
"#,
        "5:9: receivers[0].title: line 1 of the template: there is no `words.titel`; there are tone, title, about, hook, status, reason, meaning, facts, items, link
6:8: receivers[0].body: line 2 of the template: undefined value: `hook.status` is undefined (tried with request.status)",
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "exec"
command = "/bin/true"
payload = "{{ request.status }}x"
[[receivers]]
name = "b"
type = "webhook"
url = "https://example.com"
payload = 3
"#,
        r#"5:11: receivers[0].payload: line 1 of the template: undefined value: `request.status` is undefined (tried with receiver.failing)
10:11: receivers[1].payload: expected a template, such as "{{ target }}: {{ words.title }}", found an integer"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "log"
title = "{{ x"
[[receivers]]
name = "b"
type = "slack"
url = "https://example.com"
payload = "{{ x"
"#,
        r#"4:1: receivers[0].title: unknown key; the keys of a receiver of type "log" are name, type, give_up_after, time_out, digest_over, max_messages_per_minute, escalate_to, escalate_after, format
9:1: receivers[1].payload: unknown key; the keys of a receiver of type "slack" are name, type, give_up_after, time_out, digest_over, max_messages_per_minute, escalate_to, escalate_after, title, body, url"#,
    );
}

#[test]
fn ntfy() {
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "ntfy"
[[receivers]]
name = "b"
type = "ntfy"
topic = "hunter2/x"
token = "hunter2 hunter2"
url = "hunter2"
"#,
        r#"1:1: receivers[0].topic: missing; expected the topic's name, as text or by reference: { env = "NAME" }
7:9: receivers[1].topic: the value is no topic's name: 1 to 64 letters, digits, dashes or underscores
8:9: receivers[1].token: the value holds a space or a letter beyond ASCII, which no such key does
9:7: receivers[1].url: the value is not a URL (relative URL without a base)"#,
    );
}

#[test]
fn matrix() {
    assert_problems(
        r##"[[receivers]]
name = "a"
type = "matrix"
[[receivers]]
name = "b"
type = "matrix"
url = "https://example.com"
token = "hunter2"
room = "#ops:example.com"
"##,
        r##"1:1: receivers[0].url: missing; expected the URL to post to, as text or by reference: { env = "NAME" }
1:1: receivers[0].token: missing; expected an access token, as text or by reference: { env = "NAME" }
1:1: receivers[0].room: missing; expected a room's id, such as "!OGEhHVWSdvArJzumhm:example.com" (an alias, #name, may come to mean another room)
9:8: receivers[1].room: expected a room's id, such as "!OGEhHVWSdvArJzumhm:example.com" (an alias, #name, may come to mean another room), found "#ops:example.com""##,
    );
}

#[test]
fn telegram() {
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "telegram"
[[receivers]]
name = "b"
type = "telegram"
token = "110201543:hunter2"
chat_id = "ops"
message_thread_id = 0
"#,
        r#"1:1: receivers[0].token: missing; expected the bot's token, as text or by reference: { env = "NAME" }
1:1: receivers[0].chat_id: missing; expected a chat's number, such as -1001234567890, or a public channel's or group's name, such as "@ccwatch"
8:11: receivers[1].chat_id: expected a chat's number, such as -1001234567890, or a public channel's or group's name, such as "@ccwatch", found "ops"
9:21: receivers[1].message_thread_id: expected a whole number from 1 to 2147483647, found 0"#,
    );
}

#[test]
fn email() {
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "email"
[[receivers]]
name = "b"
type = "email"
host = "smtp.example.com:25"
port = 0
tls = "ssl"
user = "ccwatch"
from = "ccwatch"
to = ["ops@example.com", "a@b\nBcc: c@d"]
[[receivers]]
name = "c"
type = "email"
host = "smtp.example.com"
password = "hunter2"
from = "ccwatch@example.com"
to = []
"#,
        r#"1:1: receivers[0].host: missing; expected the mail server's name, such as "smtp.example.com", without its port
1:1: receivers[0].from: missing; expected an address, such as "ccwatch@example.com" or "ccwatch <ccwatch@example.com>"
1:1: receivers[0].to: missing; expected an address, such as "ops@example.com", or an array of them
4:1: receivers[1].password: missing; `user` alone can't log in
7:8: receivers[1].host: expected the mail server's name, such as "smtp.example.com", without its port, found "smtp.example.com:25"
8:8: receivers[1].port: expected a whole number from 1 to 65535, found 0
9:7: receivers[1].tls: expected one of "starttls", "implicit", "none", found "ssl"
11:8: receivers[1].from: expected an address, such as "ccwatch@example.com" or "ccwatch <ccwatch@example.com>", found "ccwatch"
12:26: receivers[1].to[1]: expected an address, such as "ops@example.com", or an array of them, found "a@b Bcc: c@d"
13:1: receivers[2].user: missing; `password` alone can't log in
19:6: receivers[2].to: expected an address, such as "ops@example.com", or an array of them, found an empty array"#,
    );
}

/// A secret that is missing is told by where it should be.
#[test]
fn secrets() {
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = { env = "NOPE" }
"#,
        r#"4:15: receivers[0].url.env: the environment variable "NOPE" is not set; a service takes a secret best by { credential = "NAME" } and LoadCredential=NAME:PATH in a drop-in (systemctl edit ccwatch)"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = { env = "EMPTY" }
"#,
        "4:7: receivers[0].url: the value of $EMPTY is empty",
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = { env = "NOT_A_URL" }
"#,
        "4:7: receivers[0].url: the value of $NOT_A_URL is not a URL (relative URL without a base)",
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = { env = "TWO_LINES" }
"#,
        "4:7: receivers[0].url: the value of $TWO_LINES holds a line break or another control character",
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = { file = "no/such" }
"#,
        "4:16: receivers[0].url.file: /etc/no/such: no such file",
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = { file = "/" }
"#,
        "4:16: receivers[0].url.file: /: is a directory, expected a file",
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = { credential = "slack-url" }
"#,
        r#"4:22: receivers[0].url.credential: the credential "slack-url" can't be read, as $CREDENTIALS_DIRECTORY is not set: give it to the service by LoadCredential=NAME:PATH in a drop-in (systemctl edit ccwatch)"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = { credential = "../etc/passwd" }
"#,
        r#"4:22: receivers[0].url.credential: expected a credential's name, without slashes, found "../etc/passwd"; for a path, use { file = … }"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = {}
"#,
        r#"4:7: receivers[0].url: expected a string, { env = "NAME" }, { file = "PATH" } or { credential = "NAME" }, found none of these keys"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = { env = "SLACK_URL", file = "x" }
"#,
        r#"4:7: receivers[0].url: expected a string, { env = "NAME" }, { file = "PATH" } or { credential = "NAME" }, found more than one of these keys"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack"
url = ""
"#,
        "4:7: receivers[0].url: the value is empty",
    );
}

/// What is wrong with a receiver of a chat tool.
#[test]
fn chat() {
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "slack-bot"
[[receivers]]
name = "b"
type = "slack-bot"
token = "xoxb-hunter2 x"
channel = "ops"
url = "hunter2"
"#,
        r#"1:1: receivers[0].token: missing; expected the app's bot token, xoxb-…, as text or by reference: { env = "NAME" }
1:1: receivers[0].channel: missing; expected a channel's id, such as "C0123456789", which Slack shows at the end of the channel's details
7:9: receivers[1].token: the value holds a space or a letter beyond ASCII, which no such key does
8:11: receivers[1].channel: expected a channel's id, such as "C0123456789", which Slack shows at the end of the channel's details, found "ops"
9:7: receivers[1].url: the value is not a URL (relative URL without a base)"#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "discord"
url = "https://discord.com/api/webhooks/1/hunter2"
forum = "yes"
[[receivers]]
name = "b"
type = "mattermost"
url = "https://mattermost.example.com"
token = "hunter2"
[[receivers]]
name = "c"
type = "mattermost"
url = "https://mattermost.example.com"
channel_id = "town-square"
"#,
        r#"5:9: receivers[0].forum: expected true or false, found a string
6:1: receivers[1].channel_id: missing; with `token`, expected a channel's id of 26 lower-case letters and digits, which Mattermost shows in the channel's info
11:1: receivers[2].token: missing; with `channel_id`, expected the bot's token, as text or by reference: { env = "NAME" }
15:14: receivers[2].channel_id: expected a channel's id of 26 lower-case letters and digits, which Mattermost shows in the channel's info, found "town-square""#,
    );
}
