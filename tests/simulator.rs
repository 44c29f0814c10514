//! The simulator straight under the real SDK, where time is paused.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_cloudcontrol::Client;
use aws_sdk_cloudcontrol::client::Waiters;
use aws_sdk_cloudcontrol::config::retry::RetryConfig;
use aws_sdk_cloudcontrol::config::timeout::TimeoutConfig;
use aws_sdk_cloudcontrol::config::{BehaviorVersion, Builder, Config, Credentials, Region};
use aws_sdk_cloudcontrol::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudcontrol::types::{HandlerErrorCode, Operation, OperationStatus, ResourceRequestStatusFilter};
use ccwatch::clock::Clock;
use ccwatch::model::{ErrorCode, RequestStatus, Timestamp};
use ccwatch::simulator::faults::Skew;
use ccwatch::simulator::{Faults, InMemory, Place, Scenario, Simulator, Token};

const START: Timestamp = Timestamp::from_millis(1_767_110_540_245);

/// A world, its clock, and the SDK's client on top of it.
fn in_memory(scenario: Scenario) -> (Simulator, Clock, Client) {
    let clock = Clock::simulated(START);
    let simulator = Simulator::new(scenario, 1, clock.now());
    let client = client(&simulator, &clock, "AKIDEXAMPLE", "us-east-1");
    (simulator, clock, client)
}

fn client(simulator: &Simulator, clock: &Clock, access_key: &str, region: &'static str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(Credentials::new(access_key, "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(InMemory::new(simulator.clone(), clock.clone()))
        .build();
    Client::from_conf(config)
}

