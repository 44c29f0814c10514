//! What holds in every world, and what the worlds that come with the program are like.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::tests::{START, at, create, list, look, plain};
use super::*;
use crate::simulator::{Filter, ListQuery};

#[test]
fn others_arrive_at_the_rate_of_the_scenario() {
    let mut world = World::new(Scenario::lively(), 5, START);
    world.advance(at(2_000.0));
    assert!((1_850..2_150).contains(&world.len()), "{}", world.len());
}

/// Every failure mode with every final status among the hooks.
fn hooks_seen(world: &World) -> BTreeSet<(String, String)> {
    let requests = world.truth().requests();
    let hooks = requests.values().flat_map(|request| request.hooks.values());
    let ended = hooks.filter(|hook| hook.status.is_final());
    ended
        .map(|hook| (hook.failure_mode.to_string(), hook.status.to_string()))
        .collect()
}

#[test]
fn the_lively_world_shows_every_end_and_most_error_codes() {
    let mut world = World::new(Scenario::lively(), 5, START);
    world.advance(at(600.0));
    let requests = world.truth().requests();
    let ends: BTreeSet<_> = requests.values().map(|request| request.status.as_str()).collect();
    assert!(
        ends.is_superset(&BTreeSet::from(["SUCCESS", "FAILED", "IN_PROGRESS"])),
        "{ends:?}"
    );
    let codes: BTreeSet<_> = requests
        .values()
        .filter_map(|request| request.error_code.as_ref())
        .map(ErrorCode::as_str)
        .collect();
    assert!(codes.len() > 10, "{codes:?}");
    assert_eq!(
        hooks_seen(&world).len(),
        6,
        "FAIL and WARN, each passed, with a fault found, and broken"
    );
    for request in requests.values() {
        if let Some(finished_at) = request.finished_at {
            assert!(finished_at.since(request.began_at) < Duration::from_mins(1));
        }
    }
}

#[test]
fn the_demonstrations_seed_shows_everything_within_twenty_seconds() {
    let mut world = World::new(Scenario::lively(), Scenario::LIVELY_SEED, START);
    world.advance(at(20.0));
    let requests = world.truth().requests();
    let ends: BTreeSet<_> = requests.values().map(|request| request.status.as_str()).collect();
    assert_eq!(ends, BTreeSet::from(["PENDING", "IN_PROGRESS", "SUCCESS", "FAILED"]));
    assert_eq!(hooks_seen(&world).len(), 6);
}

#[test]
fn in_the_friendly_world_everything_succeeds_within_ten_seconds() {
    let mut world = World::new(Scenario::friendly(), 5, START);
    for nth in 0..500 {
        world.advance(at(f64::from(nth)));
        create(&mut world, "{}");
    }
    world.advance(at(510.0));
    let requests = world.truth().requests();
    assert_eq!(requests.len(), 500, "nobody else is there");
    let guarded = requests.values().filter(|request| !request.hooks.is_empty()).count();
    assert!((200..300).contains(&guarded), "{guarded}");
    for request in requests.values() {
        assert_eq!(request.status, RequestStatus::Success);
        assert!(request.finished_at.unwrap().since(request.began_at) < Duration::from_secs(10));
    }
}

#[test]
fn the_truth_forgets_its_oldest_when_it_is_full() {
    let scenario = Scenario {
        truth_limit: 10,
        ..plain()
    };
    let mut world = World::new(scenario, 1, START);
    for _ in 0..20 {
        create(&mut world, "{}");
    }
    assert_eq!(world.truth().transitions.len(), 10);
    assert_eq!(world.truth().forgotten, 30);
    assert_eq!(world.truth().requests().len(), 5);
}

