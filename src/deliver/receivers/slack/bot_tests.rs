use std::sync::{Arc, Mutex};

use serde_json::json;

use super::super::double::refusal;
use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::http::Http;
use crate::deliver::receiver::Report;
use crate::deliver::samples::{self, failed_hook, failed_request, hostile, send_in_thread};
use crate::model::News;
use crate::render::samples::every_kind;

const TOKEN: &str = "xoxb-T0SECRETmarker";
const CHANNEL: &str = "C0123456789";

/// A workspace with one channel, as the Web API shows it.
#[derive(Default)]
struct Workspace {
    /// Those that are there: ts, thread_ts, and the message.
    messages: Vec<(String, Option<String>, Value)>,
    posted: usize,
    edits_are_closed: bool,
}

impl Workspace {
    fn answer(&mut self, (path, headers, body): &Received) -> Value {
        let error = |error: &str| json!({"ok": false, "error": error});
        if headers["authorization"] != format!("Bearer {TOKEN}") {
            return error("invalid_auth");
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(body) else {
            return error("invalid_arguments");
        };
        if body["channel"] != CHANNEL {
            return error("channel_not_found");
        }
        if refusal(&body).is_some() {
            return error("invalid_blocks");
        }
        let method = path.split('?').next().unwrap().rsplit('/').next().unwrap();
        let ts = match method {
            "chat.postMessage" => {
                let thread = body["thread_ts"].as_str().map(str::to_owned);
                let is_there = |root: &String| self.messages.iter().any(|(ts, ..)| ts == root);
                if thread.as_ref().is_some_and(|root| !is_there(root)) {
                    return error("thread_not_found");
                }
                self.posted += 1;
                let ts = format!("1763792880.{:06}", self.posted);
                self.messages.push((ts.clone(), thread, body.take()));
                ts
            }
            "chat.update" => {
                let ts = body["ts"].as_str().unwrap_or_default().to_owned();
                let Some(message) = self.messages.iter_mut().find(|(known, ..)| *known == ts) else {
                    return error("message_not_found");
                };
                if self.edits_are_closed {
                    return error("edit_window_closed");
                }
                if body["parse"] != "none" {
                    return error("would_link_names");
                }
                message.2 = body.take();
                ts
            }
            _ => return error("unknown_method"),
        };
        json!({"ok": true, "channel": CHANNEL, "ts": ts, "message": {"text": "…"}})
    }
}

struct Stage {
    workspace: Arc<Mutex<Workspace>>,
    double: Double,
}

impl Stage {
    async fn new() -> Self {
        let workspace: Arc<Mutex<Workspace>> = Arc::default();
        let api = workspace.clone();
        let double = Double::start(move |received| answer(200, &[], api.lock().unwrap().answer(received).to_string()));
        let double = double.await;
        Self { workspace, double }
    }

    fn bot(&self, channel: &str) -> SlackBot {
        bot(&self.double, TOKEN, channel)
    }

