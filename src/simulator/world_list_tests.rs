//! What lists and looks show of the world, and when to look again.

use std::collections::BTreeSet;
use std::time::Duration;

use super::tests::{START, at, create, list, look, plain};
use super::*;
use crate::model::Operation;
use crate::simulator::faults::Skew;
use crate::simulator::scenario::RetryAfterPolicy;
use crate::simulator::{Filter, ProgressEvent};

#[test]
fn the_list_shows_everything_once_in_the_order_of_the_scenario() {
    for (list_order, sorted) in [
        (ListOrder::Unordered, None),
        (ListOrder::OldestFirst, Some(false)),
        (ListOrder::NewestFirst, Some(true)),
    ] {
        let scenario = Scenario {
            list_order,
            ..Scenario::lively()
        };
        let mut world = World::new(scenario, 3, START);
        world.advance(at(300.0));
        let began: Vec<_> = world.requests.iter().map(|request| request.token).collect();
        let mut expected = began.clone();
        let seen: Vec<_> = list(&mut world, &Filter::default(), 7)
            .into_iter()
            .map(|entry| entry.request_token)
            .collect();
        match sorted {
            Some(false) => assert_eq!(seen, expected),
            Some(true) => {
                expected.reverse();
                assert_eq!(seen, expected);
            }
            None => {
                assert_ne!(seen, expected, "a shuffle");
                assert_eq!(seen.iter().collect::<BTreeSet<_>>(), expected.iter().collect());
                assert_eq!(seen.len(), expected.len());
            }
        }
    }
}

#[test]
fn a_filter_shows_what_it_names() {
    let scenario = Scenario {
        failed_without_operation: 0.5,
        ..Scenario::lively()
    };
    let mut world = World::new(scenario, 3, START);
    world.advance(at(600.0));
    let all = list(&mut world, &Filter::default(), 100);
    for operations in [
        vec![],
        vec![Operation::Create],
        vec![Operation::Update, Operation::Delete],
    ] {
        for statuses in [
            vec![],
            vec![RequestStatus::Failed],
            vec![RequestStatus::Pending, RequestStatus::InProgress],
        ] {
            let filter = Filter {
                operations: operations.clone(),
                statuses: statuses.clone(),
            };
            let shown = list(&mut world, &filter, 9);
            let expected = all.iter().filter(|event| {
                (operations.is_empty() || event.operation.as_ref().is_some_and(|word| operations.contains(word)))
                    && (statuses.is_empty() || statuses.contains(event.operation_status.as_ref().unwrap()))
            });
            let tokens = |event: &ProgressEvent| event.request_token;
            assert_eq!(
                shown.iter().map(tokens).collect::<Vec<_>>(),
                expected.map(tokens).collect::<Vec<_>>(),
                "{filter:?}"
            );
        }
    }
    let dropped = all.iter().filter(|event| event.operation.is_none()).count();
    assert!(dropped > 0, "trap 6: some FAILED events lack their operation");
}

#[test]
fn the_list_may_be_behind() {
    let scenario = Scenario {
        list_lag: Duration::from_secs(3),
        ..plain()
    };
    let mut world = World::new(scenario, 1, START);
    let token = create(&mut world, "{}");
    world.advance(at(2.9));
    assert_eq!(list(&mut world, &Filter::default(), 100), [], "not listed yet");
    world.advance(at(6.0));
    assert_eq!(look(&mut world, token).operation_status, Some(RequestStatus::Success));
    let listed = list(&mut world, &Filter::default(), 100);
    assert_eq!(listed[0].operation_status, Some(RequestStatus::InProgress), "trap 16");
    world.advance(at(8.5));
    let listed = list(&mut world, &Filter::default(), 100);
    assert_eq!(listed[0].operation_status, Some(RequestStatus::Success));
}

#[test]
fn a_retry_after_may_be_absent_past_or_far_and_moves() {
    let seen = |change: fn(&mut RetryAfterPolicy)| {
        let mut scenario = plain();
        change(&mut scenario.retry_after);
        let mut world = World::new(scenario, 1, START);
        let token = create(&mut world, "{}");
        let listed = list(&mut world, &Filter::default(), 100)[0].retry_after;
        assert_eq!(look(&mut world, token).retry_after, listed);
        listed
    };
    assert_eq!(seen(|_| {}), Some(at(5.0)));
    assert_eq!(seen(|policy| policy.absent = 1.0), None);
    assert_eq!(
        seen(|policy| policy.past = 1.0),
        Some(START.minus(Duration::from_secs(5)))
    );
    assert_eq!(seen(|policy| policy.far = 1.0), Some(at(3600.0)));
}

#[test]
fn early_looks_are_counted_on_the_servers_clock() {
    for skew in [
        Skew::default(),
        Skew::ahead(Duration::from_secs(90)),
        Skew::behind(Duration::from_hours(5)),
    ] {
        let mut world = World::new(plain(), 1, START);
        world.set_faults(Faults {
            clock_skew: skew,
            ..Faults::default()
        });
        let token = create(&mut world, "{}");
        let look_at = |world: &mut World, seconds: f64| {
            world.advance(at(seconds));
            let event = look(world, token);
            world.told([&event]);
            world.calls().early_looks()
        };
        let list_at = |world: &mut World, seconds: f64| {
            world.advance(at(seconds));
            let entries = list(world, &Filter::default(), 100);
            world.told(&entries);
        };
        assert_eq!(look_at(&mut world, 0.0), 0, "nothing was advertised yet");
        assert_eq!(look_at(&mut world, 2.0), 1, "advertised by a look: 5 s");
        list_at(&mut world, 3.0);
        assert_eq!(
            look_at(&mut world, 7.999),
            2,
            "advertised by the list: 8 s, though it has finished"
        );
        assert_eq!(look_at(&mut world, 8.0), 2, "a finished request advertises nothing");
        assert_eq!(look(&mut world, token).event_time, Some(skew.shown(at(5.5))));
        let last = world.truth().transitions.back().unwrap();
        assert_eq!((last.at, last.server_at), (at(5.5), skew.shown(at(5.5))));
    }
}
