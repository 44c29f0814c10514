use proptest::prelude::*;

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::http::Http;
use crate::deliver::samples::{NOW, attempt, failed_hook, failed_request, hostile, incident, send, send_news};
use crate::model::{AccountId, Announcement};
use crate::render::samples::{every_kind, notice};

/// What Alertmanager 0.25 was seen to refuse, in its words.
fn refusal(body: &[u8]) -> Option<&'static str> {
    let Ok(Value::Array(alerts)) = serde_json::from_slice(body) else {
        return Some("parsing alerts body failed");
    };
    let time = |text: &Value| text.as_str()?.parse::<jiff::Timestamp>().ok();
    alerts.iter().find_map(|alert| {
        let labels = alert["labels"].as_object()?;
        let is_name = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let ends = time(&alert["endsAt"])?;
        let starts = time(&alert["startsAt"]).unwrap_or(ends);
        let link = alert.get("generatorURL");
        if labels.values().all(|value| value.as_str().is_none_or(str::is_empty)) {
            Some("at least one label pair required")
        } else if !labels.keys().all(is_name) {
            Some("invalid label set: invalid name")
        } else if ends < starts {
            Some("start time must be before end time")
        } else if link.is_some_and(|link| link.as_str().is_none_or(|link| Url::parse(link).is_err())) {
            Some("generatorURL in body must be of type uri")
        } else {
            None
        }
    })
}

fn alertmanager((path, headers, body): &Received) -> axum::response::Response {
    assert!(path.contains("/api/v2/alerts"), "{path}");
    assert_eq!(headers[CONTENT_TYPE], "application/json");
    match refusal(body) {
        None => answer(200, &[], ""),
        Some(error) => answer(400, &[], format!("{error:?}\n")),
    }
}

fn receiver(double: &Double, login: Option<&Login>) -> Alertmanager {
    let secrets = login.map(secrets);
    let tokens: Vec<&SecretString> = secrets.iter().flatten().collect();
    let endpoint = Http::new().unwrap().endpoint(&double.url, &tokens).unwrap();
    Alertmanager::new(&endpoint, login)
}

fn alert_about(announcement: Announcement) -> Value {
    alert(&Message::new(&News::Change(Box::new(announcement))), NOW)
}

#[tokio::test]
async fn whatever_the_news_alertmanager_takes_it() {
    let double = Double::start(alertmanager).await;
    let receiver = receiver(&double, None);
    let changes = [
        incident(hostile(""), "", IncidentState::Open),
        incident(hostile("{}=\"\\\n"), &"k".repeat(5_000), IncidentState::Resolved),
    ];
    let changes = changes.map(|change| News::Change(Box::new(change)));
    for news in every_kind().iter().chain(&changes) {
        assert_eq!(send_news(&receiver, news).await.outcome, Outcome::Accepted);
    }
}

#[test]
fn an_open_incident_fires_for_a_month_and_a_resolved_one_ends_now() {
    let open = alert_about(incident(failed_request(), "k", IncidentState::Open));
    assert_eq!(open["startsAt"], "2025-11-22T06:28:00.123Z");
    assert_eq!(open["endsAt"], "2025-12-22T06:28:00.123Z");
    assert_eq!(
        open["annotations"]["summary"],
        "CREATE AWS::S3::Bucket failed: AlreadyExists: my-bucket already exists"
    );
    let description = open["annotations"]["description"].as_str().unwrap();
    assert!(description.contains("\nResource: my-bucket\n"), "{description}");
    let resolved = alert_about(incident(failed_request(), "k", IncidentState::Resolved));
    assert_eq!((resolved.get("startsAt"), &resolved["endsAt"]), (None, &json!(NOW)));
}

#[test]
fn the_labels_are_the_same_from_the_first_message_to_the_last() {
    let open = alert_about(incident(failed_request(), "k", IncidentState::Open));
    assert_eq!(
        open["labels"],
        json!({
            "alertname": "CloudControlIncident",
            "incident": "k",
            "target": "prod/eu-west-1",
            "region": "eu-west-1",
            "type_name": "AWS::S3::Bucket",
        })
    );
    // Another request on the same resource, of which other things are known.
    let mut later = failed_hook("WARN");
    later.account_id = None;
    later.request.request_token = "another".into();
    later.request.operation = Some("UPDATE".into());
    later.request.status = Some("SUCCESS".into());
    later.request.identifier = None;
    later.account_id = Some(AccountId("210987654321".into()));
    let later = alert_about(incident(later, "k", IncidentState::Resolved));
    assert_eq!(open["labels"], later["labels"]);
    let labels = |is_failing| alert(&Message::new(&News::Receiver(Box::new(notice(is_failing)))), NOW)["labels"].take();
    assert_eq!(labels(true), labels(false));
}

