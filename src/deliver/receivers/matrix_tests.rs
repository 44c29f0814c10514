use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::http::{Http, bearer};
use crate::deliver::samples::{self, NOW, failed_hook, failed_request, hostile, in_a_minute};
use crate::model::{Announcement, News};
use crate::render::samples::every_kind;

const TOKEN: &str = "syt_T0SECRETmarker";
const ROOM: &str = "!OGEhHVWSdvArJzumhm:example.com";

/// A room on a homeserver, as documented.
#[derive(Clone, Default)]
struct Room(Arc<Mutex<Events>>);

#[derive(Default)]
struct Events {
    by_id: BTreeMap<String, Value>,
    by_transaction: BTreeMap<String, String>,
    redacted: Vec<String>,
}

fn refused(status: u16, errcode: &str) -> axum::response::Response {
    let body = json!({"errcode": errcode, "error": "because"});
    answer(status, &[("content-type", "application/json")], body.to_string())
}

/// What a homeserver refuses, what its clients would not show as it was meant, and what would ping people.
fn refusal(events: &Events, content: &Value) -> Option<(u16, &'static str)> {
    // Two KiB for what the homeserver adds: hashes, signatures, who and when.
    if content.to_string().len() + 2_048 > EVENT {
        return Some((413, "M_TOO_LARGE"));
    }
    let relation = &content["m.relates_to"];
    let is_known = |id: &Value| id.as_str().is_some_and(|id| events.by_id.contains_key(id));
    if !relation.is_null() && !is_known(&relation["event_id"]) {
        return Some((400, "M_UNKNOWN"));
    }
    let is_shown = |content: &Value| {
        let is_text = |key: &str| content[key].as_str().is_some_and(|text| !text.is_empty());
        content["msgtype"] == "m.notice"
            && content["m.mentions"] == json!({})
            && is_text("body")
            && is_text("formatted_body")
            && content["format"] == "org.matrix.custom.html"
    };
    let is_right = match relation["rel_type"].as_str() {
        Some("m.replace") => {
            let new = &content["m.new_content"];
            content["m.mentions"] == json!({})
                && content["body"].is_string()
                && is_shown(new)
                && new["m.relates_to"].is_null()
        }
        Some("m.thread") => {
            let is_in_no_thread = events.by_id[relation["event_id"].as_str()?]["m.relates_to"].is_null();
            let falls_back = relation["is_falling_back"] == true && is_known(&relation["m.in_reply_to"]["event_id"]);
            is_in_no_thread && falls_back && is_shown(content)
        }
        Some(_) => false,
        None => is_shown(content),
    };
    (!is_right).then_some((400, "M_BAD_JSON"))
}

impl Room {
    fn answer(&self, (path, headers, body): &Received) -> axum::response::Response {
        let mut events = self.0.lock().unwrap();
        if headers[AUTHORIZATION] != format!("Bearer {TOKEN}") {
            return refused(401, "M_UNKNOWN_TOKEN");
        }
        let path = path.split('?').next().unwrap();
        let Some((_, rest)) = path.split_once("/_matrix/client/v3/rooms/!OGEhHVWSdvArJzumhm:example.com/") else {
            return refused(403, "M_FORBIDDEN");
        };
        if let Some(id) = rest.strip_prefix("event/") {
            let Some(content) = events.by_id.get(id) else {
                return refused(404, "M_NOT_FOUND");
            };
            let event = if events.redacted.iter().any(|redacted| redacted == id) {
                json!({"event_id": id, "content": {}, "unsigned": {"redacted_because": {}}})
            } else {
                json!({"event_id": id, "content": content, "unsigned": {}})
            };
            return answer(200, &[], event.to_string());
        }
        let transaction = rest.strip_prefix("send/m.room.message/").unwrap();
        let id = if let Some(id) = events.by_transaction.get(transaction) {
            id.clone()
        } else {
            let Ok(content) = serde_json::from_slice(body) else {
                return refused(400, "M_NOT_JSON");
            };
            if let Some((status, errcode)) = refusal(&events, &content) {
                return refused(status, errcode);
            }
            let id = format!("${}", events.by_id.len());
            events.by_transaction.insert(transaction.to_owned(), id.clone());
            events.by_id.insert(id.clone(), content);
            id
        };
        answer(200, &[], json!({ "event_id": id }).to_string())
    }

    async fn double(&self) -> Double {
        let room = self.clone();
        Double::start(move |received| room.answer(received)).await
    }

    fn redact(&self, id: &str) {
        self.0.lock().unwrap().redacted.push(id.to_owned());
    }

    /// Each event: what it relates to, how, and the text that is shown of it.
    fn shown(&self) -> Vec<(String, String, String)> {
        let events = self.0.lock().unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let shown = events.by_id.values().map(|content| {
            let relation = &content["m.relates_to"];
            let new = content.get("m.new_content").unwrap_or(content);
            let headline = text(&new["body"]).lines().next().unwrap_or_default().to_owned();
            (text(&relation["rel_type"]), text(&relation["event_id"]), headline)
        });
        shown.collect()
    }
}