#[test]
fn a_hundred_thousand_open_requests_are_listed_page_by_page() {
    let scenario = Scenario {
        never_start: 1.0,
        arrivals_per_second: 100_000.0,
        truth_limit: 0,
        ..plain()
    };
    let mut world = World::new(scenario, 1, START);
    world.advance(at(1.1));
    assert!(world.len() > 100_000, "{}", world.len());
    let seen: BTreeSet<_> = list(&mut world, &Filter::default(), 100)
        .into_iter()
        .map(|entry| entry.request_token)
        .collect();
    assert_eq!(seen.len(), world.len());
}

fn turbulent() -> Scenario {
    Scenario {
        retention: Duration::from_mins(2),
        list_lag: Duration::from_secs(2),
        never_start: 0.05,
        ..Scenario::lively()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn neither_looks_nor_faults_nor_the_size_of_steps_change_what_happens(
        seed in any::<u64>(),
        steps in proptest::collection::vec(1..20_000_u64, 1..40),
        share in 0.0..1.0_f64,
    ) {
        let end = START.plus(Duration::from_mins(10));
        let mut leaping = World::new(turbulent(), seed, START);
        leaping.advance(end);

        let mut walking = World::new(turbulent(), seed, START);
        walking.set_faults(Faults {
            missing_fields: share,
            unknown_statuses: share,
            shifting_pages: share,
            repeated_next_tokens: share,
            ..Faults::default()
        });
        let mut now = START;
        for millis in steps {
            now = now.plus(Duration::from_millis(millis));
            walking.advance(now);
            let query = ListQuery { max_results: 10, after: None, filter: Filter::default() };
            let page = walking.page(&query);
            walking.page(&ListQuery { after: page.next, ..query });
            for entry in page.entries {
                walking.look(&entry.request_token.to_string()).unwrap();
            }
        }
        walking.advance(end);
        prop_assert_eq!(leaping.truth(), walking.truth());
    }

    #[test]
    fn a_final_status_is_never_left_whatever_is_cancelled(
        seed in any::<u64>(),
        cancels in proptest::collection::vec((1..5_000_u64, any::<proptest::sample::Index>()), 0..60),
    ) {
        let mut world = World::new(turbulent(), seed, START);
        let mut now = START;
        for (millis, which) in cancels {
            now = now.plus(Duration::from_millis(millis));
            world.advance(now);
            if !world.is_empty() {
                let token = world.requests[which.index(world.requests.len())].token;
                let open = !look(&mut world, token).operation_status.unwrap().is_final();
                let cancelled = world.cancel(&token.to_string());
                prop_assert!(cancelled.is_ok() || !open);
            }
        }
        world.advance(now.plus(Duration::from_mins(5)));
        let mut last = HashMap::new();
        let mut before = START;
        for transition in &world.truth().transitions {
            prop_assert!(transition.at >= before, "in order of time");
            before = transition.at;
            match &transition.what {
                What::Status { status, .. } => {
                    let earlier = last.insert(transition.request_token, Some(status.clone()));
                    prop_assert!(earlier.flatten().is_none_or(|earlier| !earlier.is_final()));
                }
                What::Message { .. } | What::Identified { .. } => {
                    let status = last.get(&transition.request_token).cloned().flatten();
                    prop_assert!(status.is_some_and(|status| !status.is_final()));
                }
                What::Expired => {
                    last.remove(&transition.request_token);
                }
                What::Hook { .. } => prop_assert!(last.contains_key(&transition.request_token)),
                What::Began { .. } => {}
            }
        }
        // What the list's index holds is what there is.
        let listed = list(&mut world, &Filter::default(), 100).len();
        let shown = world.requests.iter().filter(|request| request.listed.is_some()).count();
        prop_assert_eq!(listed, shown);
    }
}

#[test]
fn the_same_seed_gives_the_same_world_and_another_gives_another() {
    let run = |seed| {
        let mut world = World::new(turbulent(), seed, START);
        let mut answers = Vec::new();
        for nth in 1..200 {
            world.advance(at(f64::from(nth)));
            create(&mut world, "{}");
            answers.extend(list(&mut world, &Filter::default(), 10));
        }
        (world.truth().clone(), answers)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
