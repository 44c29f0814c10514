use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::http::Http;
use crate::deliver::samples::{self, failed_hook, failed_request, hostile};
use crate::model::{Announcement, News};
use crate::render::Link;
use crate::render::samples::every_kind;

const TOKEN: &str = "110201543:T0SECRETmarker";
const CHAT: &str = "-1001234567890";

fn refused(status: u16, description: &str) -> axum::response::Response {
    let body = json!({"ok": false, "error_code": status, "description": description});
    answer(status, &[("content-type", "application/json")], body.to_string())
}

/// What the Bot API refuses, and what would ping or link: text outside of `code`, `pre` and links that is not ccwatch's own.
fn refusal(message: &Value) -> Option<&'static str> {
    let text: Vec<u16> = message["text"].as_str()?.encode_utf16().collect();
    if text.is_empty() {
        return Some("Bad Request: message text is empty");
    }
    if text.len() > 4096 {
        return Some("Bad Request: message is too long");
    }
    let mut bare = text.clone();
    for entity in message["entities"].as_array()? {
        let number = |key: &str| usize::try_from(entity[key].as_u64().unwrap()).unwrap();
        let (start, end) = (number("offset"), number("offset") + number("length"));
        let Some(part) = text.get(start..end) else {
            return Some("Bad Request: ENTITY_BOUNDS_INVALID");
        };
        // Telegram cuts white space at the ends, and counts in whole characters.
        let Ok(part) = String::from_utf16(part) else {
            return Some("Bad Request: ENTITY_BOUNDS_INVALID");
        };
        if part.trim() != part || part.is_empty() {
            return Some("Bad Request: entity of white space");
        }
        bare[start..end].fill(u16::from(b' '));
    }
    let bare = String::from_utf16(&bare).ok()?;
    if !["✅", "🔹", "⚠️", "❌"].contains(&bare.trim()) {
        return Some("text from outside that could be a name or an address");
    }
    (message["link_preview_options"]["is_disabled"] != true).then_some("would show a preview")
}

/// A chat, as documented.
#[derive(Clone, Default)]
struct Chat(Arc<Mutex<BTreeMap<i64, Value>>>);

impl Chat {
    fn answer(&self, (path, _, body): &Received) -> axum::response::Response {
        let mut messages = self.0.lock().unwrap();
        let path = path.split('?').next().unwrap();
        let Some((_, method)) = path.split_once(&format!("/bot{TOKEN}/")) else {
            return refused(401, "Unauthorized");
        };
        let message: Value = serde_json::from_slice(body).unwrap();
        if message["chat_id"] != CHAT {
            return refused(400, "Bad Request: chat not found");
        }
        if let Some(problem) = refusal(&message) {
            return refused(400, problem);
        }
        let id = match method {
            "sendMessage" => i64::try_from(messages.len()).unwrap() + 100,
            "editMessageText" => {
                let id = message["message_id"].as_i64().unwrap();
                let Some(known) = messages.get(&id).filter(|known| !known.is_null()) else {
                    return refused(400, "Bad Request: message to edit not found");
                };
                if known["text"] == message["text"] {
                    return refused(
                        400,
                        "Bad Request: message is not modified: specified new message content …",
                    );
                }
                id
            }
            _ => return refused(404, "Not Found"),
        };
        messages.insert(id, message);
        answer(200, &[], json!({"ok": true, "result": {"message_id": id}}).to_string())
    }

    async fn double(&self) -> Double {
        let chat = self.clone();
        Double::start(move |received| chat.answer(received)).await
    }

    fn delete(&self, id: i64) {
        self.0.lock().unwrap().insert(id, Value::Null);
    }

    /// The first line of each message, with the message that it answers.
    fn shown(&self) -> Vec<(i64, Option<i64>, String)> {
        let messages = self.0.lock().unwrap();
        let shown = messages.iter().map(|(id, message)| {
            let text = message["text"].as_str().unwrap_or_default();
            let to = message["reply_parameters"]["message_id"].as_i64();
            (*id, to, text.lines().next().unwrap_or_default().to_owned())
        });
        shown.collect()
    }
}

