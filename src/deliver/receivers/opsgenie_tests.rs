use proptest::prelude::*;

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::http::Http;
use crate::deliver::samples::{attempt, failed_hook, failed_request, hostile, incident, send, send_news};
use crate::model::Announcement;
use crate::render::samples::every_kind;

/// What Opsgenie documents that it refuses.
fn refusal(body: &Value) -> Option<String> {
    let text = |key: &str, longest: usize| {
        let text = body[key].as_str().unwrap_or_default();
        let is_tag = text.contains(['<', '>']);
        (length(text) > longest || is_tag).then(|| format!("{key}: {text}"))
    };
    let details = body["details"].as_object();
    let in_details: usize = details
        .into_iter()
        .flatten()
        .map(|(label, value)| length(label) + length(value.as_str().unwrap_or_default()))
        .sum();
    if body["message"].as_str().is_none_or(|message| message.trim().is_empty()) {
        return Some("Message can not be empty.".into());
    }
    if !["P1", "P2", "P3", "P4", "P5"]
        .map(Some)
        .contains(&body["priority"].as_str())
    {
        return Some("Priority should be one of [ P1, P2, P3, P4, P5 ]".into());
    }
    [
        ("message", 130),
        ("alias", 512),
        ("description", 15_000),
        ("entity", 512),
        ("source", 100),
    ]
    .into_iter()
    .find_map(|(key, longest)| text(key, longest))
    .or_else(|| (in_details > 8_000).then(|| format!("details: {in_details}")))
}

