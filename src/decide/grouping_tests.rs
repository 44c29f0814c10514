use proptest::prelude::*;
use proptest::{collection, option, sample};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_328_880_000);

fn grouping() -> Grouping {
    Grouping {
        by: vec![Field::Target, Field::ErrorCode],
        wait: Duration::from_secs(10),
        interval: Duration::from_mins(5),
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_key_says_what_the_group_has_in_common() {
    let mut subject = Subject {
        target: "prod/eu-west-1",
        type_name: Some("AWS::S3::Bucket"),
        ..Subject::default()
    };
    assert_eq!(
        key("failures", &grouping(), &subject),
        r#"failures{target="prod/eu-west-1",error_code=-}"#
    );
    subject.error_code = Some("-\"\n\u{202e}ü");
    assert_eq!(
        key("failures", &grouping(), &subject),
        r#"failures{target="prod/eu-west-1",error_code="-\"\n\u{202e}\u{fc}"}"#
    );
    let by = Vec::new();
    assert_eq!(key("all", &Grouping { by, ..grouping() }, &subject), "all{}");
}

#[test]
fn the_first_of_a_group_waits_and_the_others_join_it() {
    let first = due_at(NOW, &grouping(), None, None);
    assert_eq!(first, NOW.plus(seconds(10)));
    for later in [1, 9, 10, 3600] {
        assert_eq!(due_at(NOW.plus(seconds(later)), &grouping(), Some(first), None), first);
    }
}

#[test]
fn a_group_that_was_just_told_waits_for_its_interval() {
    let told = |ago| Some(NOW.minus(seconds(ago)));
    assert_eq!(due_at(NOW, &grouping(), None, told(0)), NOW.plus(seconds(300)));
    assert_eq!(due_at(NOW, &grouping(), None, told(299)), NOW.plus(seconds(1)));
    for long_ago in [300, 301, 86_400] {
        assert_eq!(due_at(NOW, &grouping(), None, told(long_ago)), NOW.plus(seconds(10)));
    }
    // What already waits goes first.
    assert_eq!(due_at(NOW, &grouping(), Some(NOW), told(1)), NOW);
}

#[test]
fn a_clock_that_was_put_back_keeps_no_group_silent() {
    let next_year = Some(NOW.plus(Duration::from_hours(8766)));
    assert_eq!(due_at(NOW, &grouping(), None, next_year), NOW.plus(seconds(300)));
}

/// A few values that would be mixed up if they were joined without care.
fn value() -> impl Strategy<Value = Option<String>> {
    option::of("[a\"\\\\,={}ü-]{0,3}")
}

fn of_a_group() -> impl Strategy<Value = (String, Vec<Field>, [Option<String>; 3])> {
    let fields = sample::subsequence(vec![Field::TypeName, Field::Identifier, Field::ErrorCode], 0..=3);
    ("[ab]{1,2}", fields.prop_shuffle(), [value(), value(), value()])
}

/// The key, and what it stands for.
fn keyed(
    (route, by, [type_name, identifier, error_code]): &(String, Vec<Field>, [Option<String>; 3]),
) -> (String, String) {
    let subject = Subject {
        type_name: type_name.as_deref(),
        identifier: identifier.as_deref(),
        error_code: error_code.as_deref(),
        ..Subject::default()
    };
    let values: Vec<_> = by.iter().map(|field| (field, subject.value(*field))).collect();
    let meant = format!("{route:?} {values:?}");
    let by = by.clone();
    (key(route, &Grouping { by, ..grouping() }, &subject), meant)
}

proptest! {
    #[test]
    fn a_key_is_printable_and_of_one_group_alone(groups in collection::vec(of_a_group(), 2..20)) {
        let keyed: Vec<_> = groups.iter().map(keyed).collect();
        for (key, meant) in &keyed {
            prop_assert!(key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{}", key);
            for (other_key, other_meant) in &keyed {
                prop_assert_eq!(key == other_key, meant == other_meant, "{} {}", key, other_key);
            }
        }
    }

    #[test]
    fn no_change_waits_for_longer_than_both_its_pauses(last in option::of(-400_000_000i64..400_000_000), wait in 0u64..3600) {
        let grouping = Grouping { wait: seconds(wait), ..grouping() };
        let last = last.map(|ago| Timestamp::from_millis(NOW.as_millis() - ago));
        let due = due_at(NOW, &grouping, None, last);
        prop_assert!(due >= NOW && due <= NOW.plus(grouping.wait.max(grouping.interval)));
    }
}
