use proptest::prelude::*;

use super::*;
use crate::deliver::samples::{failed_request, hostile};
use crate::render::samples::every_kind;

const SERVICE: Service = Service {
    name: "SNS",
    action: "sns:Publish",
    key: "topic_arn",
};

#[test]
fn what_a_person_can_mend_is_tried_again_with_a_remedy() {
    for (status, code, says) in [
        (Some(400), Some("ThrottlingException"), "ccwatch waits"),
        (None, Some("ThrottlingException"), "ccwatch waits"),
        (Some(403), Some("RequestThrottled"), "ccwatch waits"),
        (Some(429), None, "ccwatch waits"),
        (Some(403), Some("ExpiredToken"), "get-caller-identity"),
        (Some(403), Some("InvalidClientTokenId"), "get-caller-identity"),
        (Some(403), Some("AuthorizationError"), "allow sns:Publish"),
        (Some(400), Some("AccessDeniedException"), "allow sns:Publish"),
        (Some(400), Some("KMSAccessDeniedException"), "the key that encrypts it"),
        (Some(404), Some("NotFound"), "check `topic_arn`"),
        (
            Some(400),
            Some("AWS.SimpleQueueService.NonExistentQueue"),
            "check `topic_arn`",
        ),
        (Some(400), Some("InvalidParameter"), "look the code up"),
        (None, Some("InternalFailure"), "the fault is on its side"),
        (Some(500), Some("InternalError"), "the fault is on its side"),
        (Some(503), None, "the fault is on its side"),
        (Some(403), None, "the proxy"),
    ] {
        let report = SERVICE.refusal(status, code, Some("said"));
        let Outcome::Failed { error, .. } = &report.outcome else {
            panic!("{code:?}: {report:?}");
        };
        assert!(error.starts_with("SNS answered ") && error.contains(says), "{error}");
        assert_eq!(report.answer.unwrap().status, status);
    }
}

#[test]
fn what_is_said_of_the_message_itself_is_final() {
    for (status, code) in [
        (Some(400), "InvalidMessageContents"),
        (None, "MalformedDetail"),
        (Some(413), "RequestEntityTooLarge"),
    ] {
        let report = SERVICE.refusal(status, Some(code), None);
        assert!(matches!(report.outcome, Outcome::Rejected { .. }), "{report:?}");
    }
}

#[test]
fn an_error_about_a_signature_does_not_repeat_what_was_signed() {
    let canonical = "The Canonical String should have been 'POST\n/\n\nx-amz-security-token:T0SECRETmarker'";
    for code in [
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
    ] {
        let report = SERVICE.refusal(Some(403), Some(code), Some(canonical));
        let shown = format!("{report:?}");
        assert!(!shown.contains("T0SECRETmarker") && shown.contains(code), "{shown}");
    }
}

#[test]
fn an_error_is_one_printable_line_of_bounded_length() {
    let report = SERVICE.refusal(Some(400), Some("InvalidParameter"), Some(&"a\n\u{1b}".repeat(1_000)));
    let Outcome::Failed { error, .. } = report.outcome else {
        panic!();
    };
    assert!(error.len() < 2_000 && !error.contains(['\n', '\u{1b}']), "{error}");
}

#[test]
fn attributes_are_what_people_filter_by() {
    let news = News::Change(Box::new(failed_request()));
    assert_eq!(
        attributes(&news),
        [
            ("kind", "request.status"),
            ("status", "FAILED"),
            ("target", "prod/eu-west-1"),
            ("region", "eu-west-1"),
            ("type_name", "AWS::S3::Bucket"),
            ("operation", "CREATE"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
    );
    for news in every_kind() {
        assert!((1..=10).contains(&attributes(&news).len()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_whatever_makes_an_attribute_or_an_id_that_is_refused(text in "[\u{0}-\u{7f}\u{fffe}\u{ffff}ü😀]{0,300}") {
        let news = News::Change(Box::new(hostile(&text)));
        for (_, value) in attributes(&news) {
            let is_xml = |c: char| matches!(c, ' '..='\u{fffd}' | '\u{10000}'..);
            prop_assert!(!value.is_empty() && value.chars().all(is_xml), "{value:?}");
        }
        for id in [group_id(&Message::new(&news)), within_fifo(&text)] {
            prop_assert!((1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
        }
    }
}
