use serde_json::{Value, json};

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::samples::{aws_access, aws_at, failed_request, hostile, send, send_news};
use crate::model::{ChangeKind, News};
use crate::render::samples::every_kind;

/// What PutEvents documents that it refuses, as an entry's error.
fn refusal(call: &Value) -> Option<&'static str> {
    let [entry] = call["Entries"].as_array()?.as_slice() else {
        return Some("ValidationException");
    };
    let field = |name: &str| entry[name].as_str().unwrap_or_default();
    let size = ["Source", "DetailType", "Detail"]
        .map(|name| field(name).len())
        .iter()
        .sum::<usize>()
        + 14;
    if field("Source").is_empty() || !(1..=128).contains(&field("DetailType").chars().count()) || size > 262_144 {
        return Some("InvalidArgument");
    }
    let detail = serde_json::from_str::<Value>(field("Detail"));
    (!detail.is_ok_and(|detail| detail.is_object())).then_some("MalformedDetail")
}

fn aws((_, headers, body): &Received) -> axum::response::Response {
    assert_eq!(headers["x-amz-target"], "AWSEvents.PutEvents");
    match refusal(&serde_json::from_slice(body).unwrap()) {
        None => answer(200, &[], r#"{"FailedEntryCount":0,"Entries":[{"EventId":"e"}]}"#),
        Some(code) => failed_entry(code),
    }
}

fn failed_entry(code: &str) -> axum::response::Response {
    let entry = json!({"ErrorCode": code, "ErrorMessage": "refused"});
    answer(200, &[], json!({"FailedEntryCount": 1, "Entries": [entry]}).to_string())
}

fn receiver(double: &Double) -> EventBridge {
    EventBridge {
        client: OnceCell::new_with(Some(Client::new(&aws_at(double)))),
        ..EventBridge::new("ops".to_owned(), aws_access())
    }
}

#[tokio::test]
async fn whatever_the_news_a_bus_takes_it() {
    let double = Double::start(aws).await;
    let receiver = receiver(&double);
    let mut odd = hostile(&"ü\u{ffff}\"\\".repeat(5_000));
    odd.kind = ChangeKind::from("k".repeat(200).as_str());
    let odd = [odd, hostile("")].map(|change| News::Change(Box::new(change)));
    for news in every_kind().iter().chain(&odd) {
        assert_eq!(send_news(&receiver, news).await.outcome, Outcome::Accepted);
    }
}

#[tokio::test]
async fn an_event_is_the_cloud_event_with_its_time() {
    let double = Double::start(aws).await;
    send(&receiver(&double), &failed_request()).await;
    let call: Value = serde_json::from_slice(&double.received()[0].2).unwrap();
    let mut entry = call["Entries"][0].clone();
    let detail: Value = serde_json::from_str(entry["Detail"].take().as_str().unwrap()).unwrap();
    assert_eq!(
        (&detail["id"], &detail["data"]["to"]),
        (&json!("01JD8Z-7"), &json!("FAILED"))
    );
    assert_eq!(
        entry,
        json!({
            "Source": "ccwatch",
            "DetailType": "ccwatch.request.status",
            "EventBusName": "ops",
            "Time": 1_763_792_880.123,
            "Detail": null,
        })
    );
}

#[tokio::test]
async fn an_entry_that_failed_is_a_failure_though_the_answer_is_200() {
    for (code, is_final) in [
        ("ThrottlingException", false),
        ("InternalFailure", false),
        ("AccessDeniedException", false),
        ("NotAuthorizedForSourceException", false),
        ("InvalidArgument", false),
        ("MalformedDetail", true),
    ] {
        let double = Double::start(move |_| failed_entry(code)).await;
        let receiver = receiver(&double);
        let report = send(&receiver, &failed_request()).await;
        assert_ne!(report.outcome, Outcome::Accepted);
        assert_eq!(
            matches!(report.outcome, Outcome::Rejected { .. }),
            is_final,
            "{report:?}"
        );
        let shown = format!("{report:?} {receiver:?}");
        assert!(shown.contains(code) && !shown.contains(SECRET), "{shown}");
    }
}

#[tokio::test]
async fn what_the_whole_call_failed_by_is_told_too() {
    for (status, code, says) in [
        (400, "ResourceNotFoundException", "check `bus`"),
        (400, "AccessDeniedException", "allow events:PutEvents"),
        (500, "InternalException", "on its side"),
    ] {
        let double = Double::start(move |_| answer(status, &[], json!({"__type": code}).to_string())).await;
        let outcome = send(&receiver(&double), &failed_request()).await.outcome;
        assert!(
            matches!(&outcome, Outcome::Failed { error, .. } if error.contains(says)),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_preview_is_the_event() {
    let news = News::Change(Box::new(failed_request()));
    let preview = EventBridge::new("ops".into(), aws_access()).preview(&Message::new(&news));
    assert!(preview.content.contains("\"specversion\": \"1.0\""));
    assert!(preview.measures[0].size <= preview.measures[0].limit);
}