#[tokio::test]
async fn it_logs_in() {
    for (login, header) in [
        (
            Login::Basic {
                user: "ada".into(),
                password: "open sesame".into(),
            },
            "Basic YWRhOm9wZW4gc2VzYW1l",
        ),
        (Login::Bearer { token: "sesame".into() }, "Bearer sesame"),
    ] {
        let double = Double::start(alertmanager).await;
        let receiver = receiver(&double, Some(&login));
        assert_eq!(send(&receiver, &failed_request()).await.outcome, Outcome::Accepted);
        assert_eq!(double.received()[0].1[AUTHORIZATION], header);
    }
}

#[tokio::test]
async fn what_alertmanager_refuses_is_dead_and_all_else_is_tried_again() {
    for (status, body) in [
        (400, "\"at least one label pair required\"\n"),
        (422, r#"{"code":601,"message":"must be of type uri"}"#),
    ] {
        let double = Double::start(move |_| answer(status, &[], body)).await;
        let outcome = send(&receiver(&double, None), &failed_request()).await.outcome;
        assert!(matches!(outcome, Outcome::Rejected { .. }), "{status}: {outcome:?}");
    }
    for (status, body) in [
        (200, "<html>Sign in to Wi-Fi</html>"),
        (301, ""),
        (400, "<html>Bad request</html>"),
        (401, "Unauthorized\n"),
        (404, "404 page not found\n"),
        (410, "Gone"),
        (413, ""),
        (429, ""),
        (500, ""),
        (503, ""),
    ] {
        let double = Double::start(move |_| answer(status, &[], body)).await;
        let outcome = send(&receiver(&double, None), &failed_request()).await.outcome;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{status}: {outcome:?}");
    }
}

#[tokio::test]
async fn no_secret_shows_anywhere() {
    let logins = [
        Login::Basic {
            user: "ada".into(),
            password: SECRET.into(),
        },
        Login::Bearer { token: SECRET.into() },
    ];
    for (login, status) in logins.iter().zip([400, 500]) {
        let double = Double::start(move |(path, headers, _)| {
            let authorization = headers[AUTHORIZATION].to_str().unwrap();
            let credentials = authorization.split_once(' ').unwrap().1;
            answer(status, &[], format!("no {path} {credentials} {SECRET}"))
        })
        .await;
        let receiver = receiver(&double, Some(login));
        let news = News::Change(Box::new(failed_request()));
        let message = Message::new(&news);
        let report = receiver.send(attempt(&message, None)).await;
        let shown = format!("{receiver:?} {login:?} {report:?} {:?}", receiver.preview(&message));
        for secret in [SECRET, &BASE64.encode(format!("ada:{SECRET}"))] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn a_preview_measures_what_is_cut() {
    let mut announcement = failed_request();
    announcement.message = Some("x".repeat(9_000));
    let news = News::Change(Box::new(announcement));
    let endpoint = Http::new().unwrap().endpoint("http://localhost:9093", &[]).unwrap();
    let preview = Alertmanager::new(&endpoint, None).preview(&Message::new(&news));
    let too_long = |measure: &Measure| measure.size > measure.limit;
    assert_eq!(preview.measures.len(), 2);
    assert!(preview.measures.iter().all(too_long), "{:?}", preview.measures);
    let sent: Value = serde_json::from_str(&preview.content).unwrap();
    assert_eq!(
        length(sent[0]["annotations"]["description"].as_str().unwrap()),
        DESCRIPTION
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_whatever_makes_alertmanager_refuse(unit in any::<String>(), long in 0_usize..20_000, key in any::<String>()) {
        let text: String = unit.chars().cycle().take(long).collect();
        for state in [IncidentState::Open, IncidentState::Resolved] {
            let alerts = json!([alert_about(incident(hostile(&text), &key.repeat(50), state))]);
            prop_assert_eq!(refusal(alerts.to_string().as_bytes()), None);
        }
    }
}