fn receiver(double: &Double) -> Matrix {
    let token = TOKEN.into();
    let endpoint = Http::new().unwrap().endpoint(&double.url, &[&token]).unwrap();
    Matrix::new(&endpoint, ROOM, bearer(&token).unwrap())
}

/// Makes an attempt at delivery `key`.
async fn tell(double: &Double, key: &str, number: u32, announcement: &Announcement, thread: Option<&str>) -> Report {
    let news = News::Change(Box::new(announcement.clone()));
    let message = Message::new(&news);
    let attempt = Attempt {
        message: &message,
        idempotency_key: key,
        thread,
        number,
        now: NOW,
        deadline: in_a_minute(),
    };
    receiver(double).send(attempt).await
}

/// The request on its way.
fn in_progress() -> Announcement {
    let mut announcement = failed_request();
    announcement.from = Some("PENDING".into());
    announcement.to = Some("IN_PROGRESS".into());
    (announcement.error_code, announcement.message) = (None, None);
    let request = &mut announcement.request;
    request.status = Some("IN_PROGRESS".into());
    request.open = true;
    (request.error_code, request.status_message) = (None, None);
    announcement
}

fn line(relation: &str, to: &str, text: &str) -> (String, String, String) {
    (relation.into(), to.into(), text.into())
}

const ON_ITS_WAY: &str = "🔹 CREATE AWS::S3::Bucket my-bucket is in progress";
const FAILED: &str = "❌ CREATE AWS::S3::Bucket my-bucket failed";

#[tokio::test]
async fn the_root_shows_the_present_state_and_changes_follow_in_its_thread() {
    let room = Room::default();
    let double = room.double().await;
    let first = tell(&double, "a", 1, &in_progress(), None).await;
    assert_eq!(
        (first.outcome, first.thread.as_deref()),
        (Outcome::Accepted, Some("$0"))
    );
    let second = tell(&double, "b", 1, &failed_request(), Some("$0")).await;
    assert_eq!(
        (second.outcome, second.thread.as_deref()),
        (Outcome::Accepted, Some("$0"))
    );
    assert_eq!(
        room.shown(),
        [
            line("", "", ON_ITS_WAY),
            line("m.replace", "$0", FAILED),
            line("m.thread", "$0", "❌ CREATE AWS::S3::Bucket failed"),
        ]
    );
}

#[tokio::test]
async fn what_the_root_does_not_tell_follows_at_once() {
    let room = Room::default();
    let double = room.double().await;
    tell(&double, "a", 1, &failed_hook("WARN"), None).await;
    let hook = "⚠️ Hook Acme::S3::Guard found fault on CREATE AWS::S3::Bucket";
    assert_eq!(room.shown(), [line("", "", FAILED), line("m.thread", "$0", hook)]);
}

#[tokio::test]
async fn a_repeated_attempt_shows_nothing_twice_and_an_edit_shows_the_newest_state() {
    let room = Room::default();
    let double = room.double().await;
    tell(&double, "a", 1, &in_progress(), None).await;
    for number in 1..3 {
        tell(&double, "b", number, &failed_hook("WARN"), Some("$0")).await;
    }
    assert_eq!(room.shown().len(), 3);
    // The root of a lost answer, and the request went on.
    let room = Room::default();
    let double = room.double().await;
    tell(&double, "a", 1, &in_progress(), None).await;
    let mut later = in_progress();
    later.request = failed_request().request;
    let report = tell(&double, "a", 2, &later, None).await;
    assert_eq!(report.thread.as_deref(), Some("$0"));
    let shown = room.shown();
    assert_eq!(&shown[..2], [line("", "", ON_ITS_WAY), line("m.replace", "$0", FAILED)]);
}

#[tokio::test]
async fn a_root_that_was_removed_is_posted_anew() {
    for thread in ["$0", "$of another room"] {
        let room = Room::default();
        let double = room.double().await;
        tell(&double, "a", 1, &in_progress(), None).await;
        room.redact("$0");
        let report = tell(&double, "b", 1, &failed_request(), Some(thread)).await;
        assert_eq!(
            (report.outcome, report.thread.as_deref()),
            (Outcome::Accepted, Some("$1"))
        );
        assert_eq!(room.shown()[1..], [line("", "", FAILED)]);
    }
}

#[tokio::test]
async fn a_root_is_kept_even_if_what_follows_it_fails() {
    let room = Room::default();
    let answering = room.clone();
    let double = Double::start(move |received| {
        if received.0.contains("-reply") {
            refused(502, "M_UNKNOWN")
        } else {
            answering.answer(received)
        }
    });
    let double = double.await;
    let report = tell(&double, "a", 1, &failed_hook("WARN"), None).await;
    assert_eq!(report.thread.as_deref(), Some("$0"));
    assert!(matches!(report.outcome, Outcome::Failed { .. }));
}

