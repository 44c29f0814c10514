use proptest::prelude::*;

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::http::Http;
use crate::deliver::samples::{attempt, failed_hook, failed_request, hostile, incident, send, send_news};
use crate::model::Announcement;
use crate::render::samples::{every_kind, notice};

const KEY: &str = "0123456789abcdefT0SECRETmarker00";

/// What PagerDuty documents that it refuses, in its words.
fn refusal(event: &[u8]) -> Option<&'static str> {
    if event.len() > 512 * 1024 {
        return Some("Event is too large");
    }
    let Ok(event) = serde_json::from_slice::<Value>(event) else {
        return Some("JSON parse error");
    };
    let text = |value: &Value, longest| {
        let text = value.as_str().unwrap_or_default();
        (1..=longest).contains(&length(text))
    };
    if event["routing_key"].as_str().is_none_or(|key| key.len() != 32) {
        return Some("Length of 'routing_key' is incorrect (should be 32 characters)");
    }
    if !text(&event["dedup_key"], 255) {
        return Some("Length of 'dedup_key' is incorrect");
    }
    let payload = &event["payload"];
    match event["event_action"].as_str() {
        Some("resolve") => None,
        Some("trigger") if !text(&payload["summary"], 1024) => Some("'payload.summary' is too long or missing"),
        Some("trigger") if !text(&payload["source"], usize::MAX) => Some("'payload.source' is missing or blank"),
        Some("trigger") => (!["critical", "error", "warning", "info"]
            .map(Some)
            .contains(&payload["severity"].as_str()))
        .then_some("'payload.severity' is invalid (must be one of: critical, error, warning, info)"),
        _ => Some("'event_action' is missing or blank"),
    }
}

/// The Events API, as documented.
fn pagerduty((_, headers, body): &Received) -> axum::response::Response {
    assert_eq!(headers[CONTENT_TYPE], "application/json");
    match refusal(body) {
        None => answer(
            202,
            &[],
            r#"{"status":"success","message":"Event processed","dedup_key":"k"}"#,
        ),
        Some(error) => {
            let body = json!({"status": "invalid event", "message": "Event object is invalid", "errors": [error]});
            answer(400, &[], body.to_string())
        }
    }
}

fn receiver(double: &Double, key: &str) -> PagerDuty {
    let key = SecretString::from(key);
    let endpoint = Http::new().unwrap().endpoint(&double.url, &[&key]).unwrap();
    PagerDuty::new(endpoint, key)
}

fn event_about(announcement: Announcement) -> Value {
    event(&Message::new(&News::Change(Box::new(announcement))), KEY)
}

#[tokio::test]
async fn whatever_the_news_pagerduty_takes_it() {
    let double = Double::start(pagerduty).await;
    let receiver = receiver(&double, KEY);
    let long = "k".repeat(5_000);
    let changes = [
        incident(failed_request(), &long, IncidentState::Open),
        incident(hostile(""), "", IncidentState::Open),
        incident(hostile(&"\"\\".repeat(5_000)), &long, IncidentState::Resolved),
    ];
    let changes = changes.map(|change| News::Change(Box::new(change)));
    for news in every_kind().iter().chain(&changes) {
        assert_eq!(send_news(&receiver, news).await.outcome, Outcome::Accepted);
    }
}

#[test]
fn a_failure_triggers() {
    let mut event = event_about(incident(failed_request(), "prod/my-bucket", IncidentState::Open));
    let details = event["payload"]["custom_details"].take();
    let links = event["links"].take();
    assert_eq!(
        event,
        json!({
            "routing_key": KEY,
            "event_action": "trigger",
            "dedup_key": "prod/my-bucket",
            "client": "ccwatch",
            "links": null,
            "payload": {
                "summary": "CREATE AWS::S3::Bucket failed: AlreadyExists: my-bucket already exists",
                "severity": "error",
                "source": "prod/eu-west-1",
                "timestamp": "2025-11-22T06:28:00.123Z",
                "component": "my-bucket",
                "group": "AWS::S3::Bucket",
                "class": "request.status",
                "custom_details": null,
            },
        })
    );
    assert!(links[0]["href"].as_str().unwrap().starts_with("https://"), "{links}");
    assert_eq!(details["Request"], "73553e7d-token");
    assert_eq!(details["Account"], "123456789012");
    assert!(
        details["Description"]
            .as_str()
            .unwrap()
            .starts_with("AlreadyExists: my-bucket already exists\n")
    );
}

