//! What clients create, read, patch, list and delete.

use std::time::Duration;

use super::*;
use crate::model::{ErrorCode, RequestStatus};
use crate::simulator::scenario::TypeScenario;
use crate::simulator::world::tests::{START, at, create, look, plain};
use crate::simulator::{ResourceDescription, ResourceQuery};

const BUCKET: &str = "AWS::S3::Bucket";

fn update(identifier: &str, patch_document: &str) -> Update {
    Update {
        type_name: BUCKET.to_owned(),
        identifier: identifier.to_owned(),
        patch_document: patch_document.to_owned(),
        type_version_id: None,
        role_arn: None,
    }
}

fn delete(identifier: &str) -> Delete {
    Delete {
        type_name: BUCKET.to_owned(),
        identifier: identifier.to_owned(),
        type_version_id: None,
        role_arn: None,
    }
}

fn properties(world: &mut World, identifier: &str) -> Result<Value, Refusal> {
    let described = world.resource(BUCKET, identifier)?;
    Ok(serde_json::from_str(&described.properties.unwrap()).unwrap())
}

/// A world with a bucket that is called `logs`.
fn with_logs() -> World {
    let mut world = World::new(plain(), 1, START);
    create(&mut world, r#"{"BucketName":"logs","Tags":[]}"#);
    world.advance(at(60.0));
    world
}

#[test]
fn a_resource_is_there_from_the_success_of_its_creation_to_that_of_its_deletion() {
    let mut world = World::new(plain(), 1, START);
    create(&mut world, r#"{"BucketName":"logs"}"#);
    world.advance(at(5.4));
    let refusal = world.resource(BUCKET, "logs").unwrap_err();
    assert_eq!(refusal.code, "ResourceNotFoundException");
    assert!(
        refusal.message.starts_with(
            "AWS::S3::Bucket Handler returned status FAILED: Resource of type 'AWS::S3::Bucket' with identifier 'logs' \
             was not found. (HandlerErrorCode: NotFound, RequestToken: "
        ),
        "{}",
        refusal.message
    );
    world.advance(at(5.5));
    let logs = ResourceDescription {
        identifier: Some("logs".into()),
        properties: Some(r#"{"BucketName":"logs"}"#.into()),
    };
    assert_eq!(world.resource(BUCKET, "logs"), Ok(logs.clone()));
    assert_eq!(world.resource(BUCKET, r#"{"BucketName":"logs"}"#), Ok(logs), "as JSON");
    world.delete(&delete("logs"), None).unwrap();
    world.advance(at(10.9));
    assert!(world.resource(BUCKET, "logs").is_ok());
    world.advance(at(11.0));
    assert_eq!(
        world.resource(BUCKET, "logs").unwrap_err().code,
        "ResourceNotFoundException"
    );
}

#[test]
fn an_update_changes_the_resource_when_it_succeeds_and_only_then() {
    let mut world = with_logs();
    let patch =
        r#"[{"op":"add","path":"/Tags/-","value":{"Key":"team","Value":"a"}},{"op":"add","path":"/Size","value":1}]"#;
    let event = world.update(&update("logs", patch), None).unwrap();
    assert_eq!(event.operation, Some(Operation::Update));
    assert_eq!(
        event.identifier.as_deref(),
        Some("logs"),
        "it is known from the beginning"
    );
    assert_eq!(properties(&mut world, "logs").unwrap()["Tags"], serde_json::json!([]));
    world.advance(at(120.0));
    let done = look(&mut world, event.request_token);
    assert_eq!(done.operation_status, Some(RequestStatus::Success));
    let expected = serde_json::json!({ "BucketName": "logs", "Tags": [{ "Key": "team", "Value": "a" }], "Size": 1 });
    assert_eq!(properties(&mut world, "logs").unwrap(), expected);
    assert_eq!(
        serde_json::from_str::<Value>(&done.resource_model.unwrap()).unwrap(),
        expected
    );

    for wish in [r#"{"fail":"NotUpdatable"}"#, r#"{"takes":"1h"}"#] {
        let patch = format!(r#"[{{"op":"add","path":"/_simulator","value":{wish}}},{{"op":"remove","path":"/Size"}}]"#);
        let token = world
            .update(&update("logs", &patch), None)
            .unwrap()
            .request_token
            .to_string();
        world.advance(world.now().plus(Duration::from_mins(1)));
        if wish.contains("takes") {
            world.cancel(&token).unwrap();
            world.advance(world.now().plus(Duration::from_hours(2)));
        } else {
            assert_eq!(world.look(&token).unwrap().0.error_code, Some(ErrorCode::NotUpdatable));
        }
        assert_eq!(properties(&mut world, "logs").unwrap(), expected, "{wish}");
    }
}

#[test]
fn what_is_wrong_with_an_update_is_refused_before_a_request_begins() {
    let mut world = with_logs();
    let before = world.truth().clone();
    for (update, code, says) in [
        (
            update("none", "[]"),
            "ResourceNotFoundException",
            "with identifier 'none' was not found.",
        ),
        (update("logs", "{}"), "ValidationException", "Invalid patch document"),
        (
            update("logs", r#"[{"op":"replace","path":"/Code","value":"s3cret"}]"#),
            "ValidationException",
            "[REPLACE Operation] noSuchPath in source, path provided : //Code",
        ),
        (
            update("logs", r#"[{"op":"replace","path":"/BucketName","value":"other"}]"#),
            "NotUpdatableException",
            "createOnlyProperties [/properties/BucketName] cannot be updated",
        ),
        (
            update("logs", r#"[{"op":"remove","path":"/BucketName"}]"#),
            "NotUpdatableException",
            "/properties/BucketName",
        ),
        (
            update("logs", r#"[{"op":"replace","path":"","value":["s3cret"]}]"#),
            "NotUpdatableException",
            "/properties/BucketName",
        ),
        (
            update("logs", r#"[{"op":"add","path":"/_simulator","value":{"fial":1}}]"#),
            "InvalidRequestException",
            "fial",
        ),
    ] {
        let refusal = world.update(&update, None).unwrap_err();
        assert_eq!(refusal.code, code, "{}", refusal.message);
        assert!(refusal.message.contains(says), "{}", refusal.message);
        assert!(!refusal.message.contains("s3cret"), "{}", refusal.message);
    }
    assert_eq!(world.truth(), &before);
}

#[test]
fn a_model_that_grows_beyond_what_an_answer_may_hold_is_refused() {
    let mut world = with_logs();
    let half = "x".repeat(200_000);
    let patch = format!(r#"[{{"op":"add","path":"/A","value":"{half}"}},{{"op":"copy","from":"/A","path":"/B"}}]"#);
    let refusal = world.update(&update("logs", &patch), None).unwrap_err();
    assert_eq!(refusal.code, "ValidationException");
    assert!(
        refusal.message.contains("maxLength: 262144"),
        "{:.200}",
        refusal.message
    );
}

#[test]
fn an_identifier_must_be_text_within_its_limits() {
    let mut world = World::new(plain(), 1, START);
    for (desired_state, says) in [
        (
            r#"{"BucketName":true}"#.to_owned(),
            "(#/BucketName: expected type: String, found: Boolean)",
        ),
        (r#"{"BucketName":""}"#.to_owned(), "expected minLength: 1"),
        (
            format!(r#"{{"BucketName":"{}"}}"#, "x".repeat(1025)),
            "expected maxLength: 1024",
        ),
    ] {
        let create = Create {
            type_name: BUCKET.to_owned(),
            desired_state,
            type_version_id: None,
            role_arn: None,
        };
        let refusal = world.create(&create, None).unwrap_err();
        assert_eq!(refusal.code, "ValidationException");
        assert!(refusal.message.contains(says), "{}", refusal.message);
    }
    assert!(world.is_empty());
}

#[test]
fn one_operation_a_resource_at_a_time() {
    let mut world = with_logs();
    let patch = update("logs", "[]");
    let first = world.update(&patch, None).unwrap().request_token;
    let bucket = Create {
        type_name: BUCKET.to_owned(),
        desired_state: r#"{"BucketName":"logs"}"#.to_owned(),
        type_version_id: None,
        role_arn: None,
    };
    for refused in [
        world.create(&bucket, None),
        world.update(&patch, None),
        world.delete(&delete("logs"), None),
    ] {
        let refusal = refused.unwrap_err();
        assert_eq!(refusal.code, "ConcurrentOperationException");
        let says = format!("Concurrent operation found for resource logs with RequestToken {first}");
        assert_eq!(refusal.message, says);
    }
    world.delete(&delete("other"), None).unwrap();

    // While it is being cancelled it is still at work; afterwards it is not.
    world.cancel(&first.to_string()).unwrap();
    assert!(world.update(&patch, None).is_err());
    world.advance(at(70.0));
    world.update(&patch, None).unwrap();
    world.advance(at(130.0));
    world.delete(&delete("logs"), None).unwrap();
    world.advance(at(190.0));
    world.create(&bucket, None).unwrap();
}

#[test]
fn a_request_that_is_forgotten_while_it_is_pending_is_at_work_no_more() {
    let scenario = Scenario {
        never_start: 1.0,
        ..plain()
    };
    let mut world = World::new(scenario, 1, START);
    create(&mut world, r#"{"BucketName":"logs"}"#);
    world.advance(at(7.0 * 86_400.0));
    create(&mut world, r#"{"BucketName":"logs"}"#);
    assert_eq!(world.len(), 1);
}

#[test]
fn the_expiry_of_a_finished_request_leaves_the_resources_next_operation_at_work() {
    let mut world = with_logs();
    world.advance(at(7.0 * 86_400.0 - 1.0));
    world.update(&update("logs", "[]"), None).unwrap();
    world.advance(at(7.0 * 86_400.0));
    assert_eq!(world.len(), 1, "the creation is forgotten");
    let refusal = world.delete(&delete("logs"), None).unwrap_err();
    assert_eq!(refusal.code, "ConcurrentOperationException");
}

#[test]
fn resources_are_listed_page_by_page_whatever_comes_and_goes() {
    let mut world = World::new(plain(), 1, START);
    for nth in 0..25 {
        create(
            &mut world,
            &format!(r#"{{"BucketName":"bucket-{nth:02}","Parity":{}}}"#, nth % 2),
        );
    }
    world.advance(at(60.0));
    let mut query = ResourceQuery {
        type_name: BUCKET.to_owned(),
        max_results: 10,
        after: None,
        resource_model: None,
    };
    let first = world.resources(&query).unwrap();
    assert_eq!(first.resources.len(), 10);
    let seen: Vec<_> = first
        .resources
        .iter()
        .filter_map(|one| one.identifier.clone())
        .collect();
    // One that was shown goes, and one comes: the next pages neither repeat nor pass over any other.
    world.delete(&delete(&seen[0]), None).unwrap();
    create(&mut world, r#"{"BucketName":"a-new-one"}"#);
    world.advance(at(120.0));
    query.after = first.next;
    let second = world.resources(&query).unwrap();
    query.after = second.next;
    let third = world.resources(&query).unwrap();
    assert_eq!(
        (second.resources.len(), third.resources.len(), third.next),
        (10, 6, None)
    );
    let mut names: Vec<_> = [first.resources, second.resources, third.resources]
        .into_iter()
        .flatten()
        .filter_map(|one| one.identifier)
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 26);

    query.after = None;
    query.resource_model = Some(r#"{"Parity":1}"#.to_owned());
    assert_eq!(world.resources(&query).unwrap().resources.len(), 10);
    query.resource_model = Some(r#"["s3cret"]"#.to_owned());
    let refusal = world.resources(&query).unwrap_err();
    assert_eq!(refusal.code, "InvalidRequestException");
    assert!(!refusal.message.contains("s3cret"));
    query.resource_model = None;
    query.type_name = "AWS::EC2::VPC".to_owned();
    assert_eq!(world.resources(&query).unwrap().resources, []);
}

#[test]
fn what_other_clients_create_exists_too() {
    let scenario = Scenario {
        arrivals_per_second: 1.0,
        ..plain()
    };
    let mut world = World::new(scenario, 1, START);
    world.advance(at(30.0));
    let query = ResourceQuery {
        type_name: BUCKET.to_owned(),
        max_results: 100,
        after: None,
        resource_model: None,
    };
    let listed = world.resources(&query).unwrap().resources;
    let created = world.truth().requests();
    let succeeded = created
        .values()
        .filter(|request| request.status == RequestStatus::Success);
    assert_eq!(listed.len(), succeeded.count());
    let theirs = listed[0].identifier.clone().unwrap();
    assert_eq!(properties(&mut world, &theirs).unwrap()["BucketName"], theirs.as_ref());
    let gone = world.delete(&delete(&theirs), None).unwrap().request_token;
    world.advance(at(60.0));
    assert_eq!(look(&mut world, gone).operation_status, Some(RequestStatus::Success));
}

#[test]
fn every_operation_on_an_unknown_type_says_so() {
    let scenario = Scenario {
        other_types: None,
        types: vec![TypeScenario {
            type_name: BUCKET.into(),
            ..TypeScenario::default()
        }],
        ..Scenario::default()
    };
    let mut world = World::new(scenario, 1, START);
    let type_name = "AWS::Does::NotExist";
    let query = ResourceQuery {
        type_name: type_name.to_owned(),
        max_results: 20,
        after: None,
        resource_model: None,
    };
    let create = Create {
        type_name: type_name.to_owned(),
        desired_state: "{}".to_owned(),
        type_version_id: None,
        role_arn: None,
    };
    let update = Update {
        type_name: type_name.to_owned(),
        ..update("x", "[]")
    };
    let delete = Delete {
        type_name: type_name.to_owned(),
        ..delete("x")
    };
    let refusals = [
        world.create(&create, None).unwrap_err(),
        world.update(&update, None).unwrap_err(),
        world.delete(&delete, None).unwrap_err(),
        world.resource(type_name, "x").unwrap_err(),
        world.resources(&query).unwrap_err(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.code, "TypeNotFoundException");
        assert_eq!(refusal.message, "The type 'AWS::Does::NotExist' cannot be found.");
    }
}

#[test]
fn a_deletion_fails_if_its_identifier_asks_for_it() {
    let mut world = with_logs();
    let wish = r#"{"BucketName":"logs","_simulator":{"fail":"ResourceConflict","message":"Not empty.","takes":"1s"}}"#;
    let token = world.delete(&delete(wish), None).unwrap().request_token;
    world.advance(at(62.0));
    let event = look(&mut world, token);
    assert_eq!(event.identifier.as_deref(), Some("logs"));
    assert_eq!(event.error_code, Some(ErrorCode::ResourceConflict));
    assert_eq!(event.status_message.as_deref(), Some("Not empty."));
    properties(&mut world, "logs").unwrap();
    let refusal = world
        .delete(&delete(r#"{"BucketName":"logs","_simulator":{"fail":"Oh"}}"#), None)
        .unwrap_err();
    assert_eq!(refusal.code, "InvalidRequestException");
    assert!(
        refusal.message.starts_with("_simulator: `Oh` is no error code"),
        "{}",
        refusal.message
    );
}

#[test]
fn what_a_type_has_no_handler_for_is_refused_and_nothing_else() {
    let mut scenario = plain();
    scenario.types[0].unsupported = vec![Action::Delete, Action::List];
    let mut world = World::new(scenario, 1, START);
    create(&mut world, r#"{"BucketName":"logs"}"#);
    world.advance(at(60.0));
    properties(&mut world, "logs").unwrap();
    world.update(&update("logs", "[]"), None).unwrap();
    world.advance(at(120.0));
    let refusal = world.delete(&delete("logs"), None).unwrap_err();
    assert_eq!(refusal.code, "UnsupportedActionException");
    assert_eq!(
        refusal.message,
        "Resource type AWS::S3::Bucket does not support DELETE action"
    );
    let query = ResourceQuery {
        type_name: BUCKET.to_owned(),
        max_results: 20,
        after: None,
        resource_model: None,
    };
    let refusal = world.resources(&query).unwrap_err();
    assert_eq!(refusal.code, "UnsupportedActionException");
}

#[test]
fn a_client_token_starts_one_request_whatever_the_operation() {
    let mut world = with_logs();
    let patch = update("logs", r#"[{"op":"add","path":"/Size","value":1}]"#);
    let first = world.update(&patch, Some("once")).unwrap();
    world.advance(at(70.0));
    let again = world.update(&patch, Some("once")).unwrap();
    assert_eq!(again.request_token, first.request_token);
    assert_eq!(
        again.operation_status,
        Some(RequestStatus::Success),
        "the same request, as it is now"
    );
    for refused in [
        world.update(&update("logs", "[]"), Some("once")),
        world.delete(&delete("logs"), Some("once")),
    ] {
        let refusal = refused.unwrap_err();
        assert_eq!(refusal.code, "ClientTokenConflictException");
        let says = format!(
            "ClientToken once is already associated with an existing operation with RequestToken {}",
            first.request_token
        );
        assert_eq!(refusal.message, says);
    }
    // What was refused has not used its token.
    assert!(world.update(&update("none", "[]"), Some("twice")).is_err());
    world.update(&patch, Some("twice")).unwrap();
    world.advance(at(70.0 + 36.0 * 3600.0));
    let later = world.delete(&delete("logs"), Some("once")).unwrap();
    assert_ne!(later.request_token, first.request_token);
}
