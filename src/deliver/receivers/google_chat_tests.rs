use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::samples::{self, failed_hook, failed_request, hostile, hostile_text, send};
use crate::model::News;
use crate::render::Link;
use crate::render::samples::every_kind;

/// What Google refuses, and what it would show as more than text.
fn refusal(message: &Value) -> Option<String> {
    let bytes = message.to_string().len();
    if bytes > 32_000 {
        return Some(format!("{bytes} bytes"));
    }
    let plain = |text: &Value| {
        text.as_str()
            .is_some_and(|text| !text.is_empty() && !text.contains(['<', '>']))
    };
    let card = &message["cardsV2"][0]["card"];
    let escaped = |text: &Value| {
        let text = text.as_str().unwrap_or_default();
        let entities: usize = ["&amp;", "&lt;", "&gt;"]
            .iter()
            .map(|entity| text.matches(entity).count())
            .sum();
        !text.is_empty() && !text.contains(['<', '>']) && text.matches('&').count() == entities && !text.contains("://")
    };
    let widgets = card["sections"][0]["widgets"].as_array()?;
    let is_right = |widget: &Value| {
        let fact = &widget["decoratedText"];
        escaped(&widget["textParagraph"]["text"])
            || (plain(&fact["topLabel"]) && escaped(&fact["text"]))
            || widget["buttonList"]["buttons"][0]["onClick"]["openLink"]["url"].is_string()
    };
    let key = message["thread"]["threadKey"]
        .as_str()
        .map_or(0, |key| key.chars().count());
    let is_right = (1..=100).contains(&widgets.len())
        && widgets.iter().all(is_right)
        && plain(&card["header"]["title"])
        && plain(&message["fallbackText"])
        && key <= 4000;
    (!is_right).then(|| format!("{message:#}"))
}

/// A space: its messages by their requestId, each with its thread.
type Space = Arc<Mutex<BTreeMap<String, Option<String>>>>;

async fn space() -> (Space, Double) {
    let space = Space::default();
    let messages = space.clone();
    let double = Double::start(move |(path, _, body): &Received| {
        let url = url::Url::parse(&format!("http://chat.example{path}")).unwrap();
        let query: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let message: Value = serde_json::from_slice(body).unwrap_or_default();
        let is_right = query.get("messageReplyOption").map(String::as_str)
            == Some("REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD")
            && query.get("token").map(String::as_str) == Some(SECRET)
            && refusal(&message).is_none();
        if !is_right {
            return answer(400, &[], r#"{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}"#);
        }
        let thread = message["thread"]["threadKey"].as_str().map(str::to_owned);
        messages.lock().unwrap().insert(query["requestId"].clone(), thread);
        answer(
            200,
            &[],
            r#"{"name": "spaces/A/messages/B", "thread": {"name": "spaces/A/threads/C"}}"#,
        )
    });
    (space, double.await)
}

async fn answered(status: u16, headers: &'static [(&str, &str)], body: &'static str) -> Outcome {
    let double = Double::start(move |_| answer(status, headers, body)).await;
    send(&GoogleChat::new(double.endpoint()), &failed_request())
        .await
        .outcome
}

#[test]
fn it_says_who_what_where_how_long_and_why() {
    let news = News::Change(Box::new(failed_hook("WARN")));
    let mut message = Message::new(&news);
    message.words.link = Some(Link {
        label: "AWS console",
        url: "https://console.example/".into(),
    });
    insta::assert_snapshot!(format!("{:#}", body(&message, true)));
}

#[tokio::test]
async fn a_request_has_one_thread_and_a_retry_shows_nothing_twice() {
    let (space, double) = space().await;
    let chat = GoogleChat::new(double.endpoint());
    let news = News::Change(Box::new(failed_request()));
    let message = Message::new(&news);
    for key in ["one", "one", "two"] {
        let mut attempt = samples::attempt(&message, None);
        attempt.idempotency_key = key;
        let report = chat.send(attempt).await;
        assert_eq!((report.outcome, report.thread), (Outcome::Accepted, None));
    }
    let thread = Some("prod/eu-west-1/73553e7d-token".to_owned());
    let shown = BTreeMap::from([("one".to_owned(), thread.clone()), ("two".to_owned(), thread)]);
    assert_eq!(*space.lock().unwrap(), shown);
}

#[tokio::test]
async fn google_takes_every_kind_of_news_and_any_text() {
    let (_, double) = space().await;
    let chat = GoogleChat::new(double.endpoint());
    for news in every_kind() {
        let message = Message::new(&news);
        assert_eq!(
            chat.send(samples::attempt(&message, None)).await.outcome,
            Outcome::Accepted
        );
    }
    for text in [
        "<users/all> <a href='https://evil.example'>x</a>",
        &"測\"".repeat(5_000),
        "",
    ] {
        assert_eq!(send(&chat, &hostile(text)).await.outcome, Outcome::Accepted);
    }
}

#[tokio::test]
async fn a_malformed_message_is_permanent_and_all_else_passes() {
    let outcome = answered(400, &[], r#"{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}"#).await;
    assert!(
        matches!(&outcome, Outcome::Rejected { error } if error.contains("bug")),
        "{outcome:?}"
    );
    for (status, body, says) in [
        (
            400,
            r#"{"error": {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}"#,
            "set `url`",
        ),
        (401, r#"{"error": {"status": "UNAUTHENTICATED"}}"#, "set `url`"),
        (403, r#"{"error": {"status": "PERMISSION_DENIED"}}"#, "administrator"),
        (404, r#"{"error": {"status": "NOT_FOUND"}}"#, "gone"),
        (400, "<html>Bad request", "proxy"),
        (410, "Gone", "proxy"),
        (503, r#"{"error": {"status": "UNAVAILABLE"}}"#, "tried again"),
    ] {
        let outcome = answered(status, &[], body).await;
        assert!(
            matches!(&outcome, Outcome::Failed { error, .. } if error.contains(says)),
            "{outcome:?}"
        );
    }
    let outcome = answered(
        429,
        &[("retry-after", "30")],
        r#"{"error": {"status": "RESOURCE_EXHAUSTED"}}"#,
    )
    .await;
    let wish = Some(Duration::from_secs(30));
    assert!(matches!(outcome, Outcome::Failed { retry_after, .. } if retry_after == wish));
}

#[tokio::test]
async fn the_webhooks_address_shows_nowhere() {
    for status in [200, 404, 500] {
        let double = Double::start(move |(path, ..)| answer(status, &[], format!("no {path}"))).await;
        let chat = GoogleChat::new(double.endpoint());
        let news = News::Change(Box::new(failed_request()));
        let preview = chat.preview(&Message::new(&news));
        let shown = format!("{chat:?} {:?} {preview:?}", send(&chat, &failed_request()).await);
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn the_measure_is_of_all_of_it_before_it_is_cut() {
    let mut announcement = failed_request();
    announcement.message = Some("x".repeat(50_000));
    let news = News::Change(Box::new(announcement));
    let endpoint = crate::deliver::http::Http::new()
        .unwrap()
        .endpoint("https://example.com", &[]);
    let preview = GoogleChat::new(endpoint.unwrap()).preview(&Message::new(&news));
    assert!(preview.measures[0].size > 50_000 && preview.measures[0].limit == 32_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_text_whatever_makes_google_refuse_format_or_link(text in hostile_text()) {
        let news = News::Change(Box::new(hostile(&text)));
        let mut message = Message::new(&news);
        prop_assert_eq!(refusal(&body(&message, true)), None);
        message.words.body = Some(text);
        prop_assert_eq!(refusal(&body(&message, true)), None);
    }
}
