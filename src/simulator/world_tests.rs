use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::Operation;
use crate::simulator::faults::Skew;
use crate::simulator::scenario::{Failure, HookMessages, HookScenario, TypeScenario};
use crate::simulator::{Create, Delete, Filter, ListQuery, ProgressEvent, Spread};

const START: Timestamp = Timestamp::from_millis(1_767_110_540_245);

fn at(seconds: f64) -> Timestamp {
    START.plus(Duration::from_secs_f64(seconds))
}

fn bucket(desired_state: &str) -> Create {
    Create {
        type_name: "AWS::S3::Bucket".to_owned(),
        desired_state: desired_state.to_owned(),
        type_version_id: None,
        role_arn: None,
    }
}

fn create(world: &mut World, desired_state: &str) -> Token {
    world.create(&bucket(desired_state), None).unwrap().request_token
}

fn look(world: &mut World, token: Token) -> ProgressEvent {
    world.look(&token.to_string()).unwrap().0
}

fn hook_words(world: &mut World, token: Token) -> Vec<String> {
    let (_, hooks) = world.look(&token.to_string()).unwrap();
    hooks
        .into_iter()
        .map(|hook| hook.hook_status.unwrap().to_string())
        .collect()
}

/// Every entry of the list, page by page.
fn list(world: &mut World, filter: &Filter, max_results: usize) -> Vec<ProgressEvent> {
    let mut query = ListQuery {
        max_results,
        after: None,
        filter: filter.clone(),
    };
    let mut entries = Vec::new();
    loop {
        let page = world.page(&query);
        entries.extend(page.entries);
        query.after = page.next;
        if page.next.is_none() {
            return entries;
        }
    }
}

fn plain() -> Scenario {
    Scenario {
        types: vec![TypeScenario {
            type_name: "AWS::S3::Bucket".to_owned(),
            identifier_property: Some("BucketName".to_owned()),
            messages: vec!["Almost there".to_owned()],
            ..TypeScenario::default()
        }],
        ..Scenario::default()
    }
}

fn with_hook(hook: HookScenario) -> Scenario {
    Scenario {
        hooks: vec![hook],
        ..plain()
    }
}

