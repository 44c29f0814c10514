use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::samples::{attempt, aws_access, aws_at, failed_request, hostile, send, send_news};
use crate::model::News;
use crate::render::samples::every_kind;

const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/changes";
const FIFO: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/changes.fifo";

/// What SendMessage documents that it refuses.
fn refusal(call: &Value) -> Option<&'static str> {
    let is_xml = |text: &str| {
        text.chars()
            .all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..))
    };
    let body = call["MessageBody"].as_str().unwrap_or_default();
    let attributes = call["MessageAttributes"].as_object();
    let values = || {
        let values = attributes.into_iter().flatten();
        values.map(|(_, value)| value["StringValue"].as_str().unwrap_or_default())
    };
    let is_id = |id: &Value| {
        let id = id.as_str().unwrap_or_default();
        (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let is_fifo = call["QueueUrl"].as_str().is_some_and(|url| url.ends_with("fifo"));
    let size = body.len() + values().map(str::len).sum::<usize>();
    if body.is_empty() || size > 262_144 || values().any(str::is_empty) || values().count() > 10 {
        Some("InvalidParameterValue")
    } else if !is_xml(body) || !values().all(is_xml) {
        Some("InvalidMessageContents")
    } else if is_fifo && !(is_id(&call["MessageGroupId"]) && is_id(&call["MessageDeduplicationId"])) {
        Some("MissingParameter")
    } else {
        None
    }
}

fn aws((_, headers, body): &Received) -> axum::response::Response {
    assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessage");
    match refusal(&serde_json::from_slice(body).unwrap()) {
        None => answer(200, &[], r#"{"MessageId":"m","MD5OfMessageBody":"x"}"#),
        Some(error) => answer(
            400,
            &[],
            json!({"__type": format!("com.amazonaws.sqs#{error}")}).to_string(),
        ),
    }
}

fn receiver(double: &Double, queue_url: &str) -> Sqs {
    Sqs {
        client: OnceCell::new_with(Some(Client::new(&aws_at(double)))),
        ..Sqs::new(queue_url.to_owned(), aws_access())
    }
}

#[tokio::test]
async fn whatever_the_news_a_queue_takes_it() {
    let double = Double::start(aws).await;
    for queue in [QUEUE, FIFO] {
        let receiver = receiver(&double, queue);
        for news in &every_kind() {
            assert_eq!(send_news(&receiver, news).await.outcome, Outcome::Accepted);
        }
    }
}

#[tokio::test]
async fn a_fifo_queue_is_told_the_request_and_the_delivery() {
    let double = Double::start(aws).await;
    for queue in [QUEUE, FIFO] {
        send(&receiver(&double, queue), &failed_request()).await;
    }
    let ids: Vec<[Value; 2]> = double
        .received()
        .iter()
        .map(|(_, _, body)| serde_json::from_slice::<Value>(body).unwrap())
        .map(|mut call| ["MessageGroupId", "MessageDeduplicationId"].map(|key| call[key].take()))
        .collect();
    let fifo = [json!("prod/eu-west-1/73553e7d-token"), json!("01JD8Z-7-1")];
    assert_eq!(ids, [[Value::Null, Value::Null], fifo]);
}

#[tokio::test]
async fn what_the_service_says_counts_and_no_credential_shows() {
    for (status, code, is_final) in [
        (400, "QueueDoesNotExist", false),
        (403, "AccessDeniedException", false),
        (403, "SignatureDoesNotMatch", false),
        (400, "RequestThrottled", false),
        (400, "InvalidMessageContents", true),
        (500, "InternalFailure", false),
    ] {
        let double = Double::start(move |(path, headers, _)| {
            let said = json!({"__type": code, "message": "refused"}).to_string();
            assert!(headers["x-amz-security-token"] == SECRET && !path.is_empty());
            answer(status, &[], said)
        })
        .await;
        let receiver = receiver(&double, QUEUE);
        let report = send(&receiver, &failed_request()).await;
        assert_eq!(
            matches!(report.outcome, Outcome::Rejected { .. }),
            is_final,
            "{report:?}"
        );
        let shown = format!("{report:?} {receiver:?}");
        assert!(shown.contains(code) && !shown.contains(SECRET), "{shown}");
        // Retries are the courier's.
        assert_eq!(double.received().len(), 1);
    }
}

#[tokio::test]
async fn a_signature_that_is_wrong_does_not_repeat_what_was_signed() {
    let double = Double::start(|(_, headers, _)| {
        let token = headers["x-amz-security-token"].to_str().unwrap();
        let said = json!({"__type": "InvalidSignatureException", "message": format!("x-amz-security-token:{token}")});
        answer(403, &[], said.to_string())
    })
    .await;
    let report = send(&receiver(&double, QUEUE), &failed_request()).await;
    assert!(!format!("{report:?}").contains(SECRET), "{report:?}");
}

#[tokio::test]
async fn what_is_not_there_or_no_answer_of_sqs_is_tried_again() {
    let double = Double::start(|_| answer(200, &[], "<html>Sign in to Wi-Fi</html>")).await;
    let nobody = receiver(&double, QUEUE);
    for _ in 0..2 {
        let outcome = send(&nobody, &failed_request()).await.outcome;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    }
    drop(double);
    let double = Double::start(|_| answer(403, &[], "<html>Blocked</html>")).await;
    let outcome = send(&receiver(&double, QUEUE), &failed_request()).await.outcome;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
}

#[tokio::test]
async fn without_credentials_no_one_is_asked_and_a_person_is_told_what_to_do() {
    let double = Double::start(aws).await;
    let url = url::Url::parse(&double.url).unwrap();
    let access = AwsAccess {
        profile: Some("a profile that no machine has".into()),
        endpoint_url: url.origin().ascii_serialization().parse().ok(),
        ..aws_access()
    };
    let outcome = send(&Sqs::new(QUEUE.into(), access), &failed_request()).await.outcome;
    let Outcome::Failed { error, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(
        error.starts_with("no credentials for SQS: ") && error.contains("check `profile`"),
        "{error}"
    );
    assert!(double.received().is_empty());
}

#[test]
fn a_preview_is_the_event() {
    let news = News::Change(Box::new(failed_request()));
    let preview = Sqs::new(QUEUE.into(), aws_access()).preview(&Message::new(&news));
    assert!(preview.content.contains("\"specversion\": \"1.0\""));
    assert!(preview.measures[0].size <= preview.measures[0].limit);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn no_text_whatever_makes_sqs_refuse(unit in any::<String>(), long in 0_usize..10_000) {
        let text: String = unit.chars().chain(['\u{ffff}']).cycle().take(long).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome = runtime.block_on(async {
            let double = Double::start(aws).await;
            let news = News::Change(Box::new(hostile(&text)));
            receiver(&double, FIFO).send(attempt(&Message::new(&news), None)).await.outcome
        });
        prop_assert_eq!(outcome, Outcome::Accepted);
    }
}