fn receiver(double: &Double) -> Telegram {
    let token = TOKEN.into();
    let endpoint = Http::new().unwrap().endpoint(&double.url, &[&token]).unwrap();
    Telegram {
        between_messages: Duration::ZERO,
        ..Telegram::new(&endpoint, &token, CHAT.into(), None)
    }
}

async fn tell(double: &Double, announcement: &Announcement, thread: Option<&str>) -> Report {
    samples::send_in_thread(&receiver(double), announcement, thread).await
}

fn in_progress() -> Announcement {
    let mut announcement = failed_request();
    announcement.to = Some("IN_PROGRESS".into());
    (announcement.error_code, announcement.message) = (None, None);
    announcement.request.status = Some("IN_PROGRESS".into());
    announcement.request.open = true;
    (announcement.request.error_code, announcement.request.status_message) = (None, None);
    announcement
}

fn line(id: i64, to: Option<i64>, text: &str) -> (i64, Option<i64>, String) {
    (id, to, text.into())
}

const FAILED: &str = "❌ CREATE AWS::S3::Bucket my-bucket failed";

#[tokio::test]
async fn the_root_shows_the_present_state_and_changes_answer_it() {
    let chat = Chat::default();
    let double = chat.double().await;
    let first = tell(&double, &in_progress(), None).await;
    assert_eq!(first.outcome, Outcome::Accepted);
    assert_eq!(
        chat.shown(),
        [line(100, None, "🔹 CREATE AWS::S3::Bucket my-bucket is in progress")]
    );
    let second = tell(&double, &failed_request(), first.thread.as_deref()).await;
    assert_eq!((&second.outcome, &second.thread), (&Outcome::Accepted, &first.thread));
    let reply = "❌ CREATE AWS::S3::Bucket failed";
    assert_eq!(chat.shown(), [line(100, None, FAILED), line(101, Some(100), reply)]);
    // The root says so already.
    let hook = tell(&double, &failed_hook("WARN"), first.thread.as_deref()).await;
    assert_eq!(hook.outcome, Outcome::Accepted);
    assert_eq!(chat.shown().len(), 3);
}

#[tokio::test]
async fn what_the_root_does_not_tell_follows_at_once() {
    let chat = Chat::default();
    let double = chat.double().await;
    tell(&double, &failed_hook("WARN"), None).await;
    let hook = "⚠️ Hook Acme::S3::Guard found fault on CREATE AWS::S3::Bucket";
    assert_eq!(chat.shown(), [line(100, None, FAILED), line(101, Some(100), hook)]);
}

