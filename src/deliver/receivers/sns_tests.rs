use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::deliver::double::{Double, Received, SECRET, answer};
use crate::deliver::samples::{aws_access, aws_at, failed_request, hostile, send, send_news};
use crate::model::News;
use crate::render::samples::every_kind;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:changes";
const FIFO: &str = "arn:aws:sns:eu-west-1:123456789012:changes.fifo";

/// What Publish documents that it refuses.
fn refusal(call: &HashMap<String, String>) -> Option<&'static str> {
    let field = |name: &str| call.get(name).map_or("", String::as_str);
    let subject = field("Subject");
    let is_subject = (1..=100).contains(&subject.len())
        && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && !subject.starts_with(' ');
    let attributes = || call.iter().filter(|(name, _)| name.ends_with("Value.StringValue"));
    let size: usize = attributes().map(|(_, value)| value.len()).sum::<usize>() + field("Message").len();
    let is_id = |id: &str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    let has_ids = is_id(field("MessageGroupId")) && is_id(field("MessageDeduplicationId"));
    if !is_subject {
        Some("Invalid parameter: Subject")
    } else if field("Message").is_empty() || size > 262_144 {
        Some("Invalid parameter: Message too long")
    } else if attributes().count() > 10 || attributes().any(|(_, value)| value.is_empty()) {
        Some("Invalid parameter: MessageAttributes")
    } else if field("TopicArn").ends_with("fifo") != has_ids {
        Some("Invalid parameter: MessageGroupId")
    } else {
        None
    }
}

fn aws((_, _, body): &Received) -> axum::response::Response {
    let call = url::form_urlencoded::parse(body).into_owned().collect();
    match refusal(&call) {
        None => answer(
            200,
            &[],
            "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>",
        ),
        Some(error) => refused(400, "InvalidParameter", error),
    }
}

fn refused(status: u16, code: &str, message: &str) -> axum::response::Response {
    let error = format!("<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>");
    answer(
        status,
        &[],
        format!("<ErrorResponse><Error>{error}</Error><RequestId>r</RequestId></ErrorResponse>"),
    )
}

fn receiver(double: &Double, topic_arn: &str) -> Sns {
    Sns {
        client: OnceCell::new_with(Some(Client::new(&aws_at(double)))),
        ..Sns::new(topic_arn.to_owned(), aws_access())
    }
}

#[tokio::test]
async fn whatever_the_news_a_topic_takes_it() {
    let double = Double::start(aws).await;
    let hostile = ["", "\u{1}\u{ffff}", &"ü<&>".repeat(5_000)].map(|text| News::Change(Box::new(hostile(text))));
    for topic in [TOPIC, FIFO] {
        let receiver = receiver(&double, topic);
        for news in every_kind().iter().chain(&hostile) {
            assert_eq!(send_news(&receiver, news).await.outcome, Outcome::Accepted);
        }
    }
}

#[tokio::test]
async fn what_the_service_says_counts_and_no_credential_shows() {
    for (status, code, says) in [
        (404, "NotFound", "check `topic_arn`"),
        (403, "AuthorizationError", "allow sns:Publish"),
        (403, "InvalidClientTokenId", "get-caller-identity"),
        (400, "Throttling", "ccwatch waits"),
        (500, "InternalError", "on its side"),
    ] {
        let double = Double::start(move |_| refused(status, code, "refused")).await;
        let receiver = receiver(&double, TOPIC);
        let report = send(&receiver, &failed_request()).await;
        let Outcome::Failed { error, .. } = &report.outcome else {
            panic!("{report:?}");
        };
        assert!(error.contains(code) && error.contains(says), "{error}");
        let shown = format!("{report:?} {receiver:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn a_preview_shows_the_subject_and_measures_it() {
    let news = News::Change(Box::new(failed_request()));
    let preview = Sns::new(TOPIC.into(), aws_access()).preview(&Message::new(&news));
    assert!(
        preview
            .content
            .starts_with("Subject: CREATE AWS::S3::Bucket failed\n\n{")
    );
    let parts: Vec<_> = preview.measures.iter().map(|measure| measure.part).collect();
    assert_eq!(parts, ["subject", "body"]);
    assert!(preview.measures.iter().all(|measure| measure.size <= measure.limit));
}

#[test]
fn a_subject_is_ascii_of_bounded_length() {
    assert_eq!(subject("CREATE größe"), "CREATE gr??e");
    assert_eq!(subject(&"x".repeat(101)), "x".repeat(97) + "...");
    assert_eq!(subject(" \u{1}"), "?");
    assert_eq!(subject(""), "ccwatch");
}

proptest! {
    #[test]
    fn no_text_whatever_makes_a_subject_that_sns_refuses(text in any::<String>(), times in 0_usize..50) {
        let subject = subject(&text.repeat(times));
        prop_assert!((1..=100).contains(&subject.len()));
        prop_assert!(subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !subject.starts_with(' '));
    }
}