#[test]
fn a_later_success_resolves_what_was_triggered() {
    let long = "k".repeat(300);
    for key in ["prod/my-bucket", &long] {
        let [open, resolved] = [IncidentState::Open, IncidentState::Resolved]
            .map(|state| event_about(incident(failed_request(), key, state)));
        assert_eq!(open["dedup_key"], resolved["dedup_key"]);
        assert_eq!(resolved["event_action"], "resolve");
    }
}

#[test]
fn a_receivers_trouble_is_an_incident_too() {
    let event_about = |is_failing| event(&Message::new(&News::Receiver(Box::new(notice(is_failing)))), KEY);
    let (failing, recovered) = (event_about(true), event_about(false));
    assert_eq!(failing["event_action"], "trigger");
    assert_eq!(failing["payload"]["component"], "chat");
    assert_eq!(recovered["event_action"], "resolve");
    assert_eq!(failing["dedup_key"], recovered["dedup_key"]);
}

#[test]
fn the_tone_says_how_severe_it_is() {
    for (announcement, severity) in [
        (failed_request(), "error"),
        (failed_hook("FAIL"), "error"),
        (failed_hook("WARN"), "warning"),
    ] {
        assert_eq!(event_about(announcement)["payload"]["severity"], severity);
    }
}

#[tokio::test]
async fn an_event_that_pagerduty_refuses_is_dead_but_a_wrong_key_can_be_set_right() {
    let double = Double::start(pagerduty).await;
    let outcome = send(&receiver(&double, "too-short"), &failed_request()).await.outcome;
    let Outcome::Failed { error, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(error.contains("copy the Integration Key"), "{error}");

    let refused = r#"{"status":"invalid event","message":"Event object is invalid","errors":["'payload.x' is wrong"]}"#;
    let double = Double::start(move |_| answer(400, &[], refused)).await;
    let outcome = send(&receiver(&double, KEY), &failed_request()).await.outcome;
    let Outcome::Rejected { error } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(
        error.contains("'payload.x' is wrong") && error.contains("bug of ccwatch"),
        "{error}"
    );
}

#[tokio::test]
async fn what_passes_and_what_someone_between_says_is_tried_again() {
    for (status, body) in [
        (200, "<html>Sign in to Wi-Fi</html>"),
        (400, "<html>Bad request</html>"),
        (403, r#"{"status":"rate limited","message":"Too many"}"#),
        (404, ""),
        (410, ""),
        (413, "<html>Too large</html>"),
        (500, ""),
        (503, ""),
    ] {
        let double = Double::start(move |_| answer(status, &[], body)).await;
        let outcome = send(&receiver(&double, KEY), &failed_request()).await.outcome;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{status}: {outcome:?}");
    }
    let double = Double::start(|_| answer(429, &[("retry-after", "30")], "")).await;
    let outcome = send(&receiver(&double, KEY), &failed_request()).await.outcome;
    let wish = Some(Duration::from_secs(30));
    assert!(
        matches!(outcome, Outcome::Failed { retry_after, .. } if retry_after == wish),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn neither_key_nor_address_shows_anywhere() {
    for status in [200, 202, 400, 500] {
        let double = Double::start(move |(path, _, body)| {
            answer(status, &[], format!("no {path} {}", String::from_utf8_lossy(body)))
        })
        .await;
        let receiver = receiver(&double, KEY);
        let news = News::Change(Box::new(failed_request()));
        let message = Message::new(&news);
        let report = receiver.send(attempt(&message, None)).await;
        let shown = format!("{receiver:?} {report:?} {:?}", receiver.preview(&message));
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(report.answer.unwrap().said.contains("***"));
    }
}

#[test]
fn a_preview_measures_what_is_limited() {
    let mut announcement = failed_request();
    announcement.message = Some("x".repeat(2_000));
    let news = News::Change(Box::new(announcement));
    let endpoint = Http::new()
        .unwrap()
        .endpoint("https://events.pagerduty.com/v2/enqueue", &[])
        .unwrap();
    let preview = PagerDuty::new(endpoint, KEY.into()).preview(&Message::new(&news));
    assert_eq!((preview.measures[0].part, preview.measures[0].limit), ("summary", 1024));
    assert!(preview.measures[0].size > 2_000);
    assert!(preview.measures[1].size < preview.measures[1].limit);
    assert!(preview.content.contains(r#""routing_key": "********""#));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_whatever_makes_pagerduty_refuse(unit in any::<String>(), long in 0_usize..20_000, key in any::<String>()) {
        let text: String = unit.chars().cycle().take(long).collect();
        for state in [IncidentState::Open, IncidentState::Resolved] {
            let event = event_about(incident(hostile(&text), &key.repeat(50), state)).to_string();
            prop_assert_eq!(refusal(event.as_bytes()), None);
        }
    }
}