#[test]
fn a_request_goes_from_pending_over_in_progress_to_success() {
    let mut world = World::new(plain(), 1, START);
    let token = create(&mut world, r#"{"BucketName":"logs","Tags":[]}"#);
    let begun = look(&mut world, token);
    assert_eq!(begun.operation_status, Some(RequestStatus::Pending));
    assert_eq!(begun.identifier, None);
    assert_eq!(begun.resource_model, None);
    assert_eq!(begun.event_time, Some(START));
    assert_eq!(begun.retry_after, Some(at(5.0)));
    assert_eq!(begun.hooks_request_token, None);

    world.advance(at(0.5));
    let running = look(&mut world, token);
    assert_eq!(running.operation_status, Some(RequestStatus::InProgress));
    assert_eq!(running.event_time, Some(at(0.5)), "EventTime moves");
    assert_eq!(running.retry_after, Some(at(5.5)), "RetryAfter moves");

    world.advance(at(5.4));
    let nearly = look(&mut world, token);
    assert_eq!(nearly.operation_status, Some(RequestStatus::InProgress));
    assert_eq!(nearly.status_message.as_deref(), Some("Almost there"));
    assert_eq!(
        nearly.identifier.as_deref(),
        Some("logs"),
        "the identifier appears on the way"
    );

    world.advance(at(100.0));
    let done = look(&mut world, token);
    assert_eq!(done.operation_status, Some(RequestStatus::Success));
    assert_eq!(done.retry_after, None);
    assert_eq!(done.event_time, Some(at(5.5)));
    assert_eq!(
        done.resource_model.as_deref(),
        Some(r#"{"BucketName":"logs","Tags":[]}"#)
    );

    let truth = &world.truth().requests()[&token];
    assert_eq!(truth.status, RequestStatus::Success);
    assert_eq!(truth.identifier.as_deref(), Some("logs"));
    assert_eq!(truth.finished_at, Some(at(5.5)));
    assert_eq!(
        world.truth().statuses(token),
        [
            (START, RequestStatus::Pending),
            (at(0.5), RequestStatus::InProgress),
            (at(5.5), RequestStatus::Success)
        ]
    );
}

#[test]
fn a_request_fails_with_any_of_the_sixteen_codes() {
    for code in ErrorCode::KNOWN {
        let scenario = Scenario {
            fail: 1.0,
            failures: vec![Failure::new(1.0, (*code).into(), "{type} {identifier} failed")],
            ..plain()
        };
        let mut world = World::new(scenario, 1, START);
        let token = create(&mut world, r#"{"BucketName":"logs"}"#);
        world.advance(at(60.0));
        let event = look(&mut world, token);
        assert_eq!(event.operation_status, Some(RequestStatus::Failed));
        assert_eq!(event.error_code, Some((*code).into()));
        assert_eq!(event.status_message.as_deref(), Some("AWS::S3::Bucket logs failed"));
        assert_eq!(world.truth().requests()[&token].error_code, Some((*code).into()));
    }
    assert_eq!(ErrorCode::KNOWN.len(), 16);
}

#[test]
fn a_client_has_its_way_if_it_says_how_its_request_shall_end() {
    let mut world = World::new(Scenario::friendly(), 1, START);
    let wish = r#"{"_simulator":{"fail":"NotStabilized","message":"never mind","takes":"1m"}}"#;
    let token = create(&mut world, wish);
    world.advance(at(50.0));
    assert_eq!(
        look(&mut world, token).operation_status,
        Some(RequestStatus::InProgress)
    );
    world.advance(at(70.0));
    let event = look(&mut world, token);
    assert_eq!(event.error_code, Some(ErrorCode::NotStabilized));
    assert_eq!(event.status_message.as_deref(), Some("never mind"));
    assert!(
        !event.resource_model.unwrap().contains("_simulator"),
        "it is no part of the resource"
    );

    for (wish, says) in [
        (r#"{"_simulator":{"fail":"Nope"}}"#, "`Nope` is no error code"),
        (r#"{"_simulator":{"takes":"soon"}}"#, "`takes` is `soon`"),
        (r#"{"_simulator":{"fial":"NotFound"}}"#, "fial"),
        (r#"["s3cret"]"#, "not a JSON object"),
        ("s3cret", "not a JSON object"),
    ] {
        let refusal = world.create(&bucket(wish), None).unwrap_err();
        assert_eq!(refusal.code, "InvalidRequestException");
        assert!(refusal.message.contains(says), "{}", refusal.message);
        assert!(!refusal.message.contains("s3cret"), "{}", refusal.message);
    }
}

#[test]
fn a_hook_that_passes_lets_the_request_through() {
    let mut world = World::new(with_hook(HookScenario::default()), 1, START);
    let token = create(&mut world, "{}");
    assert!(look(&mut world, token).hooks_request_token.is_some());
    assert_eq!(
        hook_words(&mut world, token),
        [""; 0],
        "it appears when the request gets to it"
    );
    for (seconds, word, status) in [
        (0.5, "HOOK_PENDING", RequestStatus::Pending),
        (1.0, "HOOK_IN_PROGRESS", RequestStatus::Pending),
        (2.5, "HOOK_COMPLETE_SUCCEEDED", RequestStatus::InProgress),
    ] {
        world.advance(at(seconds));
        assert_eq!(hook_words(&mut world, token), [word]);
        assert_eq!(look(&mut world, token).operation_status, Some(status));
    }
    world.advance(at(7.5));
    let (event, hooks) = world.look(&token.to_string()).unwrap();
    assert_eq!(event.operation_status, Some(RequestStatus::Success));
    assert_eq!(hooks[0].hook_event_time, Some(at(2.5)));
    assert_eq!(hooks[0].failure_mode, Some(FailureMode::Fail));
    assert_eq!(hooks[0].invocation_point, Some("PRE_PROVISION"));
    assert_eq!(
        hooks[0].hook_type_arn.as_deref(),
        Some("arn:aws:cloudformation:us-east-1:123456789012:type/hook/Acme-Guard-Everything")
    );
    let listed = list(&mut world, &Filter::default(), 100);
    assert!(
        !serde_json::to_string(&listed).unwrap().contains("Acme"),
        "the list shows no hooks"
    );
}

#[test]
fn a_failing_hook_stops_the_request_if_its_mode_is_fail_and_not_if_it_is_warn() {
    for (find_fault, break_down, hook_status) in
        [(1.0, 0.0, HookStatus::CompleteFailed), (0.0, 1.0, HookStatus::Failed)]
    {
        for (failure_mode, request_status) in [
            (FailureMode::Fail, RequestStatus::Failed),
            (FailureMode::Warn, RequestStatus::Success),
        ] {
            let hook = HookScenario {
                failure_mode: failure_mode.clone(),
                find_fault,
                break_down,
                messages: HookMessages {
                    found_fault: Some("not encrypted".to_owned()),
                    broke: Some("timed out".to_owned()),
                    ..HookMessages::default()
                },
                ..HookScenario::default()
            };
            let mut world = World::new(with_hook(hook), 1, START);
            let token = create(&mut world, "{}");
            world.advance(at(60.0));
            let truth = &world.truth().requests()[&token];
            assert_eq!(truth.status, request_status, "{failure_mode} {hook_status}");
            assert_eq!(truth.hooks[&0].status, hook_status);
            assert!(truth.hooks[&0].message.is_some());
            assert_eq!(
                truth.identifier.is_none(),
                failure_mode == FailureMode::Fail,
                "nothing was provisioned"
            );
            let event = look(&mut world, token);
            assert_eq!(event.operation_status, Some(request_status));
            if failure_mode == FailureMode::Fail {
                assert_eq!(
                    event.status_message.as_deref(),
                    Some("The following hook(s) failed: [Acme::Guard::Everything]")
                );
                assert_eq!(truth.finished_at, Some(at(2.5)), "with the hook, not later");
            }
        }
    }
}

#[test]
fn a_hook_may_be_invoked_twice_and_go_on_after_another_stopped_the_request() {
    let slow = HookScenario {
        hook_type_name: "Acme::Guard::Slow".to_owned(),
        twice: 1.0,
        without_event_time: 1.0,
        duration: Spread::Fixed(Duration::from_secs(10)),
        ..HookScenario::default()
    };
    let strict = HookScenario {
        find_fault: 1.0,
        ..HookScenario::default()
    };
    let scenario = Scenario {
        hooks: vec![slow, strict],
        ..plain()
    };
    let mut world = World::new(scenario, 1, START);
    let token = create(&mut world, "{}");
    world.advance(at(3.0));
    assert_eq!(look(&mut world, token).operation_status, Some(RequestStatus::Failed));
    assert_eq!(
        hook_words(&mut world, token),
        ["HOOK_IN_PROGRESS", "HOOK_COMPLETE_FAILED"]
    );
    world.advance(at(60.0));
    let (event, hooks) = world.look(&token.to_string()).unwrap();
    assert_eq!(event.operation_status, Some(RequestStatus::Failed));
    assert_eq!(hooks.len(), 3);
    assert_eq!(
        hooks[0].hook_type_arn, hooks[1].hook_type_arn,
        "trap 14: one hook, two invocations"
    );
    assert_eq!(hooks[0].hook_event_time, None, "trap 14: HookEventTime may be absent");
    assert_eq!(world.truth().requests()[&token].hooks[&1].statuses.len(), 3);
}

#[test]
fn cancelling_takes_a_while_and_once_more_changes_nothing() {
    for cancelled_at in [0.1, 3.0] {
        let mut world = World::new(with_hook(HookScenario::default()), 1, START);
        let token = create(&mut world, "{}");
        world.advance(at(cancelled_at));
        let event = world.cancel(&token.to_string()).unwrap();
        assert_eq!(event.operation_status, Some(RequestStatus::CancelInProgress));
        world.advance(at(cancelled_at + 1.0));
        let again = world.cancel(&token.to_string()).unwrap();
        assert_eq!(again, event, "cancelled once");
        world.advance(at(60.0));
        assert_eq!(
            look(&mut world, token).operation_status,
            Some(RequestStatus::CancelComplete)
        );
        let again = world.cancel(&token.to_string()).unwrap();
        assert_eq!(again.operation_status, Some(RequestStatus::CancelComplete));
        let statuses = world.truth().statuses(token);
        assert_eq!(
            statuses.last(),
            Some(&(at(cancelled_at + 2.0), RequestStatus::CancelComplete))
        );
        assert!(
            world.truth().requests()[&token].hooks[&0].status.is_final(),
            "hooks know nothing of it"
        );
    }
}

#[test]
fn what_has_finished_cannot_be_cancelled() {
    let mut world = World::new(plain(), 1, START);
    let token = create(&mut world, "{}");
    world.advance(at(60.0));
    let before = world.truth().clone();
    let refusal = world.cancel(&token.to_string()).unwrap_err();
    assert_eq!(refusal.code, "ValidationException");
    assert_eq!(refusal.message, format!("Request {token} is already in status SUCCESS"));
    assert_eq!(world.truth(), &before);
}

#[test]
fn what_is_created_exists_until_it_is_deleted() {
    let mut world = World::new(plain(), 1, START);
    let delete = Delete {
        type_name: "AWS::S3::Bucket".to_owned(),
        identifier: "logs".to_owned(),
        type_version_id: None,
        role_arn: None,
    };
    let mut clock = 0.0;
    let mut ends_with = |world: &mut World, token: Token| {
        clock += 60.0;
        world.advance(at(clock));
        look(world, token).error_code
    };
    for _ in 0..2 {
        let first = create(&mut world, r#"{"BucketName":"logs"}"#);
        assert_eq!(ends_with(&mut world, first), None);
        let second = create(&mut world, r#"{"BucketName":"logs"}"#);
        assert_eq!(ends_with(&mut world, second), Some(ErrorCode::AlreadyExists));
        let gone = world.delete(&delete, None).unwrap().request_token;
        assert_eq!(ends_with(&mut world, gone), None);
        let nothing = world.delete(&delete, None).unwrap().request_token;
        assert_eq!(ends_with(&mut world, nothing), Some(ErrorCode::NotFound));
    }
}

#[test]
fn a_request_is_forgotten_after_seven_days() {
    let mut world = World::new(plain(), 1, START);
    let token = create(&mut world, "{}");
    let week = 7.0 * 86_400.0;
    world.advance(at(week - 0.001));
    assert_eq!(list(&mut world, &Filter::default(), 100).len(), 1);
    look(&mut world, token);
    world.advance(at(week));
    assert_eq!(list(&mut world, &Filter::default(), 100), []);
    for refusal in [
        world.look(&token.to_string()).unwrap_err(),
        world.cancel(&token.to_string()).unwrap_err(),
        world.look("no-such-token").unwrap_err(),
    ] {
        assert_eq!(refusal.code, "RequestTokenNotFoundException");
    }
    assert_eq!(world.truth().requests()[&token].expired_at, Some(at(week)));
    assert!(world.is_empty());
}

#[test]
fn a_request_that_never_starts_is_pending_until_it_is_forgotten() {
    let scenario = Scenario {
        never_start: 1.0,
        ..plain()
    };
    let mut world = World::new(scenario, 1, START);
    let token = create(&mut world, "{}");
    world.advance(at(6.9 * 86_400.0));
    assert_eq!(look(&mut world, token).operation_status, Some(RequestStatus::Pending));
    world.advance(at(7.1 * 86_400.0));
    assert_eq!(world.truth().statuses(token).len(), 1);
    assert!(world.look(&token.to_string()).is_err());
}

#[test]
fn a_client_token_starts_one_request_in_36_hours() {
    let mut world = World::new(plain(), 1, START);
    let first = world.create(&bucket("{}"), Some("token")).unwrap();
    world.advance(at(1.0));
    let again = world.create(&bucket("{}"), Some("token")).unwrap();
    assert_eq!(again.request_token, first.request_token);
    assert_eq!(again.operation_status, Some(RequestStatus::InProgress), "as it is now");

    let refusal = world
        .create(&bucket(r#"{"BucketName":"x"}"#), Some("token"))
        .unwrap_err();
    assert_eq!(refusal.code, "ClientTokenConflictException");
    assert!(
        refusal.message.contains(&first.request_token.to_string()),
        "{}",
        refusal.message
    );

    world.advance(at(36.0 * 3600.0 - 1.0));
    assert!(world.create(&bucket(r#"{"BucketName":"x"}"#), Some("token")).is_err());
    world.advance(at(36.0 * 3600.0));
    let later = world.create(&bucket(r#"{"BucketName":"x"}"#), Some("token")).unwrap();
    assert_ne!(later.request_token, first.request_token);
    assert_eq!(world.truth().requests().len(), 2);
}

#[test]
fn a_type_that_the_scenario_does_not_know_is_refused_if_it_says_so() {
    let scenario = Scenario {
        other_types: None,
        ..plain()
    };
    let mut world = World::new(scenario, 1, START);
    let unknown = Create {
        type_name: "Acme::Web::Site".to_owned(),
        ..bucket("{}")
    };
    assert_eq!(world.create(&unknown, None).unwrap_err().code, "TypeNotFoundException");
    assert!(world.create(&bucket("{}"), None).is_ok());
    assert!(World::new(plain(), 1, START).create(&unknown, None).is_ok());
}

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
    let seen = |change: fn(&mut crate::simulator::scenario::RetryAfterPolicy)| {
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
