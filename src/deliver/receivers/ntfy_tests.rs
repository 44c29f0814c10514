use proptest::prelude::*;

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::http::{Http, bearer};
use crate::deliver::samples::{self, failed_hook, failed_request, hostile};
use crate::model::{Announcement, News};
use crate::render::Link;
use crate::render::samples::every_kind;

const TOPIC: &str = "ccwatch-T0SECRETmarker";

fn refused(status: u16, code: u32, error: &str) -> axum::response::Response {
    let body = json!({"code": code, "http": status, "error": error, "link": "https://ntfy.sh/docs/publish/"});
    answer(status, &[("content-type", "application/json")], body.to_string())
}

/// What ntfy documents that it refuses, or does not show as it was meant.
fn refusal(body: &[u8]) -> Option<(u16, u32, &'static str)> {
    if body.len() > 2 * MESSAGE {
        return Some((413, 41_303, "JSON body too large"));
    }
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        return Some((400, 40_017, "invalid request: request body must be message JSON"));
    };
    let length = |key: &str| message[key].as_str().unwrap_or_default().len();
    let priority = message["priority"].as_u64().unwrap_or(3);
    let tags: usize = message["tags"]
        .as_array()?
        .iter()
        .map(|tag| tag.as_str().unwrap().len())
        .sum();
    match () {
        () if length("topic") == 0 => Some((400, 40_009, "invalid request: topic invalid")),
        () if !(1..=5).contains(&priority) => Some((400, 40_007, "invalid priority parameter")),
        () if length("title") > 1024 => Some((400, 40_057, "title too long")),
        () if tags > 512 => Some((400, 40_058, "tags too long")),
        () if length("message") > 4096 => Some((413, 41_301, "attachment too large, or bandwidth limit reached")),
        () if length("message") == 0 => Some((400, 0, "would show as `triggered`")),
        () => None,
    }
}

/// ntfy, as documented. Publishing as JSON is to the server's root.
fn ntfy((path, _, body): &Received) -> axum::response::Response {
    if path.split('?').next() != Some("/services/T0SECRETmarker") {
        return refused(404, 40_401, "page not found");
    }
    match refusal(body) {
        None => answer(200, &[], r#"{"id":"sPs71M8A2T","time":1643935928,"event":"message"}"#),
        Some((status, code, error)) => refused(status, code, error),
    }
}

fn receiver(double: &Double) -> Ntfy {
    let bearer = bearer(&"tk_T0SECRETmarker".into());
    let endpoint = Http::new().unwrap().endpoint(&double.url, &[&TOPIC.into()]).unwrap();
    Ntfy::new(endpoint, TOPIC.into(), bearer)
}

async fn send(double: &Double, announcement: &Announcement) -> Outcome {
    samples::send(&receiver(double), announcement).await.outcome
}

#[tokio::test]
async fn ntfy_takes_all_kinds_of_news_and_whatever_stands_in_them() {
    let double = Double::start(ntfy).await;
    let mut news = every_kind();
    let hostile = [hostile(""), hostile(&"\"\\€".repeat(5_000))].map(|hostile| News::Change(Box::new(hostile)));
    news.extend(hostile);
    for news in &news {
        let message = Message::new(news);
        let report = receiver(&double).send(samples::attempt(&message, None)).await;
        assert_eq!(report.outcome, Outcome::Accepted, "{}", news.kind());
    }
    let (_, headers, _) = double.received().remove(0);
    assert_eq!(headers[AUTHORIZATION], "Bearer tk_T0SECRETmarker");
}

#[test]
fn it_says_what_happened_with_a_sign_a_priority_and_a_link() {
    let news = News::Change(Box::new(failed_hook("WARN")));
    let mut words = Message::new(&news).words;
    words.link = Some(Link {
        label: "AWS console",
        url: "https://example.com/".into(),
    });
    insta::assert_snapshot!(format!("{:#}", message(&words, "ops")));
}

#[tokio::test]
async fn what_ntfy_says_is_understood() {
    let is_rejected = |outcome: &Outcome| matches!(outcome, Outcome::Rejected { .. });
    for (status, code, says, rejected) in [
        (400, 40_017, "bug of ccwatch", true),
        (400, 40_009, "check `topic`", false),
        (401, 40_101, "`token`", false),
        (403, 40_301, "`token`", false),
        (404, 40_401, "check `url`", false),
        (413, 41_303, "bug of ccwatch", true),
        (413, 41_301, "check `url`", false),
        (429, 42_901, "too often", false),
        (429, 42_908, "used up", false),
        (500, 50_001, "its side", false),
        (507, 50_701, "its side", false),
    ] {
        let double = Double::start(move |_| refused(status, code, "because")).await;
        let outcome = send(&double, &failed_request()).await;
        assert_eq!(is_rejected(&outcome), rejected, "{code}: {outcome:?}");
        let (Outcome::Rejected { error } | Outcome::Failed { error, .. }) = outcome else {
            panic!("{code} is accepted");
        };
        assert!(error.contains(says) && error.contains("because"), "{error}");
    }
    for (status, body) in [(200, "<html>Sign in</html>"), (400, "<html>proxy</html>"), (410, "")] {
        let double = Double::start(move |_| answer(status, &[], body)).await;
        let outcome = send(&double, &failed_request()).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{status}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_wish_to_wait_is_obeyed() {
    let double = Double::start(|_| answer(429, &[("retry-after", "30")], "")).await;
    let outcome = send(&double, &failed_request()).await;
    let wish = Some(Duration::from_secs(30));
    assert!(
        matches!(outcome, Outcome::Failed { retry_after, .. } if retry_after == wish),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn neither_address_nor_topic_nor_token_shows() {
    for status in [200, 400, 403, 500] {
        let double = Double::start(move |(path, _, body)| {
            answer(status, &[], format!("{path} {}", String::from_utf8_lossy(body)))
        });
        let double = double.await;
        let ntfy = receiver(&double);
        let news = News::Change(Box::new(failed_request()));
        let preview = ntfy.preview(&Message::new(&news));
        let report = samples::send(&ntfy, &failed_request()).await;
        let shown = format!("{ntfy:?} {report:?} {preview:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn a_preview_measures_what_would_be_cut() {
    let mut long = failed_request();
    long.message = Some("x".repeat(9_000));
    let news = News::Change(Box::new(long));
    let ntfy = Ntfy::new(
        Http::new().unwrap().endpoint("https://ntfy.sh", &[]).unwrap(),
        TOPIC.into(),
        None,
    );
    let preview = ntfy.preview(&Message::new(&news));
    let message = preview
        .measures
        .iter()
        .find(|measure| measure.part == "message")
        .unwrap();
    assert!(message.size > 9_000 && message.limit == 4096 && message.unit == "bytes");
    assert!(serde_json::from_str::<Value>(&preview.content).is_ok());
}

proptest! {
    #[test]
    fn no_text_whatever_breaks_a_limit(
        unit in prop_oneof![any::<String>(), "[\"\\\\€😀\u{7f}a\n]{1,20}"],
        times in 0_usize..500,
    ) {
        let text: String = unit.chars().cycle().take(unit.len().min(20) * times).collect();
        let news = News::Change(Box::new(hostile(&text)));
        let mut words = Message::new(&news).words;
        prop_assert_eq!(refusal(message(&words, TOPIC).to_string().as_bytes()), None);
        words.body = Some(text);
        prop_assert_eq!(refusal(message(&words, TOPIC).to_string().as_bytes()), None);
    }
}