/// The alert API, as documented.
fn opsgenie((path, headers, body): &Received) -> axum::response::Response {
    let body: Value = serde_json::from_slice(body).unwrap();
    let path = path.strip_prefix(&format!("/services/{SECRET}/v2/alerts")).unwrap();
    let (path, query) = path.split_once('?').unwrap();
    if headers[AUTHORIZATION] != "GenieKey 00000000-0000-T0SECRETmarker" {
        let said = json!({"message": "Key format is not valid!", "took": 0.001, "requestId": "r"});
        return answer(422, &[], said.to_string());
    }
    let error = match path.split('/').collect::<Vec<_>>().as_slice() {
        [""] => refusal(&body),
        ["", alias, "close"] if !alias.is_empty() && query.ends_with("identifierType=alias") => {
            (length(body["note"].as_str().unwrap()) > 25_000).then(|| "note".into())
        }
        _ => return answer(404, &[], r#"{"message":"No handler","requestId":"r"}"#),
    };
    match error {
        None => answer(
            202,
            &[],
            r#"{"result":"Request will be processed","took":0.3,"requestId":"r"}"#,
        ),
        Some(error) => answer(422, &[], json!({"message": error, "requestId": "r"}).to_string()),
    }
}

const KEY: &str = "00000000-0000-T0SECRETmarker";

fn receiver(double: &Double, key: &str) -> Opsgenie {
    let key = SecretString::from(key);
    let endpoint = Http::new().unwrap().endpoint(&double.url, &[&key]).unwrap();
    Opsgenie::new(endpoint, key)
}

fn body_about(announcement: Announcement) -> Value {
    let news = News::Change(Box::new(announcement));
    call(&Message::new(&news), &incident::of(&news)).body
}

#[tokio::test]
async fn whatever_the_news_opsgenie_takes_it() {
    let double = Double::start(opsgenie).await;
    let receiver = receiver(&double, KEY);
    let changes = [
        incident(hostile(""), "", IncidentState::Open),
        incident(hostile("<b>&lt;"), "..", IncidentState::Resolved),
        incident(
            hostile(&"\"\\\n".repeat(5_000)),
            &"k".repeat(5_000),
            IncidentState::Resolved,
        ),
    ];
    let changes = changes.map(|change| News::Change(Box::new(change)));
    for news in every_kind().iter().chain(&changes) {
        assert_eq!(send_news(&receiver, news).await.outcome, Outcome::Accepted, "{news:?}");
    }
}

#[test]
fn a_failure_makes_an_alert() {
    let mut body = body_about(incident(failed_request(), "01JD8Z-7", IncidentState::Open));
    let (details, description) = (body["details"].take(), body["description"].take());
    assert_eq!(
        body,
        json!({
            "message": "CREATE AWS::S3::Bucket failed: AlreadyExists: my-bucket already exists",
            "alias": "01JD8Z-7",
            "description": null,
            "details": null,
            "entity": "my-bucket",
            "source": "ccwatch",
            "priority": "P2",
        })
    );
    assert_eq!(details["Target"], "prod/eu-west-1");
    assert!(description.as_str().unwrap().starts_with("AlreadyExists: "));
    assert_eq!(body_about(failed_hook("WARN"))["priority"], "P3");
}

#[tokio::test]
async fn a_later_success_closes_what_was_made_even_if_its_key_is_no_path() {
    let double = Double::start(opsgenie).await;
    let receiver = receiver(&double, KEY);
    for key in ["01JD8Z-7", "prod/eu-west-1 AWS::S3::Bucket a?b#c", ".", ".."] {
        for state in [IncidentState::Open, IncidentState::Resolved] {
            let report = send(&receiver, &incident(failed_request(), key, state)).await;
            assert_eq!(report.outcome, Outcome::Accepted);
        }
        let received = double.received();
        let [.., (_, _, made), (path, ..)] = received.as_slice() else {
            panic!("{received:?}");
        };
        let made: Value = serde_json::from_slice(made).unwrap();
        let alias = made["alias"].as_str().unwrap();
        assert!(path.contains(&format!("/v2/alerts/{alias}/close?")), "{path}");
    }
}

#[tokio::test]
async fn what_opsgenie_refuses_is_dead_but_a_wrong_key_can_be_set_right() {
    let double = Double::start(opsgenie).await;
    let outcome = send(&receiver(&double, "wrong"), &failed_request()).await.outcome;
    assert!(
        matches!(&outcome, Outcome::Failed { error, .. } if error.contains("key of an API integration")),
        "{outcome:?}"
    );
    let said = r#"{"message":"Request body is not processable. Please check the errors.","requestId":"r"}"#;
    for status in [400, 422] {
        let double = Double::start(move |_| answer(status, &[], said)).await;
        let outcome = send(&receiver(&double, KEY), &failed_request()).await.outcome;
        assert!(
            matches!(&outcome, Outcome::Rejected { error } if error.contains("bug of ccwatch")),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn what_passes_and_what_someone_between_says_is_tried_again() {
    for (status, body) in [
        (200, "<html>Sign in to Wi-Fi</html>"),
        (400, "<html>Bad request</html>"),
        (401, r#"{"message":"Could not authenticate","requestId":"r"}"#),
        (402, r#"{"message":"Your plan does not allow this","requestId":"r"}"#),
        (403, r#"{"message":"Forbidden","requestId":"r"}"#),
        (404, r#"{"message":"No handler","requestId":"r"}"#),
        (410, ""),
        (422, ""),
        (500, ""),
        (503, ""),
    ] {
        let double = Double::start(move |_| answer(status, &[], body)).await;
        let outcome = send(&receiver(&double, KEY), &failed_request()).await.outcome;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{status}: {outcome:?}");
    }
    let double = Double::start(|_| {
        answer(
            429,
            &[("retry-after", "30")],
            r#"{"message":"You are making too many"}"#,
        )
    })
    .await;
    let outcome = send(&receiver(&double, KEY), &failed_request()).await.outcome;
    let wish = Some(Duration::from_secs(30));
    assert!(
        matches!(outcome, Outcome::Failed { retry_after, .. } if retry_after == wish),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn neither_key_nor_address_shows_anywhere() {
    for status in [200, 202, 401, 422, 500] {
        let double = Double::start(move |(path, headers, _)| {
            let key = headers[AUTHORIZATION].to_str().unwrap();
            answer(
                status,
                &[],
                json!({"message": format!("no {path} for {key}")}).to_string(),
            )
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
    let mut announcement = incident(failed_request(), "k", IncidentState::Resolved);
    announcement.message = Some("x".repeat(2_000));
    let news = News::Change(Box::new(announcement));
    let endpoint = Http::new().unwrap().endpoint("https://api.opsgenie.com", &[]).unwrap();
    let preview = Opsgenie::new(endpoint, KEY.into()).preview(&Message::new(&news));
    assert!(preview.measures[0].size > 2_000 && preview.measures[0].limit == 130);
    assert!(preview.measures[1].size < preview.measures[1].limit);
    assert!(
        preview
            .content
            .starts_with("POST /v2/alerts/k/close?identifierType=alias\n{")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_whatever_makes_opsgenie_refuse(unit in any::<String>(), long in 0_usize..20_000, key in any::<String>()) {
        let text: String = unit.chars().cycle().take(long).collect();
        let body = body_about(incident(hostile(&text), &key.repeat(50), IncidentState::Open));
        prop_assert_eq!(refusal(&body), None);
    }
}
