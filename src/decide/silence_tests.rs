use proptest::prelude::*;
use proptest::{collection, sample};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

fn silence(id: i64, matchers: &[&str], from: i64, to: i64) -> Silence {
    Silence {
        id,
        matchers: parse_matchers(matchers).unwrap(),
        starts_at: at(from),
        ends_at: at(to),
        by: "ada".into(),
        reason: "migration".into(),
    }
}

fn failed_database() -> Subject<'static> {
    Subject {
        kind: "request.status",
        status: Some("FAILED"),
        type_name: Some("AWS::RDS::DBInstance"),
        target: "prod/eu-west-1",
        region: "eu-west-1",
        ..Subject::default()
    }
}

fn matches(matchers: &[&str]) -> bool {
    failed_database().matches(&parse_matchers(matchers).unwrap())
}

#[test]
fn matchers_match_as_those_of_a_route_do() {
    assert!(matches(&["kind=*"]));
    assert!(matches(&["type_name=AWS::RDS::*", "status=CANCEL_*,FAILED"]));
    assert!(!matches(&["type_name=AWS::RDS::*", "status=SUCCESS"]));
    assert!(matches(&["target=prod"]));
    assert!(!matches(&["target=!prod"]));
    assert!(!matches(&["type_name=*,!AWS::RDS::*"]));
    // A value may hold what stands between field and patterns.
    let stack = Subject {
        identifier: Some("a=b"),
        ..failed_database()
    };
    assert!(stack.matches(&parse_matchers(&["identifier=a=b"]).unwrap()));
}

#[test]
fn a_silence_lasts_from_its_start_to_its_end() {
    let silences = [silence(1, &["status=FAILED"], 10, 20)];
    let at_second = |second| silenced(&silences, at(second), &failed_database()).map(|silence| silence.id);
    assert_eq!([9, 10, 19, 20].map(at_second), [None, Some(1), Some(1), None]);
}

#[test]
fn of_several_silences_the_one_that_ends_last_is_named() {
    let silences = [
        silence(1, &["status=FAILED"], 0, 20),
        silence(2, &["target=prod"], 0, 30),
        silence(3, &["target=!prod"], 0, 40),
        silence(4, &["kind=*"], 15, 50),
    ];
    let subject = failed_database();
    assert_eq!(silenced(&silences, at(10), &subject).unwrap().id, 2);
    assert_eq!(silenced(&silences, at(15), &subject).unwrap().id, 4);
    assert!(silenced(&[], at(15), &subject).is_none());
}

#[test]
fn what_is_wrong_is_told_with_what_was_probably_meant() {
    for (matchers, expected) in [
        (
            &[][..],
            "no matcher: say what to silence, such as type_name=AWS::RDS::* or target=prod; kind=* is everything",
        ),
        (
            &["FAILED"],
            "`FAILED` is no matcher: expected a field, = and patterns with commas between, such as status=FAILED,CANCEL_*",
        ),
        (
            &["typename=AWS::RDS::*"],
            "`typename` is no field (did you mean type_name?); known are kind, status, from, type_name, identifier, \
             operation, error_code, target, account_id, region, hook_type_name, failure_mode",
        ),
        (
            &["operation=creat"],
            "operation: `creat` can match nothing (did you mean CREATE?); known are CREATE, UPDATE, DELETE",
        ),
        (
            &["kind=hooks.*"],
            "kind: `hooks.*` can match nothing; known are request.status, request.detail, request.lost, request.stuck, \
             hook.status, hook.detail",
        ),
        (
            &["failure_mode=!FALL"],
            "failure_mode: `FALL` can match nothing (did you mean FAIL?); known are FAIL, WARN",
        ),
        (
            &["type_name=S3"],
            "type_name: `S3` can match nothing; expected a whole name, such as AWS::S3::Bucket, or a pattern, such as \
             AWS::S3::*",
        ),
        (
            &["account_id=1234"],
            "account_id: `1234` can match nothing; expected twelve digits",
        ),
        (
            &["target=prod,"],
            "target: an empty pattern, or a control character in one",
        ),
        (&["target=!"], "target: an empty pattern, or a control character in one"),
        (
            &["target=a\nb"],
            "target: an empty pattern, or a control character in one",
        ),
        (
            &["target=prod", "target=dev"],
            "target is given twice, and one change would have to match both: write its patterns into one, with commas",
        ),
        (
            &["\u{1b}[31m=x"],
            "`\u{fffd}[31m` is no field; known are kind, status, from, type_name, identifier, operation, error_code, \
             target, account_id, region, hook_type_name, failure_mode",
        ),
    ] {
        let error = parse_matchers(matchers).unwrap_err();
        assert_eq!(error.to_string(), expected, "{matchers:?}");
    }
}

#[test]
fn what_is_kept_is_what_was_written() {
    let matchers = parse_matchers(&["type_name=AWS::RDS::*,!AWS::RDS::DBInstance", "target=!prod"]).unwrap();
    assert_eq!(
        text(&matchers),
        "type_name=AWS::RDS::*,!AWS::RDS::DBInstance\ntarget=!prod"
    );
    assert_eq!(parse_text(&text(&matchers)), Ok(matchers));
}

fn any_matcher() -> impl Strategy<Value = String> {
    let field = sample::select(vec!["identifier", "target", "region"]);
    let patterns = collection::vec("!?[a-z=!*/ü ]{1,4}", 1..4).prop_map(|patterns| patterns.join(","));
    (field, patterns).prop_map(|(field, patterns)| format!("{field}={patterns}"))
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(words in collection::vec(any::<String>(), 0..3)) {
        if let Err(error) = parse_matchers(&words) {
            prop_assert!(!error.to_string().contains(char::is_control));
        }
    }

    #[test]
    fn matchers_are_kept_unchanged(word in any_matcher()) {
        if let Ok(matchers) = parse_matchers(&[&word]) {
            prop_assert_eq!(parse_text(&text(&matchers)), Ok(matchers));
        }
    }
}
