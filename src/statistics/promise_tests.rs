//! The promises of this room, with arbitrary values.

use std::time::Duration;

use proptest::prelude::*;

use super::{Buckets, Durations, Groups, HookFacts, HookOutcome, Outcome, Scorecard, Tally, sparkline};
use crate::model::Timestamp;

fn moments() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        4 => 1_790_000_000_000_i64..1_800_000_000_000,
        1 => any::<i64>(),
    ]
    .prop_map(Timestamp::from_millis)
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop::sample::select(Outcome::ALL.to_vec())
}

type Row = (Option<u8>, Timestamp, Outcome, Option<u64>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let name = prop::option::of(0..4_u8);
    prop::collection::vec((name, moments(), outcomes(), prop::option::of(any::<u64>())), 0..60)
}

fn groups(buckets: Buckets, rows: &[Row]) -> Groups {
    let mut groups = Groups::new(buckets);
    for (name, at, outcome, took) in rows {
        let name = name.map(|name| name.to_string());
        groups.add(name.as_deref(), *at, *outcome, took.map(Duration::from_millis));
    }
    groups
}

/// All that can be asked of a tally.
fn numbers(tally: &Tally) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        *tally.outcomes(),
        tally.durations().percentiles(),
        tally.timeline().to_vec(),
    )
}

proptest! {
    #[test]
    fn percentiles_are_those_of_the_sorted_values(mut millis in prop::collection::vec(any::<u64>(), 1..300)) {
        let mut durations = Durations::default();
        for millis in &millis {
            durations.add(Duration::from_millis(*millis));
        }
        let found = durations.percentiles().unwrap();
        millis.sort_unstable();
        for (percent, found) in [(50, found.p50), (90, found.p90), (99, found.p99)] {
            // By the definition, not by the formula: the least value that so many are not above.
            let wanted = millis.iter().find(|value| {
                let not_above = millis.iter().filter(|other| other <= value).count();
                not_above * 100 >= percent * millis.len()
            });
            prop_assert_eq!(Some(&u64::try_from(found.as_millis()).unwrap()), wanted);
        }
    }

    #[test]
    fn a_total_is_what_its_groups_add_up_to(from in moments(), to in moments(), rows in rows()) {
        let groups = groups(Buckets::over(from, to, 32), &rows);
        let total = groups.total();
        prop_assert_eq!(total.outcomes().count(), rows.len() as u64);
        let counts = groups.by_count().iter().map(|(_, tally)| tally.outcomes().count()).collect::<Vec<_>>();
        prop_assert_eq!(counts.iter().sum::<u64>(), rows.len() as u64);
        prop_assert!(counts.is_sorted_by(|one, other| one >= other));
        for (_, tally) in groups.by_count() {
            prop_assert_eq!(tally.trend().iter().sum::<u64>(), tally.outcomes().count());
        }
        prop_assert_eq!(total.trend().iter().sum::<u64>(), rows.len() as u64);
    }

    #[test]
    fn rows_in_any_order_and_parts_merged_in_any_order_give_the_same(
        from in moments(), to in moments(), rows in rows(), cut in any::<prop::sample::Index>(),
    ) {
        let buckets = Buckets::over(from, to, 32);
        let whole = groups(buckets, &rows).total();
        let mut reversed = rows.clone();
        reversed.reverse();
        prop_assert_eq!(numbers(&groups(buckets, &reversed).total()), numbers(&whole));
        let (one, other) = rows.split_at(cut.index(rows.len() + 1));
        let (mut forwards, mut backwards) = (groups(buckets, one).total(), groups(buckets, other).total());
        let parts = (forwards.clone(), backwards.clone());
        forwards.merge(&parts.1);
        backwards.merge(&parts.0);
        prop_assert_eq!(numbers(&forwards), numbers(&whole));
        prop_assert_eq!(numbers(&backwards), numbers(&whole));
    }

    #[test]
    fn every_moment_is_in_the_part_that_holds_it(from in moments(), to in moments(), at in moments(), most in 2..100_usize) {
        let buckets = Buckets::over(from, to, most);
        prop_assert!((1..=most).contains(&buckets.count()));
        let index = buckets.index(at);
        prop_assert!(index < buckets.count());
        prop_assert!(buckets.begin(index) <= at || index == 0);
        prop_assert!(at < buckets.begin(index + 1) || index + 1 == buckets.count());
        prop_assert!(buckets.begin(0) <= from);
    }

    #[test]
    fn scores_merge_in_any_order(hooks in prop::collection::vec((0..3_u8, moments(), 0..5_usize, any::<u32>()), 0..40), cut in any::<prop::sample::Index>()) {
        const ALL: [HookOutcome; 5] = [
            HookOutcome::Passed, HookOutcome::Blocked, HookOutcome::Warned, HookOutcome::FailedInUnknownMode,
            HookOutcome::Running,
        ];
        let scored = |hooks: &[(u8, Timestamp, usize, u32)]| {
            let mut scorecard = Scorecard::default();
            for (version, at, outcome, millis) in hooks {
                let version = version.to_string();
                scorecard.add(&HookFacts {
                    first_seen_at: *at,
                    hook_type_name: None,
                    hook_type_version_id: Some(&version),
                    outcome: ALL[*outcome],
                    is_broken: *outcome == 1,
                    latency: Some(Duration::from_millis(u64::from(*millis))),
                });
            }
            scorecard
        };
        let numbers = |scorecard: &Scorecard| scorecard.rows().into_iter().map(|(version, score)| {
            let counts = [score.passed, score.blocked, score.warned, score.failed_in_unknown_mode, score.running, score.broken];
            (version.clone(), counts, score.latencies.percentiles(), score.first_seen_at, score.last_seen_at)
        }).collect::<Vec<_>>();
        let whole = scored(&hooks);
        let sum: u64 = whole.rows().iter().map(|(_, score)| score.invocations()).sum();
        prop_assert_eq!(sum, hooks.len() as u64);
        let (one, other) = hooks.split_at(cut.index(hooks.len() + 1));
        let (mut forwards, mut backwards) = (scored(one), scored(other));
        forwards.merge(&scored(other));
        backwards.merge(&scored(one));
        prop_assert_eq!(numbers(&forwards), numbers(&whole));
        prop_assert_eq!(numbers(&backwards), numbers(&whole));
    }

    #[test]
    fn a_sparkline_has_a_block_for_each_count_and_keeps_their_order(counts in prop::collection::vec(any::<u64>(), 0..40)) {
        let blocks: Vec<char> = sparkline(&counts).chars().collect();
        prop_assert_eq!(blocks.len(), counts.len());
        for (one, block) in counts.iter().zip(&blocks) {
            prop_assert_eq!(*one == 0, *block == '▁');
            for (other, higher) in counts.iter().zip(&blocks) {
                prop_assert!(one > other || block <= higher);
            }
        }
    }
}
