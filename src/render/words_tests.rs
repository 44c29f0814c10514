use proptest::prelude::*;

use super::*;
use crate::render::samples::{failed_hook, failed_request, hostile};

fn fact(words: &Words, label: &str) -> Option<String> {
    words
        .facts
        .iter()
        .find(|fact| fact.label == label)
        .map(|fact| fact.value.clone())
}

#[test]
fn a_failed_request_in_words() {
    let words = words(&failed_request());
    assert_eq!(words.tone, Tone::Bad);
    assert_eq!(words.title, "CREATE AWS::S3::Bucket failed");
    assert_eq!(words.about, "CREATE AWS::S3::Bucket my-bucket");
    assert_eq!(words.status, "IN_PROGRESS → FAILED");
    assert_eq!(words.reason.as_deref(), Some("AlreadyExists: my-bucket already exists"));
    assert_eq!(fact(&words, "Took").as_deref(), Some("1m 12s"));
    assert_eq!(fact(&words, "Account").as_deref(), Some("123456789012"));
    assert_eq!(fact(&words, "Hook"), None);
}

#[test]
fn a_hook_says_what_its_failure_mode_does_to_the_request() {
    let fail = words(&failed_hook("FAIL"));
    assert_eq!(fail.title, "Hook Acme::S3::Guard found fault on CREATE AWS::S3::Bucket");
    assert_eq!(fail.hook.as_deref(), Some("hook Acme::S3::Guard (FAIL)"));
    assert_eq!(fail.tone, Tone::Bad);
    assert!(fail.meaning.unwrap().contains("the request fails"));
    let warn = words(&failed_hook("WARN"));
    assert_eq!(warn.tone, Tone::Warning);
    assert!(warn.meaning.unwrap().contains("goes on"));
    assert_eq!(words(&failed_hook("MAYBE")).meaning, None);
}

#[test]
fn every_known_status_has_words_of_its_own() {
    let mut announcement = failed_request();
    for status in RequestStatus::KNOWN {
        announcement.to = Some((*status).into());
        assert!(!words(&announcement).title.contains(status), "{status}");
    }
    let mut announcement = failed_hook("FAIL");
    for status in HookStatus::KNOWN {
        announcement.to = Some((*status).into());
        assert!(!words(&announcement).title.contains(status), "{status}");
    }
}

#[test]
fn what_was_lost_or_is_unknown_is_said_so() {
    let mut announcement = failed_request();
    announcement.kind = ChangeKind::RequestLost;
    announcement.to = None;
    let lost = words(&announcement);
    assert_eq!(lost.title, "CREATE AWS::S3::Bucket was lost from sight");
    assert!(lost.meaning.unwrap().contains("not known"));
    assert_eq!(lost.status, "IN_PROGRESS → unknown");
    announcement.kind = ChangeKind::from("request.alien");
    announcement.to = Some("PAUSED".into());
    announcement.request.operation = None;
    announcement.request.type_name = None;
    assert_eq!(words(&announcement).title, "request of unknown type is PAUSED");
}

#[test]
fn a_duration_is_short_and_never_absurd() {
    assert_eq!(duration(0.25).as_deref(), Some("200ms"));
    assert_eq!(duration(72.9).as_deref(), Some("1m 12s"));
    for absurd in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
        assert_eq!(duration(absurd), None);
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_one_printable_line_with_a_title_and_no_more_than_ten_facts(text in any::<String>()) {
        let words = words(&hostile(&text));
        prop_assert!(!words.title.is_empty());
        prop_assert!(words.facts.len() <= 10);
        let facts = words.facts.iter().map(|fact| &fact.value);
        let all = [&words.title, &words.about, &words.status];
        let lines = all.into_iter().chain(&words.hook).chain(&words.reason).chain(facts);
        for line in lines {
            prop_assert_eq!(&printable(line), line);
            prop_assert!(!line.contains('\n'));
        }
    }
}