    /// Title and whether it is an answer, of each message that is there.
    fn shown(&self) -> Vec<(String, bool)> {
        let workspace = self.workspace.lock().unwrap();
        let title = |message: &Value| message["blocks"][0]["text"]["text"].as_str().unwrap().to_owned();
        let shown = workspace.messages.iter();
        shown
            .map(|(_, thread, message)| (title(message), thread.is_some()))
            .collect()
    }
}

fn bot(double: &Double, token: &str, channel: &str) -> SlackBot {
    let token = token.into();
    let endpoint = Http::new().unwrap().endpoint(&double.url, &[&token]).unwrap();
    SlackBot::new(endpoint, Bearer::new(&token).unwrap(), channel)
}

#[tokio::test]
async fn a_request_is_one_message_that_lives_with_its_changes_in_its_thread() {
    let stage = Stage::new().await;
    let mut announcement = failed_request();
    announcement.to = Some("IN_PROGRESS".into());
    announcement.request.status = Some("IN_PROGRESS".into());
    announcement.request.open = true;
    let first = samples::send(&stage.bot(CHANNEL), &announcement).await;
    assert_eq!(first.outcome, Outcome::Accepted);
    assert_eq!(
        stage.shown(),
        [("🔹 CREATE AWS::S3::Bucket my-bucket is in progress".into(), false)]
    );
    let thread = first.thread.unwrap();
    let second = send_in_thread(&stage.bot(CHANNEL), &failed_request(), Some(&thread)).await;
    assert_eq!((second.outcome, second.thread), (Outcome::Accepted, None));
    assert_eq!(
        stage.shown(),
        [
            ("❌ CREATE AWS::S3::Bucket my-bucket failed".into(), false),
            ("❌ CREATE AWS::S3::Bucket failed".into(), true),
        ]
    );
}

#[tokio::test]
async fn a_root_that_was_deleted_or_belongs_to_another_channel_is_posted_anew() {
    let stage = Stage::new().await;
    let first = samples::send(&stage.bot(CHANNEL), &failed_request()).await;
    stage.workspace.lock().unwrap().messages.clear();
    let again = send_in_thread(&stage.bot(CHANNEL), &failed_request(), first.thread.as_deref()).await;
    assert_eq!(again.outcome, Outcome::Accepted);
    assert!(again.thread.is_some() && again.thread != first.thread);
    assert_eq!(stage.shown().len(), 1);

    let elsewhere = r#"{"posted_to":"C0000000000","channel":"C0000000000","ts":"1.1"}"#;
    let moved = send_in_thread(&stage.bot(CHANNEL), &failed_request(), Some(elsewhere)).await;
    assert_eq!(moved.outcome, Outcome::Accepted);
    assert!(moved.thread.unwrap().contains(CHANNEL));
}

#[tokio::test]
async fn a_root_that_may_not_be_edited_any_more_is_still_answered() {
    let stage = Stage::new().await;
    let first = samples::send(&stage.bot(CHANNEL), &failed_request()).await;
    stage.workspace.lock().unwrap().edits_are_closed = true;
    let second = send_in_thread(&stage.bot(CHANNEL), &failed_hook("WARN"), first.thread.as_deref()).await;
    assert_eq!((second.outcome, second.thread), (Outcome::Accepted, None));
    assert!(stage.shown()[1].1);
}

#[tokio::test]
async fn slack_takes_every_kind_of_news_and_any_text() {
    let stage = Stage::new().await;
    for news in every_kind() {
        let message = Message::new(&news);
        let report = stage.bot(CHANNEL).send(samples::attempt(&message, None)).await;
        assert_eq!(report.outcome, Outcome::Accepted);
        assert_eq!(report.thread.is_some(), news.change().is_some());
    }
    for text in ["<!channel> & <@U1>", &"<&>".repeat(5_000), ""] {
        let report = samples::send(&stage.bot(CHANNEL), &hostile(text)).await;
        assert_eq!(report.outcome, Outcome::Accepted);
    }
}

async fn answered(status: u16, headers: &'static [(&str, &str)], body: String) -> Report {
    let double = Double::start(move |_| answer(status, headers, body.clone())).await;
    samples::send(&bot(&double, TOKEN, CHANNEL), &failed_request()).await
}

#[tokio::test]
async fn what_speaks_of_the_message_is_permanent_and_what_someone_may_mend_is_not() {
    for error in [
        "msg_too_long",
        "invalid_blocks",
        "no_text",
        "invalid_arguments",
        "msg_blocks_too_long",
    ] {
        let report = answered(200, &[], json!({"ok": false, "error": error}).to_string()).await;
        assert!(
            matches!(&report.outcome, Outcome::Rejected { error: said } if said.contains(error) && said.contains("bug")),
            "{report:?}"
        );
    }
    for (error, says) in [
        ("channel_not_found", "/invite"),
        ("not_in_channel", "/invite"),
        ("is_archived", "unarchive"),
        ("invalid_auth", "`token`"),
        ("account_inactive", "`token`"),
        ("token_revoked", "`token`"),
        ("missing_scope", "chat:write"),
        ("restricted_action", "administrator"),
        ("internal_error", "tried again"),
        ("fatal_error", "tried again"),
        ("service_unavailable", "tried again"),
        ("some_new_error", "Slack's page"),
    ] {
        let report = answered(200, &[], json!({"ok": false, "error": error}).to_string()).await;
        assert!(
            matches!(&report.outcome, Outcome::Failed { error: said, .. } if said.contains(error) && said.contains(says)),
            "{report:?}"
        );
    }
}

#[tokio::test]
async fn a_wish_to_wait_is_heard() {
    let body = json!({"ok": false, "error": "ratelimited"}).to_string();
    let report = answered(429, &[("retry-after", "30")], body).await;
    let wish = Some(Duration::from_secs(30));
    assert!(matches!(report.outcome, Outcome::Failed { retry_after, .. } if retry_after == wish));
}

#[tokio::test]
async fn what_someone_between_says_is_tried_again() {
    for (status, body) in [
        (200, "<html>Sign in to Wi-Fi</html>"),
        (200, ""),
        (200, "{}"),
        (400, "<html>Bad request</html>"),
        (404, ""),
        (410, "Gone"),
        (503, ""),
    ] {
        let report = answered(status, &[], body.into()).await;
        assert!(matches!(report.outcome, Outcome::Failed { .. }), "{status}: {report:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_to_read_whole_is_believed() {
    let body = json!({"ok": true, "text": "x".repeat(100_000)}).to_string();
    let report = answered(200, &[], body).await;
    assert_eq!((report.outcome, report.thread), (Outcome::Accepted, None));
}

#[tokio::test]
async fn neither_token_nor_address_shows_anywhere() {
    let double = Double::start(|(path, headers, _)| answer(200, &[], format!("no {path} {headers:?}"))).await;
    let bot = bot(&double, TOKEN, CHANNEL);
    let news = News::Change(Box::new(failed_request()));
    let message = Message::new(&news);
    let report = bot.send(samples::attempt(&message, None)).await;
    let shown = format!("{bot:?} {report:?} {:?}", bot.preview(&message));
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(matches!(report.outcome, Outcome::Failed { .. }));
}

#[test]
fn the_preview_shows_the_root_and_the_change() {
    let endpoint = Http::new().unwrap().endpoint("https://slack.com/api/", &[]).unwrap();
    let bot = SlackBot::new(endpoint, Bearer::new(&TOKEN.into()).unwrap(), CHANNEL);
    let news = News::Change(Box::new(failed_hook("WARN")));
    let preview = bot.preview(&Message::new(&news));
    assert!(preview.content.contains("my-bucket failed") && preview.content.contains("found fault"));
    assert_eq!(
        preview
            .measures
            .iter()
            .filter(|measure| measure.part == "title")
            .count(),
        2
    );
}
