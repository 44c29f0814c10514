use std::time::Duration;

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn days_ago(days: u64) -> Timestamp {
    NOW.minus(Duration::from_hours(24 * days))
}

fn known(phase: Phase, days: u64) -> Known {
    Known {
        phase,
        status: (phase == Phase::Finished).then(|| "SUCCESS".to_owned()),
        last_seen_at: days_ago(days),
        final_looks_left: 0,
    }
}

#[test]
fn what_goes_on_on_either_side_is_left_alone() {
    use Phase::{Finished, Lost, Open};
    let merge = |here: &Known, there: &Known| merging(Some(here), there, true, NOW);
    for here in [Open, Finished, Lost] {
        let there = known(Open, 2);
        assert_eq!(merge(&known(here, 2), &there), Merging::Leave(Left::GoesOnThere));
    }
    for there in [Finished, Lost] {
        assert_eq!(
            merge(&known(Open, 2), &known(there, 2)),
            Merging::Leave(Left::GoesOnHere)
        );
        let hooks_are_read = Known {
            final_looks_left: 3,
            ..known(Finished, 2)
        };
        assert_eq!(
            merge(&hooks_are_read, &known(there, 2)),
            Merging::Leave(Left::GoesOnHere)
        );
        assert_eq!(merge(&known(Finished, 2), &known(there, 2)), Merging::Unite);
    }
}

#[test]
fn an_end_that_can_no_longer_be_seen_here_is_taken_from_there() {
    use Phase::{Finished, Lost, Open};
    for here in [Open, Lost] {
        assert_eq!(
            merging(Some(&known(here, 9)), &known(Finished, 9), true, NOW),
            Merging::Settle
        );
        assert_eq!(
            merging(Some(&known(here, 9)), &known(Lost, 9), true, NOW),
            Merging::Unite
        );
        assert_eq!(
            merging(Some(&known(here, 9)), &known(Open, 9), true, NOW),
            Merging::Unite
        );
    }
}

#[test]
fn what_this_daemon_finds_by_itself_is_left_to_it() {
    let there = known(Phase::Finished, 2);
    assert_eq!(merging(None, &there, true, NOW), Merging::Leave(Left::MayBeSeenHere));
    assert_eq!(merging(None, &there, false, NOW), Merging::Whole);
    assert_eq!(merging(None, &known(Phase::Finished, 9), true, NOW), Merging::Whole);
}

#[test]
fn two_ends_are_not_made_one() {
    let failed = Known {
        status: Some("FAILED".to_owned()),
        ..known(Phase::Finished, 9)
    };
    let merged = merging(Some(&known(Phase::Finished, 9)), &failed, true, NOW);
    assert_eq!(merged, Merging::Leave(Left::Contradicts));
}

#[test]
fn what_is_paired_says_the_same_and_each_is_paired_once() {
    proptest!(|(here in prop::collection::vec(0..4u16, 0..10), there in prop::collection::vec(0..4u16, 0..10))| {
        let pairs = paired(&here, &there);
        let mut taken: Vec<usize> = pairs.iter().copied().flatten().collect();
        for (there, pair) in there.iter().zip(&pairs) {
            if let Some(place) = pair {
                prop_assert_eq!(here[*place], *there);
            }
        }
        taken.sort_unstable();
        let all = taken.len();
        taken.dedup();
        prop_assert_eq!(taken.len(), all);
        let count = |all: &[u16], one: u16| all.iter().filter(|other| **other == one).count();
        let mut united = here.clone();
        united.extend(there.iter().zip(&pairs).filter(|(_, pair)| pair.is_none()).map(|(one, _)| *one));
        for one in 0..4 {
            prop_assert_eq!(count(&united, one), count(&here, one).max(count(&there, one)));
        }
    });
}

#[test]
fn what_is_left_of_a_time_and_what_was_taken_make_it_up_and_do_not_overlap() {
    let time = |millis: i64| Timestamp::from_millis(millis);
    proptest!(|(from in 0..30i64, length in 0..30i64, taken in prop::collection::vec((0..50i64, prop::option::weighted(0.8, 0..20i64)), 0..6))| {
        let mut taken: Vec<_> = taken.into_iter().map(|(from, length)| (time(from), length.map(|length| time(from + length)))).collect();
        taken.sort_unstable();
        let to = from + length;
        let left = without((time(from), time(to)), &taken);
        // Between the milliseconds.
        let within = |moment: i64, from: Timestamp, to: Timestamp| from.as_millis() <= moment && moment < to.as_millis();
        for moment in 0..80 {
            let is_taken = taken.iter().any(|(from, to)| within(moment, *from, to.unwrap_or(time(1000))));
            let is_left = left.iter().filter(|(from, to)| within(moment, *from, *to)).count();
            prop_assert_eq!(is_left, usize::from((from..to).contains(&moment) && !is_taken));
        }
        // Once it is there, nothing of it is left.
        let mut all = taken.clone();
        all.extend(left.iter().map(|(from, to)| (*from, Some(*to))));
        all.sort_unstable();
        prop_assert_eq!(without((time(from), time(to)), &all), []);
    });
}
