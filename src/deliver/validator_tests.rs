//! What is really sent, put before validators that others wrote: `slack_sdk`, `standardwebhooks` and `cloudevents` of
//! PyPI, by the Python that CCWATCH_PYTHON names, and `adaptivecards` and `@discordjs/builders` of npm, by Node.js in the
//! folder that CCWATCH_NODE_MODULES names. Without these there is nothing to ask, and these tests say so.

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

const CHECK_TEAMS: &str = "
const assert = require('assert');
// Its bundle is made for browsers.
globalThis.self = globalThis;
const cards = require('adaptivecards/dist/adaptivecards.js');
const sent = JSON.parse(JSON.parse(require('fs').readFileSync(0)).body).attachments[0].content;
const context = new cards.SerializationContext(cards.Versions.v1_4);
const card = new cards.AdaptiveCard();
card.parse(sent, context);
const events = Array.from({length: context.eventCount}, (_, index) => context.getEventAt(index).message);
assert.deepStrictEqual(events, []);
assert.deepStrictEqual(card.validateProperties().validationEvents, []);
assert.deepStrictEqual(card.toJSON().body, sent.body);
console.log('fine');
";

const CHECK_DISCORD: &str = "
const assert = require('assert');
const { EmbedBuilder, embedLength } = require('@discordjs/builders');
const [sent] = JSON.parse(JSON.parse(require('fs').readFileSync(0)).body).embeds;
const embed = new EmbedBuilder().setTitle(sent.title).setColor(sent.color);
if (sent.description) embed.setDescription(sent.description);
if (sent.fields) embed.addFields(sent.fields);
if (sent.footer) embed.setFooter(sent.footer);
if (sent.url) embed.setURL(sent.url);
assert.deepStrictEqual(JSON.parse(JSON.stringify(embed.toJSON())), sent);
assert(embedLength(sent) <= 6000);
console.log('fine');
";

/// Runs a script of Python, if there is one to run it.
fn python(script: &str) -> Option<Command> {
    let mut command = Command::new(set("CCWATCH_PYTHON")?);
    command.args(["-c", script]);
    Some(command)
}

/// Runs a script of JavaScript, if there are packages for it.
fn node(script: &str) -> Option<Command> {
    let modules = set("CCWATCH_NODE_MODULES")?;
    let mut command = Command::new("node");
    command.args(["-e", script]).env("NODE_PATH", modules);
    Some(command)
}

fn set(name: &str) -> Option<std::ffi::OsString> {
    let value = std::env::var_os(name);
    if value.is_none() {
        println!("not tried: {name} is not set");
    }
    value
}

/// Whether the validator is content with what came in. `None` where there is none to ask.
async fn is_content(validator: Option<Command>, (_, headers, body): &Received) -> Option<Result<(), String>> {
    let mut command = validator?;
    let text = |headers: &HeaderMap| -> Value {
        let entry = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), Value::from(value.to_str().unwrap()))
        };
        headers.iter().map(entry).collect()
    };
    let input = json!({"secret": SECRET, "headers": text(headers), "body": std::str::from_utf8(body).unwrap()});
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut validator = command.spawn().unwrap();
    validator
        .stdin
        .take()
        .unwrap()
        .write_all(input.to_string().as_bytes())
        .await
        .unwrap();
    let output = validator.wait_with_output().await.unwrap();
    let is_fine = output.status.success() && output.stdout.trim_ascii() == b"fine";
    Some(
        is_fine
            .then_some(())
            .ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned()),
    )
}

/// `said` is what a tool that accepts it answers.
async fn check(kind: impl Fn(&str) -> ReceiverKind, said: &'static str, validator: impl Fn() -> Option<Command>) {
    let double = Double::start(move |_| answer(200, &[], said)).await;
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
        if let Some(verdict) = is_content(validator(), &received).await {
            verdict.unwrap();
        }
    }
}

#[tokio::test]
async fn slacks_own_library_parses_the_message() {
    check(
        |url| ReceiverKind::Slack { url: url.into() },
        "ok",
        || python(CHECK_SLACK),
    )
    .await;
    let kind = |url: &str| ReceiverKind::SlackBot {
        url: url.into(),
        token: "xoxb-1".into(),
        channel: "C0123456789".into(),
    };
    check(kind, r#"{"ok":true,"channel":"C0123456789","ts":"1.1"}"#, || {
        python(CHECK_SLACK)
    })
    .await;
}

#[tokio::test]
async fn the_webhook_is_verified_and_parsed_by_the_reference_libraries() {
    let kind = |url: &str| ReceiverKind::Webhook {
        url: url.into(),
        secrets: vec![SECRET.into()],
    };
    check(kind, "", || python(CHECK_WEBHOOK)).await;
}

#[tokio::test]
async fn microsofts_own_library_parses_the_card() {
    check(|url| ReceiverKind::Teams { url: url.into() }, "", || node(CHECK_TEAMS)).await;
}

#[tokio::test]
async fn discords_builders_take_the_embed() {
    let kind = |url: &str| ReceiverKind::Discord {
        url: url.into(),
        is_forum: false,
    };
    check(kind, r#"{"id":"1","channel_id":"2"}"#, || node(CHECK_DISCORD)).await;
}
