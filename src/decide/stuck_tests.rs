use proptest::collection;
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_328_880_000);
const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

/// Of an open request that began so long ago, changed then, and says nothing of when to look.
fn judged(age: Duration, usual: Option<Usual>) -> Option<Reason> {
    is_stuck(NOW, NOW.minus(age), None, NOW.minus(age), usual, Patience::default())
}

fn taking(p99: Duration) -> Usual {
    Usual {
        p50: p99 / 2,
        p99,
        samples: 143,
    }
}

#[test]
fn what_is_usual_takes_twenty_to_know() {
    let durations = |count| (1..=count).rev().map(Duration::from_secs).collect::<Vec<_>>();
    let p99 = |count| usual(&mut durations(count)).map(|usual| (usual.p99.as_secs(), usual.samples));
    assert_eq!(p99(0), None);
    assert_eq!(p99(19), None);
    assert_eq!(p99(20), Some((20, 20)));
    assert_eq!(p99(100), Some((99, 100)));
    assert_eq!(p99(101), Some((100, 101)));
    assert_eq!(p99(1000), Some((990, 1000)));
    let p50 = |count| usual(&mut durations(count)).map(|usual| usual.p50.as_secs());
    assert_eq!([19, 20, 21, 1000].map(p50), [None, Some(10), Some(11), Some(500)]);
}

#[test]
fn a_request_is_stuck_when_it_takes_half_as_long_again_as_is_usual() {
    let usual = Some(taking(12 * MINUTE));
    assert_eq!(judged(18 * MINUTE, usual), None);
    let reason = judged(123 * MINUTE + 7 * SECOND, usual).unwrap();
    assert_eq!(
        reason.to_string(),
        "open for 2h 3m; of 143 such requests 99 % took at most 12m"
    );
    // However long the usual is, it counts and not the configured age.
    assert_eq!(judged(100 * MINUTE, Some(taking(90 * MINUTE))), None);
    assert_eq!(
        judged(Duration::from_hours(1_000_000), Some(taking(Duration::MAX))),
        None
    );
}

#[test]
fn what_is_usually_quick_is_left_alone_for_a_minute() {
    for p99 in [Duration::ZERO, SECOND, 39 * SECOND] {
        assert_eq!(judged(MINUTE, Some(taking(p99))), None);
        assert!(judged(MINUTE + SECOND, Some(taking(p99))).is_some());
    }
    assert_eq!(judged(61 * SECOND, Some(taking(41 * SECOND))), None);
}

#[test]
fn without_enough_to_learn_from_the_configured_age_counts() {
    assert_eq!(judged(60 * MINUTE, None), None);
    assert_eq!(
        judged(65 * MINUTE, None).unwrap().to_string(),
        "open for 1h 5m, longer than the configured 1h"
    );
}

#[test]
fn a_retry_after_long_past_without_a_change_is_a_standstill() {
    let judged = |retry_after_ago, changed_ago| {
        let (retry_after, changed) = (NOW.minus(MINUTE * retry_after_ago), NOW.minus(MINUTE * changed_ago));
        is_stuck(
            NOW,
            NOW.minus(MINUTE * 20),
            Some(retry_after),
            changed,
            Some(taking(MINUTE * 50)),
            Patience::default(),
        )
    };
    assert_eq!(judged(9, 18), None);
    assert_eq!(judged(15, 14), None);
    assert_eq!(
        judged(15, 18).unwrap().to_string(),
        "its RetryAfter passed 15m ago and nothing changed"
    );
    // What lies ahead is not past.
    let ahead = NOW.plus(MINUTE * 15);
    let patience = Patience::default();
    assert_eq!(
        is_stuck(NOW, NOW.minus(MINUTE), Some(ahead), NOW.minus(MINUTE), None, patience),
        None
    );
}

#[test]
fn whoever_never_wants_to_hear_of_it_does_not() {
    let never = Patience { stuck_after: None };
    let long_ago = NOW.minus(Duration::from_hours(100));
    for usual in [None, Some(taking(SECOND))] {
        assert_eq!(is_stuck(NOW, long_ago, Some(long_ago), long_ago, usual, never), None);
    }
}

#[test]
fn a_reason_says_times_as_people_do() {
    let open_for = |age| {
        Reason::Old {
            age,
            stuck_after: 90 * MINUTE,
        }
        .to_string()
    };
    for (age, said) in [
        (43 * SECOND + Duration::from_millis(600), "43s"),
        (12 * MINUTE + 5 * SECOND, "12m 5s"),
        (Duration::from_hours(2) + 59 * SECOND, "2h"),
        (Duration::from_hours(50), "2days 2h"),
    ] {
        assert_eq!(
            open_for(age),
            format!("open for {said}, longer than the configured 1h 30m")
        );
    }
}

#[test]
fn reminders_come_as_often_as_asked_for() {
    assert_eq!(remind_at(NOW, None), None);
    assert_eq!(remind_at(NOW, Some(MINUTE)), Some(NOW.plus(MINUTE)));
}

proptest! {
    #[test]
    fn one_in_a_hundred_at_most_is_longer_than_the_percentile(mut millis in collection::vec(0u64..100_000, 20..500)) {
        let mut durations: Vec<_> = millis.iter().copied().map(Duration::from_millis).collect();
        let usual = usual(&mut durations).unwrap();
        let longer = millis.iter().filter(|millis| Duration::from_millis(**millis) > usual.p99).count();
        prop_assert!(longer * 100 <= millis.len());
        // And it is the least of the samples of which that is true.
        millis.sort_unstable();
        let as_long = millis.iter().filter(|millis| Duration::from_millis(**millis) >= usual.p99).count();
        prop_assert!(as_long * 100 > millis.len());
    }
}
