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
"#,
        r#"4:11: receivers[0].command: expected an array, or the absolute path of a program alone (no shell is there to split it), found "echo hi"
8:12: receivers[1].command[0]: expected a program, found ""
12:11: receivers[2].command: expected a program and its arguments, such as ["/usr/bin/logger", "-t", "ccwatch"], found an empty array"#,
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
        r#"4:15: receivers[0].url.env: the environment variable "NOPE" is not set"#,
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
        r#"4:22: receivers[0].url.credential: the credential "slack-url" can't be read, as $CREDENTIALS_DIRECTORY is not set: systemd sets it for a service with LoadCredential="#,
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
