use std::sync::{Arc, Mutex};

use super::super::double::refusal;
use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::http::Http;
use crate::deliver::receiver::Report;
use crate::deliver::samples::{self, failed_hook, failed_request, hostile, send_in_thread};
use crate::model::News;
use crate::render::samples::every_kind;

const TOKEN: &str = "T0SECRETmarker0token";
const CHANNEL: &str = "4xp9fdt77pncbef59f4k1qe83o";

/// A server with one channel, as its API shows it.
#[derive(Default)]
struct Server {
    /// Those that are there: id, root_id, and the message that is shown.
    posts: Vec<(String, Option<String>, String)>,
    posted: usize,
    edits_are_closed: bool,
}

impl Server {
    fn answer(&mut self, (path, headers, body): &Received) -> (u16, Value) {
        let error = |status: u16, id: &str| (status, json!({"id": id, "message": "…", "status_code": status}));
        if headers["authorization"] != format!("Bearer {TOKEN}") {
            return error(401, "api.context.session_expired.app_error");
        }
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return error(400, "api.context.invalid_body_param.app_error");
        };
        if refusal(&body["message"], &body["props"]["attachments"]).is_some() {
            return error(400, "model.post.is_valid.message_length.app_error");
        }
        let text = body["message"].as_str().unwrap().to_owned();
        let path = path.split('?').next().unwrap();
        let (_, path) = path.split_once("/api/v4/posts").unwrap();
        if let Some(id) = path.strip_prefix('/').and_then(|path| path.strip_suffix("/patch")) {
            let Some(post) = self.posts.iter_mut().find(|(known, ..)| known == id) else {
                return error(403, "api.context.permissions.app_error");
            };
            if self.edits_are_closed {
                return error(400, "api.post.update_post.permissions_time_limit.app_error");
            }
            post.2 = text;
            return (200, json!({"id": id}));
        }
        if body["channel_id"] != CHANNEL {
            return error(403, "api.context.permissions.app_error");
        }
        let root = body["root_id"].as_str().map(str::to_owned);
        let is_root = |id: &String| self.posts.iter().any(|(known, root, _)| known == id && root.is_none());
        if root.as_ref().is_some_and(|id| !is_root(id)) {
            return error(400, "api.post.create_post.root_id.app_error");
        }
        self.posted += 1;
        let id = format!("post{}", self.posted);
        self.posts.push((id.clone(), root, text));
        (201, json!({"id": id, "channel_id": CHANNEL}))
    }
}

struct Stage {
    server: Arc<Mutex<Server>>,
    double: Double,
}

impl Stage {
    async fn new() -> Self {
        let server: Arc<Mutex<Server>> = Arc::default();
        let api = server.clone();
        let double = Double::start(move |received| {
            let (status, body) = api.lock().unwrap().answer(received);
            answer(status, &[], body.to_string())
        });
        Self {
            server,
            double: double.await,
        }
    }

    fn bot(&self) -> MattermostBot {
        bot(&self.double, CHANNEL)
    }

    /// The text of each message that is there, and whether it is an answer.
    fn shown(&self) -> Vec<(String, bool)> {
        let server = self.server.lock().unwrap();
        let shown = server.posts.iter();
        shown.map(|(_, root, text)| (text.clone(), root.is_some())).collect()
    }
}

fn bot(double: &Double, channel_id: &str) -> MattermostBot {
    let token = TOKEN.into();
    let endpoint = Http::new().unwrap().endpoint(&double.url, &[&token]).unwrap();
    MattermostBot::new(endpoint, Bearer::new(&token).unwrap(), channel_id)
}

#[tokio::test]
async fn a_request_is_one_message_that_lives_with_its_changes_in_its_thread() {
    let stage = Stage::new().await;
    let mut announcement = failed_request();
    announcement.to = Some("IN_PROGRESS".into());
    announcement.request.status = Some("IN_PROGRESS".into());
    announcement.request.open = true;
    let first = samples::send(&stage.bot(), &announcement).await;
    assert_eq!(first.outcome, Outcome::Accepted);
    let thread = first.thread.unwrap();
    let second = send_in_thread(&stage.bot(), &failed_request(), Some(&thread)).await;
    assert_eq!((second.outcome, second.thread), (Outcome::Accepted, None));
    assert_eq!(stage.double.methods(), [Method::POST, Method::PUT, Method::POST]);
    assert_eq!(
        stage.shown(),
        [
            (r"❌ CREATE AWS::S3::Bucket my\-bucket failed".into(), false),
            ("❌ CREATE AWS::S3::Bucket failed".into(), true),
        ]
    );
}