#[tokio::test]
async fn a_root_that_was_deleted_or_is_of_another_chat_or_topic_is_posted_anew() {
    let chat = Chat::default();
    let double = chat.double().await;
    tell(&double, &in_progress(), None).await;
    let before = chat.shown();
    chat.delete(100);
    for (index, thread) in [
        r#"{"chat":"-1001234567890","topic":null,"message":100}"#,
        r#"{"chat":"77","topic":null,"message":101}"#,
        r#"{"chat":"-1001234567890","topic":3,"message":101}"#,
        "no JSON",
    ]
    .iter()
    .enumerate()
    {
        let report = tell(&double, &failed_request(), Some(thread)).await;
        let id = 101 + i64::try_from(index).unwrap();
        let root = format!(r#"{{"chat":"-1001234567890","message":{id},"topic":null}}"#);
        assert_eq!((report.outcome, report.thread), (Outcome::Accepted, Some(root)));
        assert_eq!(chat.shown().last(), Some(&line(id, None, FAILED)));
    }
    assert_eq!(chat.shown().len(), before.len() + 4);
}

#[tokio::test]
async fn a_topic_is_written_to_and_a_root_is_kept_even_if_the_reply_fails() {
    let chat = Chat::default();
    let answering = chat.clone();
    let double = Double::start(move |received| {
        if String::from_utf8_lossy(&received.2).contains("reply_parameters") {
            refused(400, "Bad Request: TOPIC_CLOSED")
        } else {
            answering.answer(received)
        }
    });
    let double = double.await;
    let telegram = Telegram {
        message_thread_id: Some(7),
        ..receiver(&double)
    };
    let report = samples::send(&telegram, &failed_hook("WARN")).await;
    let root = r#"{"chat":"-1001234567890","message":100,"topic":7}"#;
    assert_eq!(report.thread.as_deref(), Some(root));
    assert!(matches!(report.outcome, Outcome::Failed { .. }), "{report:?}");
    assert_eq!(chat.0.lock().unwrap()[&100]["message_thread_id"], 7);
}

#[tokio::test]
async fn every_kind_of_news_is_taken_whatever_stands_in_it() {
    let chat = Chat::default();
    let double = chat.double().await;
    let mut news = every_kind();
    for text in ["", " ", "@all #tag /start https://example.com", &"😀<&".repeat(3_000)] {
        news.push(News::Change(Box::new(hostile(text))));
    }
    for news in &news {
        let message = Message::new(news);
        let report = receiver(&double).send(samples::attempt(&message, None)).await;
        assert_eq!(report.outcome, Outcome::Accepted, "{}", news.kind());
        assert_eq!(report.thread.is_some(), news.change().is_some());
    }
}

#[tokio::test]
async fn what_telegram_says_is_understood() {
    for (status, description, says, rejected) in [
        (400, "Bad Request: message is too long", "bug of ccwatch", true),
        (400, "Bad Request: ENTITY_BOUNDS_INVALID", "bug of ccwatch", true),
        (400, "Bad Request: chat not found", "`chat_id`", false),
        (
            400,
            "Bad Request: message thread not found",
            "`message_thread_id`",
            false,
        ),
        (
            400,
            "Bad Request: not enough rights to send text messages to the chat",
            "may do there",
            false,
        ),
        (401, "Unauthorized", "set `token`", false),
        (
            403,
            "Forbidden: bot was kicked from the supergroup chat",
            "into the chat",
            false,
        ),
        (403, "Forbidden: bot was blocked by the user", "unblock", false),
        (404, "Not Found", "set `token`", false),
        (413, "Request Entity Too Large", "bug of ccwatch", true),
        (500, "Internal Server Error", "its side", false),
    ] {
        let double = Double::start(move |_| refused(status, description)).await;
        for thread in [None, Some(r#"{"chat":"-1001234567890","topic":null,"message":100}"#)] {
            let outcome = tell(&double, &failed_request(), thread).await.outcome;
            assert_eq!(matches!(outcome, Outcome::Rejected { .. }), rejected, "{outcome:?}");
            let (Outcome::Rejected { error } | Outcome::Failed { error, .. }) = outcome else {
                panic!("{description} is accepted");
            };
            assert!(error.contains(says) && error.contains(description), "{error}");
        }
    }
    for (status, body) in [
        (200, "<html>Sign in</html>"),
        (200, "{}"),
        (400, ""),
        (410, ""),
        (413, ""),
    ] {
        let double = Double::start(move |_| answer(status, &[], body)).await;
        let outcome = tell(&double, &failed_request(), None).await.outcome;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{status}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_wish_to_wait_is_obeyed_and_a_chats_new_number_is_told() {
    let failed = |parameters: Value, status: u16| async move {
        let body = json!({"ok": false, "error_code": status, "description": "because", "parameters": parameters});
        let double = Double::start(move |_| answer(status, &[], body.to_string())).await;
        match tell(&double, &failed_request(), None).await.outcome {
            Outcome::Failed { error, retry_after } => (error, retry_after),
            other => panic!("{other:?}"),
        }
    };
    let (_, wish) = failed(json!({"retry_after": 35}), 429).await;
    assert_eq!(wish, Some(Duration::from_secs(35)));
    let (error, _) = failed(json!({"migrate_to_chat_id": -100_777}), 400).await;
    assert!(error.contains("set `chat_id` to -100777"), "{error}");
}

#[tokio::test]
async fn a_root_is_reported_even_if_what_follows_it_fails() {
    let double = Double::start(|(_, _, body)| {
        let message: Value = serde_json::from_slice(body).unwrap();
        match message["reply_parameters"] {
            Value::Null => answer(200, &[], r#"{"ok":true,"result":{"message_id":100}}"#),
            _ => refused(500, "Internal Server Error"),
        }
    })
    .await;
    let report = tell(&double, &failed_hook("WARN"), None).await;
    assert!(matches!(&report.outcome, Outcome::Failed { .. }), "{report:?}");
    assert!(report.thread.unwrap().contains("100"));
}

#[test]
fn its_pace_counts_both_messages() {
    let endpoint = Http::new().unwrap().endpoint("https://api.telegram.org", &[]).unwrap();
    for (chat, seconds) in [("77", 2), ("-77", 6), ("@ccwatch", 6)] {
        let telegram = Telegram::new(&endpoint, &TOKEN.into(), chat.into(), None);
        let spacing = Duration::from_secs(seconds);
        assert_eq!(telegram.pace(), Pace::one_by_one(spacing), "{chat}");
    }
}

#[tokio::test]
async fn neither_address_nor_token_shows() {
    for status in [200, 404, 500] {
        let double = Double::start(move |(path, ..)| answer(status, &[], format!("no {path}"))).await;
        let telegram = receiver(&double);
        let report = samples::send(&telegram, &failed_request()).await;
        let news = News::Change(Box::new(failed_request()));
        let preview = telegram.preview(&Message::new(&news));
        let shown = format!("{telegram:?} {report:?} {preview:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
    let gone = Http::new()
        .unwrap()
        .endpoint("http://127.0.0.1:1", &[&TOKEN.into()])
        .unwrap();
    let telegram = Telegram::new(&gone, &TOKEN.into(), CHAT.into(), None);
    let report = samples::send(&telegram, &failed_request()).await;
    assert!(matches!(report.outcome, Outcome::Failed { .. }));
    assert!(!format!("{report:?}").contains(SECRET), "{report:?}");
}

#[test]
fn a_preview_shows_root_and_reply_and_measures_the_message() {
    let mut long = failed_hook("WARN");
    long.message = Some("x".repeat(5_000));
    let news = News::Change(Box::new(long));
    let mut message = Message::new(&news);
    message.words.link = Some(Link {
        label: "AWS console",
        url: "https://example.com/".into(),
    });
    let endpoint = Http::new().unwrap().endpoint("https://api.telegram.org", &[]).unwrap();
    let preview = Telegram::new(&endpoint, &TOKEN.into(), CHAT.into(), None).preview(&message);
    assert!(preview.measures[0].size > 5_000 && preview.measures[0].limit == 4096);
    let messages: Vec<Value> = serde_json::from_str(&preview.content).unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1]["entities"][2]["url"], "https://example.com/");
}

#[test]
fn a_hook_in_json() {
    let news = News::Change(Box::new(failed_hook("WARN")));
    let (text, entities) = layout(&Message::new(&news).words);
    insta::assert_snapshot!(format!("{text}\n--\n{}", json!(entities)));
}

proptest! {
    #[test]
    fn no_text_whatever_breaks_the_limit_pings_or_links(
        unit in prop_oneof![any::<String>(), "[@/#.a😀\n ]{1,20}"],
        times in 0_usize..400,
    ) {
        let text: String = unit.chars().cycle().take(unit.len().min(20) * times).collect();
        let news = News::Change(Box::new(hostile(&text)));
        let mut message = Message::new(&news);
        message.words.body = Some(text);
        let endpoint = Http::new().unwrap().endpoint("https://api.telegram.org", &[]).unwrap();
        let telegram = Telegram::new(&endpoint, &TOKEN.into(), CHAT.into(), None);
        for words in [&message.words, message.present.as_ref().unwrap()] {
            prop_assert_eq!(refusal(&telegram.message(words)), None);
        }
    }
}
