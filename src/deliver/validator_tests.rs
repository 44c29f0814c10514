//! What is really sent, put before validators that others wrote: `slack_sdk`, `standardwebhooks` and `cloudevents` of
//! PyPI, by the Python that CCWATCH_PYTHON names. Without it there is nothing to ask, and these tests say so.

use std::process::Stdio;

use http::HeaderMap;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::double::{Double, Received, answer};
use super::samples::{delivery, failed_hook, failed_request, hostile};
use super::{Output, build};
use crate::clock::Clock;
use crate::config::{ReceiverKind, ReceiverSettings};
use crate::decide::retry::Outcome;
use crate::decide::route::Audience;
use crate::model::{Announcement, News};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

const CHECK_SLACK: &str = "
import json, sys
from slack_sdk.models.blocks import Block
message = json.loads(json.load(sys.stdin)['body'])
assert message['text']
blocks = [Block.parse(block) for block in message['blocks']]
for block, sent in zip(blocks, message['blocks'], strict=True):
    assert block is not None and block.type == sent['type'], sent
    assert json.loads(json.dumps(block.to_dict())) == sent, (block.to_dict(), sent)
print('fine')
";

const CHECK_WEBHOOK: &str = "
import json, sys
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook
sent = json.load(sys.stdin)
Webhook(sent['secret']).verify(sent['body'], sent['headers'])
event = from_http_event(HTTPMessage(sent['headers'], sent['body'].encode()))
assert event.get_id() == sent['headers']['webhook-id']
assert event.get_source().startswith('/ccwatch/')
assert event.get_data()['request']['request_token'] == event.get_subject()
print('fine')
";

/// Whether `script` is content with what came in. `None` where there is no Python to ask.
async fn is_content(script: &str, (_, headers, body): &Received) -> Option<Result<(), String>> {
    let Some(python) = std::env::var_os("CCWATCH_PYTHON") else {
        println!("not tried: CCWATCH_PYTHON is not set");
        return None;
    };
    let text = |headers: &HeaderMap| -> Value {
        let entry = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), Value::from(value.to_str().unwrap()))
        };
        headers.iter().map(entry).collect()
    };
    let input = json!({"secret": SECRET, "headers": text(headers), "body": std::str::from_utf8(body).unwrap()});
    let mut command = Command::new(python);
    command
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut python = command.spawn().unwrap();
    python
        .stdin
        .take()
        .unwrap()
        .write_all(input.to_string().as_bytes())
        .await
        .unwrap();
    let output = python.wait_with_output().await.unwrap();
    let is_fine = output.status.success() && output.stdout.trim_ascii() == b"fine";
    Some(
        is_fine
            .then_some(())
            .ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned()),
    )
}

async fn check(kind: impl Fn(&str) -> ReceiverKind, script: &str) {
    let double = Double::start(|_| answer(200, &[], "ok")).await;
    let settings = ReceiverSettings {
        time_out: std::time::Duration::from_mins(1),
        ..ReceiverSettings::plain("r", Audience::Machines, kind(&double.url))
    };
    let receiver = build(&[settings], &Output::new(std::io::sink(), false))
        .unwrap()
        .remove(0);
    let announcements: [Announcement; 5] = [
        failed_request(),
        failed_hook("WARN"),
        hostile("<!channel> & *x* 測試 \u{1b}[31m\u{0}"),
        hostile(&"&<>😀".repeat(5_000)),
        hostile("😀"),
    ];
    for announcement in &announcements {
        let mut delivery = delivery(1, "a", 0);
        delivery.news = News::Change(Box::new(announcement.clone()));
        let report = receiver.send(&delivery, Clock::system().now()).await;
        assert_eq!(report.outcome, Outcome::Accepted);
    }
    for received in double.received() {
        if let Some(verdict) = is_content(script, &received).await {
            verdict.unwrap();
        }
    }
}

#[tokio::test]
async fn slacks_own_library_parses_the_message() {
    check(|url| ReceiverKind::Slack { url: url.into() }, CHECK_SLACK).await;
}

#[tokio::test]
async fn the_webhook_is_verified_and_parsed_by_the_reference_libraries() {
    let kind = |url: &str| ReceiverKind::Webhook {
        url: url.into(),
        secrets: vec![SECRET.into()],
    };
    check(kind, CHECK_WEBHOOK).await;
}