#[tokio::test]
async fn a_root_that_was_deleted_or_belongs_to_another_channel_is_posted_anew() {
    let stage = Stage::new().await;
    let first = samples::send(&stage.bot(), &failed_request()).await;
    stage.server.lock().unwrap().posts.clear();
    let again = send_in_thread(&stage.bot(), &failed_request(), first.thread.as_deref()).await;
    assert_eq!(again.outcome, Outcome::Accepted);
    assert!(again.thread.is_some() && again.thread != first.thread);
    let elsewhere = r#"{"channel_id":"other","id":"post2"}"#;
    let moved = send_in_thread(&stage.bot(), &failed_request(), Some(elsewhere)).await;
    assert_eq!(moved.outcome, Outcome::Accepted);
    assert!(moved.thread.unwrap().contains(CHANNEL));
}

#[tokio::test]
async fn a_root_that_goes_after_its_edit_is_posted_anew() {
    let double = Double::start(|(path, _, body): &Received| {
        let is_answer = serde_json::from_slice::<Value>(body).unwrap().get("root_id").is_some();
        if is_answer && !path.contains("/patch") {
            answer(400, &[], r#"{"id": "api.post.create_post.root_id.app_error"}"#)
        } else {
            answer(201, &[], r#"{"id": "new"}"#)
        }
    });
    let double = double.await;
    let bot = bot(&double, CHANNEL);
    let thread = format!(r#"{{"channel_id":"{CHANNEL}","id":"old"}}"#);
    let report = send_in_thread(&bot, &failed_request(), Some(&thread)).await;
    assert_eq!(report.outcome, Outcome::Accepted);
    assert!(report.thread.unwrap().contains("new"));
}

#[tokio::test]
async fn a_root_that_may_not_be_edited_any_more_is_still_answered() {
    let stage = Stage::new().await;
    let first = samples::send(&stage.bot(), &failed_request()).await;
    stage.server.lock().unwrap().edits_are_closed = true;
    let second = send_in_thread(&stage.bot(), &failed_hook("WARN"), first.thread.as_deref()).await;
    assert_eq!((second.outcome, second.thread), (Outcome::Accepted, None));
    assert!(stage.shown()[1].1);
}

#[tokio::test]
async fn mattermost_takes_every_kind_of_news_and_any_text() {
    let stage = Stage::new().await;
    for news in every_kind() {
        let message = Message::new(&news);
        let report = stage.bot().send(samples::attempt(&message, None)).await;
        assert_eq!(report.outcome, Outcome::Accepted);
        assert_eq!(report.thread.is_some(), news.change().is_some());
    }
    let report = samples::send(&stage.bot(), &hostile("@all <!channel>")).await;
    assert_eq!(report.outcome, Outcome::Accepted);
}

async fn answered(status: u16, headers: &'static [(&str, &str)], body: String) -> Report {
    let double = Double::start(move |_| answer(status, headers, body.clone())).await;
    samples::send(&bot(&double, CHANNEL), &failed_request()).await
}

#[tokio::test]
async fn what_speaks_of_the_message_is_permanent_and_all_else_passes() {
    let error = |status: u16, id: &str| answered(status, &[], json!({"id": id, "message": "…"}).to_string());
    for id in [
        "model.post.is_valid.message_length.app_error",
        "api.context.invalid_body_param.app_error",
    ] {
        let report = error(400, id).await;
        assert!(
            matches!(&report.outcome, Outcome::Rejected { error } if error.contains("bug")),
            "{report:?}"
        );
    }
    for (status, id, says) in [
        (401, "api.context.session_expired.app_error", "`token`"),
        (403, "api.context.permissions.app_error", "add the bot"),
        (404, "app.channel.get.existing.app_error", "`channel_id`"),
        (400, "api.post.create_post.can_not_post_to_deleted.error", "channel"),
        (500, "store.sql_post.save.app_error", "tried again"),
    ] {
        let report = error(status, id).await;
        assert!(
            matches!(&report.outcome, Outcome::Failed { error, .. } if error.contains(says)),
            "{report:?}"
        );
    }
    for (status, body) in [
        (200, "<html>Sign in"),
        (200, "ok"),
        (400, "<html>Bad request"),
        (404, "<html>Not found"),
        (503, ""),
    ] {
        let report = answered(status, &[], body.into()).await;
        assert!(matches!(report.outcome, Outcome::Failed { .. }), "{status}: {report:?}");
    }
}

#[tokio::test]
async fn a_wish_to_wait_is_heard() {
    let report = answered(429, &[("x-ratelimit-reset", "7")], "limit exceeded".into()).await;
    let wish = Some(Duration::from_secs(7));
    assert!(matches!(report.outcome, Outcome::Failed { retry_after, .. } if retry_after == wish));
}

#[tokio::test]
async fn neither_token_nor_address_shows_anywhere() {
    let double = Double::start(|(path, headers, _)| answer(200, &[], format!("no {path} {headers:?}"))).await;
    let bot = bot(&double, CHANNEL);
    let news = News::Change(Box::new(failed_request()));
    let message = Message::new(&news);
    let report = bot.send(samples::attempt(&message, None)).await;
    let shown = format!("{bot:?} {report:?} {:?}", bot.preview(&message));
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(matches!(report.outcome, Outcome::Failed { .. }));
}
