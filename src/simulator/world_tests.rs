//! The life of a request, from its start until it is forgotten.

use std::time::Duration;

use super::*;
use crate::simulator::scenario::{Failure, HookMessages, HookScenario, TypeScenario};
use crate::simulator::{Create, Delete, Filter, ListQuery, ProgressEvent, Spread};

pub(in crate::simulator) const START: Timestamp = Timestamp::from_millis(1_767_110_540_245);

pub(in crate::simulator) fn at(seconds: f64) -> Timestamp {
    START.plus(Duration::from_secs_f64(seconds))
}

fn bucket(desired_state: &str) -> Create {
    Create {
        type_name: "AWS::S3::Bucket".into(),
        desired_state: desired_state.to_owned(),
        type_version_id: None,
        role_arn: None,
    }
}

pub(in crate::simulator) fn create(world: &mut World, desired_state: &str) -> Token {
    world.create(&bucket(desired_state), None).unwrap().request_token
}

pub(in crate::simulator) fn look(world: &mut World, token: Token) -> ProgressEvent {
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
pub(super) fn list(world: &mut World, filter: &Filter, max_results: usize) -> Vec<ProgressEvent> {
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

pub(in crate::simulator) fn plain() -> Scenario {
    Scenario {
        types: vec![TypeScenario {
            type_name: "AWS::S3::Bucket".into(),
            identifier_property: Some("BucketName".to_owned()),
            messages: vec!["Almost there".to_owned()],
            ..TypeScenario::default()
        }],
        ..Scenario::default()
    }
}

fn with_hook(hook: HookScenario) -> Scenario {
    Scenario {
        hooks: vec![hook.into()],
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
                    found_fault: Some("not encrypted".into()),
                    broke: Some("timed out".into()),
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
        hook_type_name: "Acme::Guard::Slow".into(),
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
        hooks: vec![slow.into(), strict.into()],
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
        type_name: "AWS::S3::Bucket".into(),
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
        type_name: "Acme::Web::Site".into(),
        ..bucket("{}")
    };
    assert_eq!(world.create(&unknown, None).unwrap_err().code, "TypeNotFoundException");
    assert!(world.create(&bucket("{}"), None).is_ok());
    assert!(World::new(plain(), 1, START).create(&unknown, None).is_ok());
}