async fn create(client: &Client, desired_state: &str) -> String {
    let call = client
        .create_resource()
        .type_name("AWS::S3::Bucket")
        .desired_state(desired_state);
    call.send()
        .await
        .unwrap()
        .progress_event
        .unwrap()
        .request_token
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_sdks_waiter_sees_a_request_through_in_paused_time() {
    let (simulator, clock, client) = in_memory(Scenario::friendly());
    let token = create(&client, r#"{"BucketName":"logs"}"#).await;
    let waiter = client.wait_until_resource_request_success().request_token(&token);
    let last = waiter.wait(Duration::from_mins(2)).await.unwrap();
    let event = last.into_result().unwrap().progress_event.unwrap();
    assert_eq!(event.operation_status, Some(OperationStatus::Success));
    assert_eq!(event.identifier.as_deref(), Some("logs"));
    assert!(clock.uptime() < Duration::from_mins(2), "{:?}", clock.uptime());

    let truth = simulator.truth().requests();
    assert_eq!(truth.len(), 1);
    assert_eq!(truth[&Token::parse(&token).unwrap()].status, RequestStatus::Success);
    assert_eq!(simulator.calls().of("CreateResource").answered, 1);
}

#[tokio::test(start_paused = true)]
async fn failures_cancels_and_refusals_arrive_as_the_sdks_own_types() {
    let (simulator, _, client) = in_memory(Scenario::friendly());
    let fails = create(&client, r#"{"_simulator":{"fail":"ServiceLimitExceeded"}}"#).await;
    let cancelled = create(&client, "{}").await;
    let answer = client
        .cancel_resource_request()
        .request_token(&cancelled)
        .send()
        .await
        .unwrap();
    let status = answer.progress_event.unwrap().operation_status;
    assert_eq!(status, Some(OperationStatus::CancelInProgress));
    tokio::time::sleep(Duration::from_secs(10)).await;

    let look = async |token: &str| {
        let answer = client.get_resource_request_status().request_token(token).send().await;
        answer.map(|answer| answer.progress_event.unwrap())
    };
    let event = look(&fails).await.unwrap();
    assert_eq!(event.error_code, Some(HandlerErrorCode::ServiceLimitExceeded));
    let event = look(&cancelled).await.unwrap();
    assert_eq!(event.operation_status, Some(OperationStatus::CancelComplete));
    let error = look("no-such-token").await.unwrap_err().into_service_error();
    assert!(error.is_request_token_not_found_exception(), "{error:?}");
    let error = client
        .cancel_resource_request()
        .request_token(&fails)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"));
    assert_eq!(
        error.message(),
        Some(format!("Request {fails} is already in status FAILED").as_str())
    );

    let send = |desired_state: &str| {
        let call = client
            .create_resource()
            .type_name("AWS::S3::Bucket")
            .client_token("once");
        call.desired_state(desired_state).send()
    };
    send("{}").await.unwrap();
    let error = send(r#"{"BucketName":"other"}"#)
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_client_token_conflict_exception(), "{error:?}");
    assert_eq!(simulator.truth().requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_day_of_the_lively_world_is_listed_to_the_last_request() {
    let scenario = Scenario {
        arrivals_per_second: 0.02,
        ..Scenario::lively()
    };
    let (simulator, clock, client) = in_memory(scenario);
    tokio::time::sleep(Duration::from_hours(24)).await;
    let pages = client.list_resource_requests().max_results(100).into_paginator();
    let listed: Vec<_> = pages.items().send().try_collect().await.unwrap();
    simulator.advance(clock.now());
    let truth = simulator.truth().requests();
    assert!(truth.len() > 1_500, "{}", truth.len());
    let token = |text: Option<&str>| Token::parse(text.unwrap()).unwrap();
    let tokens: BTreeSet<_> = listed.iter().map(|event| token(event.request_token())).collect();
    assert_eq!(tokens, truth.keys().copied().collect());
    for event in &listed {
        let truth = &truth[&token(event.request_token())];
        assert_eq!(event.operation_status().unwrap().as_str(), truth.status.as_str());
        assert_eq!(
            event.error_code().map(HandlerErrorCode::as_str),
            truth.error_code.as_ref().map(ErrorCode::as_str)
        );
        assert_eq!(event.status_message(), truth.message.as_deref());
        assert_eq!(event.identifier(), truth.identifier.as_deref());
    }

    let filter = ResourceRequestStatusFilter::builder().operation_statuses(OperationStatus::Failed);
    let pages = client
        .list_resource_requests()
        .resource_request_status_filter(filter.build())
        .into_paginator();
    let failed: Vec<_> = pages.items().send().try_collect().await.unwrap();
    let expected = truth
        .values()
        .filter(|request| request.status == RequestStatus::Failed)
        .count();
    assert_eq!(failed.len(), expected);
}

#[tokio::test(start_paused = true)]
async fn faults_in_answers_reach_the_sdk_as_they_would_in_the_field() {
    let (simulator, _, client) = in_memory(Scenario::friendly());
    let token = create(&client, "{}").await;
    let list = || client.list_resource_requests().send();
    let off = Faults::default;

    let cases = [
        (
            Faults {
                throttled: 1.0,
                ..off()
            },
            "ThrottlingException",
        ),
        (
            Faults {
                expired_credentials: true,
                ..off()
            },
            "ExpiredTokenException",
        ),
        (
            Faults {
                access_denied: BTreeSet::from(["*".to_owned()]),
                ..off()
            },
            "AccessDeniedException",
        ),
    ];
    for (faults, code) in cases {
        simulator.set_faults(faults);
        assert_eq!(list().await.unwrap_err().code(), Some(code));
    }
    simulator.set_faults(Faults {
        server_errors: 1.0,
        ..off()
    });
    let error = list().await.unwrap_err();
    assert!(error.raw_response().unwrap().status().is_server_error());

    simulator.set_faults(Faults { resets: 1.0, ..off() });
    let error = list().await.unwrap_err();
    assert!(
        matches!(&error, SdkError::DispatchFailure(failure) if failure.is_io()),
        "{error:?}"
    );

    simulator.set_faults(Faults { cut_off: 1.0, ..off() });
    let error = list().await.unwrap_err();
    assert!(matches!(&error, SdkError::ResponseError(_)), "{error:?}");

    simulator.set_faults(Faults {
        empty_bodies: 1.0,
        ..off()
    });
    assert_eq!(list().await.unwrap().resource_request_status_summaries, None);
    let look = client
        .get_resource_request_status()
        .request_token(&token)
        .send()
        .await
        .unwrap();
    assert!(look.progress_event.is_none());

    simulator.set_faults(Faults {
        unknown_statuses: 1.0,
        ..off()
    });
    let listed = list().await.unwrap().resource_request_status_summaries.unwrap();
    let status = listed[0].operation_status.clone().unwrap();
    assert!(!OperationStatus::values().contains(&status.as_str()), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_waits_first_and_counts_for_nothing_if_the_client_gives_up() {
    let (simulator, clock, client) = in_memory(Scenario::friendly());
    simulator.set_faults(Faults {
        slow: 1.0,
        slow_by: Duration::from_mins(1),
        ..Faults::default()
    });
    let patience = TimeoutConfig::builder()
        .operation_timeout(Duration::from_secs(5))
        .build();
    let call = client.list_resource_requests().customize();
    let impatient = call
        .config_override(Builder::new().timeout_config(patience))
        .send()
        .await;
    assert!(matches!(&impatient, Err(SdkError::TimeoutError(_))), "{impatient:?}");
    assert_eq!(clock.uptime(), Duration::from_secs(5));
    assert_eq!(simulator.calls().of("ListResourceRequests").received, 0);

    client.list_resource_requests().send().await.unwrap();
    assert_eq!(clock.uptime(), Duration::from_secs(65));
    assert_eq!(simulator.calls().of("ListResourceRequests").answered, 1);
}

#[tokio::test(start_paused = true)]
async fn early_looks_are_told_from_others_with_a_clock_two_hours_behind() {
    let (simulator, clock, client) = in_memory(Scenario::friendly());
    let behind = Duration::from_hours(2);
    simulator.set_faults(Faults {
        clock_skew: Skew::behind(behind),
        ..Faults::default()
    });
    let token = create(&client, r#"{"_simulator":{"takes":"1h"}}"#).await;
    let look = async || {
        let answer = client
            .get_resource_request_status()
            .request_token(&token)
            .send()
            .await
            .unwrap();
        answer.progress_event.unwrap()
    };
    let time = |time: Option<aws_sdk_cloudcontrol::primitives::DateTime>| {
        let time = time.unwrap();
        Timestamp::rounded(time.secs(), time.subsec_nanos())
    };
    let event = look().await;
    assert_eq!(time(event.event_time), clock.now().minus(behind));
    for punctual_looks in 1..=20 {
        let event = look().await;
        assert_eq!(simulator.calls().early_looks(), punctual_looks, "at once: early");
        let wait = time(event.retry_after).plus(behind).since(clock.now());
        tokio::time::sleep(wait).await;
        look().await;
        assert_eq!(
            simulator.calls().early_looks(),
            punctual_looks,
            "at RetryAfter: not early"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_resource_is_created_read_patched_listed_and_deleted() {
    let (_, _, client) = in_memory(Scenario::friendly());
    let bucket = "AWS::S3::Bucket";
    let done = async |token: Option<String>| {
        let waiter = client.wait_until_resource_request_success().set_request_token(token);
        let last = waiter.wait(Duration::from_mins(2)).await.unwrap();
        last.into_result().unwrap().progress_event.unwrap()
    };
    let properties = async || {
        let got = client.get_resource().type_name(bucket).identifier("logs").send().await;
        got.map(|got| got.resource_description.unwrap().properties.unwrap())
    };
    for name in ["logs", "other", "third"] {
        let token = create(&client, &format!(r#"{{"BucketName":"{name}"}}"#)).await;
        done(Some(token)).await;
    }
    assert_eq!(properties().await.unwrap(), r#"{"BucketName":"logs"}"#);

    let update = |patch: &str| {
        let update = client.update_resource().type_name(bucket).identifier("logs");
        update.patch_document(patch).send()
    };
    let answer = update(r#"[{"op":"add","path":"/Tags","value":[]}]"#).await.unwrap();
    let error = update("[]").await.unwrap_err().into_service_error();
    assert!(error.is_concurrent_operation_exception(), "{error:?}");
    let event = done(answer.progress_event.unwrap().request_token).await;
    assert_eq!(event.operation, Some(Operation::Update));
    assert_eq!(properties().await.unwrap(), r#"{"BucketName":"logs","Tags":[]}"#);
    let error = update(r#"[{"op":"remove","path":"/BucketName"}]"#).await.unwrap_err();
    assert!(error.into_service_error().is_not_updatable_exception());
    let error = update(r#"[{"op":"remove","path":"/Size"}]"#).await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"));

    let pages = client
        .list_resources()
        .type_name(bucket)
        .max_results(2)
        .into_paginator();
    let pages: Vec<_> = pages.send().try_collect().await.unwrap();
    let counts: Vec<_> = pages.iter().map(|page| page.resource_descriptions().len()).collect();
    assert_eq!(counts, [2, 1]);

    let delete = client.delete_resource().type_name(bucket).identifier("logs");
    done(delete.send().await.unwrap().progress_event.unwrap().request_token).await;
    let error = properties().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    let error = update("[]").await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    let delete = client.delete_resource().type_name(bucket).identifier("logs");
    let token = delete.send().await.unwrap().progress_event.unwrap().request_token;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let look = client.get_resource_request_status().set_request_token(token);
    let event = look.send().await.unwrap().progress_event.unwrap();
    assert_eq!(event.error_code, Some(HandlerErrorCode::NotFound));
}

#[tokio::test(start_paused = true)]
async fn each_account_and_region_is_a_world_of_its_own() {
    let (simulator, clock, home) = in_memory(Scenario::friendly());
    let elsewhere = [("ASIAQNZGKIQY56JQ7WML", "us-east-1"), ("AKIDEXAMPLE", "eu-west-1")];
    for (access_key, region) in elsewhere {
        let client = client(&simulator, &clock, access_key, region);
        create(&client, r#"{"BucketName":"logs"}"#).await;
        let listed = client.list_resource_requests().send().await.unwrap();
        assert_eq!(listed.resource_request_status_summaries().len(), 1);
    }
    let listed = home.list_resource_requests().send().await.unwrap();
    assert_eq!(listed.resource_request_status_summaries().len(), 0);

    let calls = simulator.calls_by_place();
    let places = [
        ("029608264753", "us-east-1", 1),
        ("123456789012", "eu-west-1", 1),
        ("123456789012", "us-east-1", 0),
    ];
    assert_eq!(calls.len(), places.len());
    for (account_id, region, created) in places {
        let place = Place::new(account_id, region);
        assert_eq!(calls[&place].of("CreateResource").answered, created);
        assert_eq!(calls[&place].of("ListResourceRequests").answered, 1);
        let truth = simulator.with_in(&place, |world| world.truth().requests()).unwrap();
        assert_eq!(truth.len() as u64, created);
    }
    assert_eq!(simulator.calls().of("CreateResource").received, 0);
}

#[tokio::test(start_paused = true)]
async fn with_a_secret_only_what_is_signed_with_it_is_served() {
    // The SDK signs by the system's clock.
    let clock = Clock::simulated(Clock::system().now());
    let simulator = Simulator::new(Scenario::friendly(), 1, clock.now());
    let right = client(
        &simulator.clone().verifying("secret".into()),
        &clock,
        "AKIDEXAMPLE",
        "us-east-1",
    );
    let wrong = client(
        &simulator.clone().verifying("other".into()),
        &clock,
        "AKIDEXAMPLE",
        "us-east-1",
    );
    create(&right, r#"{"BucketName":"logs","Note":"h\u00e9"}"#).await;
    right.list_resource_requests().send().await.unwrap();
    let error = wrong.list_resource_requests().send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidSignatureException"));
    assert_eq!(simulator.calls().of("ListResourceRequests").refused, 1);

    simulator.set_faults(Faults {
        clock_skew: Skew::ahead(Duration::from_mins(20)),
        ..Faults::default()
    });
    let error = right.list_resource_requests().send().await.unwrap_err();
    assert!(error.message().unwrap().starts_with("Signature expired: "), "{error:?}");
}
