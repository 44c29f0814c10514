use proptest::prelude::*;

use super::*;
use crate::model::{ChangeKind, ErrorCode, HookStatus, News, RequestStatus};
use crate::render::message::{Message, Tone};
use crate::render::samples::{self, failed_hook, failed_request, hostile, stuck_request};

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
    let maybe = words(&failed_hook("MAYBE"));
    assert_eq!(maybe.tone, Tone::Bad);
    assert!(!maybe.meaning.unwrap().contains("failure mode"));
    assert!(warn.link.unwrap().url.contains("/hooks/"));
}

#[test]
fn the_second_invocation_of_a_hook_is_called_so() {
    let mut announcement = failed_hook("FAIL");
    announcement.hook.as_mut().unwrap().invocation = 2;
    let second = words(&announcement);
    assert_eq!(
        second.title,
        "Hook Acme::S3::Guard #2 found fault on CREATE AWS::S3::Bucket"
    );
    assert_eq!(second.hook.as_deref(), Some("hook Acme::S3::Guard #2 (FAIL)"));
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

#[test]
fn a_failure_says_what_it_means_what_helps_and_that_nothing_is_rolled_back() {
    let mut announcement = failed_request();
    for code in ErrorCode::KNOWN {
        announcement.error_code = Some((*code).into());
        let meaning = words(&announcement).meaning.unwrap();
        let (remedy, rest) = meaning.split_once("What it had done").unwrap();
        assert!(!remedy.is_empty(), "{code}");
        assert_eq!(rest, " before it failed is not rolled back.");
    }
    announcement.error_code = Some("Exhausted".into());
    assert_eq!(
        words(&announcement).meaning.as_deref(),
        Some("What it had done before it failed is not rolled back.")
    );
}

#[test]
fn a_request_that_is_stuck_says_how_long_and_what_is_usual() {
    let words = words(&stuck_request());
    assert_eq!(words.tone, Tone::Warning);
    assert_eq!(words.title, "CREATE AWS::RDS::DBInstance takes longer than it should");
    assert_eq!(words.status, "IN_PROGRESS");
    assert_eq!(
        words.reason.as_deref(),
        Some("open for 2h 5m; 99 of 100 such requests took less than 18m")
    );
    assert_eq!(fact(&words, "Took"), None);
}

#[test]
fn flapping_is_named_from_the_third_turn_on() {
    let mut announcement = failed_request();
    announcement.turns = 2;
    assert!(!words(&announcement).meaning.unwrap().contains("flapping"));
    announcement.turns = 4;
    let meaning = words(&announcement).meaning.unwrap();
    assert!(
        meaning.ends_with(" It is flapping: it went between success and failure 4 times in 24 h."),
        "{meaning}"
    );
    // A success has nothing else to say.
    announcement.to = Some("SUCCESS".into());
    announcement.error_code = None;
    assert!(words(&announcement).meaning.unwrap().starts_with("It is flapping"));
}

#[test]
fn what_is_replayed_or_was_seen_late_is_marked() {
    let mut announcement = failed_request();
    announcement.replayed = true;
    announcement.observed_late = true;
    let words = words(&announcement);
    assert_eq!(words.title, "Replayed: CREATE AWS::S3::Bucket failed");
    assert!(words.meaning.as_ref().unwrap().contains("It was told before"));
    assert!(fact(&words, "Seen at").unwrap().contains(", late: "));
}

/// What receivers make room for: Slack's is the tightest.
const LONGEST_MEANING: usize = 500;

#[test]
fn a_meaning_is_never_so_long_that_a_tool_would_cut_it() {
    let announcements = ErrorCode::KNOWN.iter().map(|code| {
        let mut announcement = failed_request();
        announcement.error_code = Some((*code).into());
        announcement
    });
    for mut announcement in announcements.chain(["FAIL", "WARN"].map(failed_hook)) {
        announcement.turns = u32::MAX;
        announcement.replayed = true;
        let meaning = words(&announcement).meaning.unwrap();
        assert!(meaning.len() <= LONGEST_MEANING, "{} {meaning}", meaning.len());
    }
}

/// What is wrong with these words, if anything is: an empty part, one of several lines, or too many facts.
fn fault(words: &Words) -> Option<String> {
    let facts = words.facts.iter().map(|fact| &fact.value);
    let always = [&words.title, &words.about, &words.status];
    let sometimes = words.hook.iter().chain(&words.reason).chain(&words.meaning);
    let mut lines = always.into_iter().chain(sometimes).chain(facts).chain(&words.items);
    let bad = lines.find(|line| line.trim().is_empty() || printable(line) != line.as_str());
    let too_many = (words.facts.len() > 10).then(|| format!("{} facts", words.facts.len()));
    bad.map(|line| format!("{line:?}")).or(too_many)
}

#[test]
fn every_kind_of_news_has_words() {
    for news in samples::every_kind() {
        let message = Message::new(&news);
        let all = [Some(&message.words), message.present.as_ref()];
        for words in all.into_iter().flatten() {
            assert_eq!(fault(words), None, "{words:?}");
        }
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_printable_lines_none_of_them_empty(
        text in prop_oneof![any::<String>(), "[ \\t\\n\u{200e}]{0,3}"],
        kind in proptest::sample::select(ChangeKind::KNOWN),
        has_hook in any::<bool>(),
        replayed in any::<bool>(),
    ) {
        let mut announcement = hostile(&text);
        announcement.kind = ChangeKind::from(kind);
        announcement.hook = announcement.hook.filter(|_| has_hook);
        announcement.replayed = replayed;
        let mut digest = samples::digest();
        digest.worst.push(announcement.clone());
        digest.targets.push((text.clone(), 1));
        digest.types.push((Some(text.clone()), 1));
        digest.counts[0].status = Some(text.clone());
        let mut notice = samples::notice(true);
        notice.receiver = text.clone();
        notice.error = Some(text);
        for news in [News::Change(announcement.into()), News::Digest(digest.into()), News::Receiver(notice.into())] {
            let message = Message::new(&news);
            prop_assert_eq!(fault(&message.words), None);
            if let Some(present) = &message.present {
                prop_assert_eq!(fault(present), None);
            }
        }
    }
}