#[tokio::test]
async fn every_kind_of_news_is_taken_whatever_stands_in_it() {
    let room = Room::default();
    let double = room.double().await;
    let mut news = every_kind();
    for text in ["", "<b>@room</b> https://matrix.to/#/@a:b", &"\\\"<€\n".repeat(9_000)] {
        news.push(News::Change(Box::new(hostile(text))));
    }
    for (index, news) in news.iter().enumerate() {
        let message = Message::new(news);
        let key = index.to_string();
        let attempt = Attempt {
            idempotency_key: &key,
            ..samples::attempt(&message, None)
        };
        let report = receiver(&double).send(attempt).await;
        assert_eq!(report.outcome, Outcome::Accepted, "{}", news.kind());
        assert_eq!(report.thread.is_some(), news.change().is_some());
    }
}

#[tokio::test]
async fn what_the_homeserver_says_is_understood() {
    for (status, errcode, says, rejected) in [
        (429, "M_LIMIT_EXCEEDED", "too often", false),
        (401, "M_UNKNOWN_TOKEN", "set `token`", false),
        (401, "M_MISSING_TOKEN", "set `token`", false),
        (403, "M_FORBIDDEN", "invite the bot", false),
        (403, "M_USER_SUSPENDED", "administrator", false),
        (404, "M_UNRECOGNIZED", "homeserver's words", false),
        (413, "M_TOO_LARGE", "bug of ccwatch", true),
        (400, "M_BAD_JSON", "bug of ccwatch", true),
        (400, "M_NOT_JSON", "bug of ccwatch", true),
        (400, "M_SOMETHING_NEW", "homeserver's words", false),
        (500, "M_UNKNOWN", "homeserver's words", false),
    ] {
        let double = Double::start(move |_| refused(status, errcode)).await;
        for thread in [None, Some("$0")] {
            let outcome = tell(&double, "a", 1, &failed_request(), thread).await.outcome;
            assert_eq!(matches!(outcome, Outcome::Rejected { .. }), rejected, "{outcome:?}");
            let (Outcome::Rejected { error } | Outcome::Failed { error, .. }) = outcome else {
                panic!("{errcode} is accepted");
            };
            assert!(error.contains(says) && error.contains("because"), "{error}");
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
        let outcome = tell(&double, "a", 1, &failed_request(), None).await.outcome;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{status}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_wish_to_wait_is_obeyed_in_both_its_forms() {
    let in_body = r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":2500}"#;
    let plain = r#"{"errcode":"M_LIMIT_EXCEEDED"}"#;
    for (headers, body, wish) in [
        (&[][..], in_body, Duration::from_millis(2_500)),
        (&[("retry-after", "3")][..], plain, Duration::from_secs(3)),
    ] {
        let double = Double::start(move |_| answer(429, headers, body)).await;
        let outcome = tell(&double, "a", 1, &failed_request(), None).await.outcome;
        assert!(
            matches!(outcome, Outcome::Failed { retry_after, .. } if retry_after == Some(wish)),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn neither_address_nor_token_shows() {
    for status in [200, 403, 500] {
        let double = Double::start(move |(path, headers, _)| {
            answer(
                status,
                &[],
                format!("no {path} for {:?}", headers[AUTHORIZATION].to_str()),
            )
        });
        let double = double.await;
        let report = tell(&double, "a", 1, &failed_request(), None).await;
        let news = News::Change(Box::new(failed_request()));
        let matrix = receiver(&double);
        let preview = matrix.preview(&Message::new(&news));
        let shown = format!("{matrix:?} {report:?} {preview:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn a_preview_shows_root_and_reply_and_measures_the_event() {
    let mut long = failed_hook("WARN");
    long.message = Some("x".repeat(70_000));
    let news = News::Change(Box::new(long));
    let endpoint = Http::new().unwrap().endpoint("https://example.com", &[]).unwrap();
    let matrix = Matrix::new(&endpoint, ROOM, HeaderValue::from_static("x"));
    let preview = matrix.preview(&Message::new(&news));
    let [event] = preview.measures.as_slice() else {
        panic!("{preview:?}")
    };
    assert!(event.size > event.limit);
    let events: Vec<Value> = serde_json::from_str(&preview.content).unwrap();
    assert_eq!(events[1]["m.relates_to"]["rel_type"], "m.thread");
}

#[test]
fn an_edit_in_json() {
    insta::assert_snapshot!(format!(
        "{:#}",
        edit(
            "$root",
            &Message::new(&News::Change(Box::new(failed_hook("WARN"))))
                .present
                .unwrap()
        )
    ));
}

proptest! {
    #[test]
    fn no_text_whatever_breaks_the_limit_or_pings(
        unit in prop_oneof![any::<String>(), "[\"\\\\€<&😀\n@]{1,20}"],
        times in 0_usize..800,
    ) {
        let text: String = unit.chars().cycle().take(unit.len().min(20) * times).collect();
        let news = News::Change(Box::new(hostile(&text)));
        let mut message = Message::new(&news);
        message.words.body = Some(text);
        let present = message.present.unwrap();
        let mut events = Events::default();
        events.by_id.insert("$0".into(), json!({}));
        for content in [content(&present), content(&message.words), edit("$0", &present), reply("$0", &message.words)] {
            prop_assert_eq!(refusal(&events, &content), None);
        }
    }
}
