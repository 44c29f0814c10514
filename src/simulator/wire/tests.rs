use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::simulator::faults::{Skew, Throttle};
use crate::simulator::{Faults, Scenario};

const START: Timestamp = Timestamp::from_millis(1_767_110_540_245);

fn world() -> World {
    World::new(Scenario::friendly(), 1, START)
}

fn request(target: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post("/")
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.0")
        .body(body.into())
        .unwrap()
}

fn raw(world: &mut World, operation: &str, body: &Value) -> Answer {
    let now = world.now();
    answer(
        world,
        &request(&format!("CloudApiService.{operation}"), body.to_string()),
        now,
    )
}

fn whole(answer: Answer) -> Response<Bytes> {
    match answer {
        Answer::Whole(response) => response,
        other => panic!("{other:?}"),
    }
}

fn call(world: &mut World, operation: &str, body: &Value) -> (u16, Value) {
    let response = whole(raw(world, operation, body));
    (
        response.status().as_u16(),
        serde_json::from_slice(response.body()).unwrap(),
    )
}

fn create(world: &mut World) -> String {
    let input = json!({ "TypeName": "AWS::S3::Bucket", "DesiredState": "{\"BucketName\":\"logs\"}" });
    let (status, answer) = call(world, "CreateResource", &input);
    assert_eq!(status, 200, "{answer}");
    answer["ProgressEvent"]["RequestToken"].as_str().unwrap().to_owned()
}

fn refused(world: &mut World, operation: &str, body: &Value) -> (u16, String, String) {
    let (status, answer) = call(world, operation, body);
    let code = answer["__type"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    let message = answer
        .get("message")
        .or(answer.get("Message"))
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned();
    (status, code, message)
}

#[test]
fn an_answer_is_written_as_the_service_writes_it() {
    let mut world = World::new(Scenario::default(), 1, START);
    let input = json!({ "TypeName": "AWS::S3::Bucket", "DesiredState": "{}" });
    let response = whole(raw(&mut world, "CreateResource", &input));
    let token = world.truth().transitions[0].request_token;
    assert_eq!(
        response.body(),
        &format!(
            r#"{{"ProgressEvent":{{"RequestToken":"{token}","TypeName":"AWS::S3::Bucket","Operation":"CREATE","OperationStatus":"PENDING","EventTime":1.767110540245E9}}}}"#
        )
    );
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
    assert_eq!(response.headers()["date"], "Tue, 30 Dec 2025 16:02:20 GMT");
    assert!(Token::parse(response.headers()["x-amzn-requestid"].to_str().unwrap()).is_some());
}

#[test]
fn the_hooks_stand_beside_the_event() {
    let mut scenario = Scenario::friendly();
    scenario.hooks[0].share = 1.0;
    let mut world = World::new(scenario, 1, START);
    let token = create(&mut world);
    world.advance(START.plus(Duration::from_mins(1)));
    let (_, answer) = call(
        &mut world,
        "GetResourceRequestStatus",
        &json!({ "RequestToken": token }),
    );
    assert_eq!(answer["ProgressEvent"]["OperationStatus"], "SUCCESS");
    assert_eq!(answer["HooksProgressEvent"][0]["HookStatus"], "HOOK_COMPLETE_SUCCEEDED");
    assert_eq!(
        answer["HooksProgressEvent"][0]["HookTypeName"],
        "Acme::Guard::EncryptionAtRest"
    );
    let (_, answer) = call(&mut world, "ListResourceRequests", &json!({}));
    assert_eq!(answer["ResourceRequestStatusSummaries"].as_array().unwrap().len(), 1);
    assert!(answer.get("NextToken").is_none());
}

#[test]
fn pages_go_on_until_there_is_no_next_token() {
    let mut world = World::new(Scenario::lively(), 1, START);
    world.advance(START.plus(Duration::from_mins(3)));
    for max_results in [Value::Null, json!(1), json!(7), json!(100)] {
        let size = usize::try_from(max_results.as_u64().unwrap_or(20)).unwrap();
        let mut input = json!({ "MaxResults": max_results });
        let mut seen = BTreeSet::new();
        let mut count = 0;
        loop {
            let (status, answer) = call(&mut world, "ListResourceRequests", &input);
            assert_eq!(status, 200, "{answer}");
            let entries = answer["ResourceRequestStatusSummaries"].as_array().unwrap();
            count += entries.len();
            seen.extend(
                entries
                    .iter()
                    .map(|entry| entry["RequestToken"].as_str().unwrap().to_owned()),
            );
            let Some(next_token) = answer.get("NextToken") else {
                break;
            };
            assert_eq!(entries.len(), size);
            input["NextToken"] = next_token.clone();
        }
        assert_eq!((seen.len(), count), (world.len(), world.len()));
    }
}

#[test]
fn what_breaks_a_limit_is_told_in_the_services_words() {
    let mut world = world();
    let long = "x".repeat(262_145);
    let create_input =
        |type_name: &str, desired_state: &str| json!({ "TypeName": type_name, "DesiredState": desired_state });
    for (operation, input, says) in [
        (
            "ListResourceRequests",
            json!({ "MaxResults": 0 }),
            "1 validation error detected: Value '0' at 'maxResults'",
        ),
        (
            "ListResourceRequests",
            json!({ "MaxResults": 101 }),
            "less than or equal to 100",
        ),
        (
            "ListResourceRequests",
            json!({ "NextToken": "not a token" }),
            "regular expression",
        ),
        (
            "ListResourceRequests",
            json!({ "NextToken": "AAAA" }),
            "Invalid NextToken",
        ),
        (
            "ListResourceRequests",
            json!({ "ResourceRequestStatusFilter": { "OperationStatuses": ["DONE"], "Operations": ["READ"] } }),
            "2 validation errors detected: Value '[READ]' at 'resourceRequestStatusFilter.operations'",
        ),
        ("GetResourceRequestStatus", json!({}), "Value null at 'requestToken'"),
        (
            "GetResourceRequestStatus",
            json!({ "RequestToken": "" }),
            "length greater than or equal to 1",
        ),
        (
            "CancelResourceRequest",
            json!({ "RequestToken": "x".repeat(129) }),
            "length less than or equal to 128",
        ),
        (
            "CreateResource",
            json!({}),
            "2 validation errors detected: Value null at 'typeName'",
        ),
        ("CreateResource", create_input("AWS::S3", "{}"), "'typeName'"),
        (
            "CreateResource",
            create_input("AWS::S3::Bucket::Policy", "{}"),
            "regular expression",
        ),
        (
            "CreateResource",
            create_input(&"A".repeat(197), "{}"),
            "length less than or equal to 196",
        ),
        (
            "CreateResource",
            create_input("AWS::S3::Bucket", ""),
            "length greater than or equal to 1",
        ),
        (
            "CreateResource",
            create_input("AWS::S3::Bucket", &long),
            "Value at 'desiredState'",
        ),
        (
            "CreateResource",
            json!({ "TypeName": "AWS::S3::Bucket", "DesiredState": "{}", "RoleArn": "arn:aws:iam::12:role/x-long-enough" }),
            "'roleArn'",
        ),
        (
            "DeleteResource",
            json!({ "TypeName": "AWS::S3::Bucket", "Identifier": "", "ClientToken": "?", "TypeVersionId": "_" }),
            "3 validation errors",
        ),
    ] {
        let (status, code, message) = refused(&mut world, operation, &input);
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "{message}");
        assert!(message.contains(says), "{message}");
        assert!(message.len() < 1000, "{}", message.len());
    }
    assert!(world.is_empty());
    assert_eq!(world.calls().of("CreateResource").refused, 7);
}

#[test]
fn the_filter_takes_the_services_words() {
    let mut world = World::new(Scenario::lively(), 1, START);
    world.advance(START.plus(Duration::from_mins(3)));
    let input = json!({ "ResourceRequestStatusFilter": { "OperationStatuses": ["FAILED"], "Operations": ["CREATE"] }});
    let (_, answer) = call(&mut world, "ListResourceRequests", &input);
    let entries = answer["ResourceRequestStatusSummaries"].as_array().unwrap();
    assert!(!entries.is_empty());
    for entry in entries {
        assert_eq!(
            (&entry["OperationStatus"], &entry["Operation"]),
            (&json!("FAILED"), &json!("CREATE"))
        );
        assert!(entry["ErrorCode"].is_string());
    }
}

#[test]
fn what_cannot_be_read_is_refused_and_not_repeated() {
    let mut world = world();
    for body in [
        &b""[..],
        b"{",
        b"[]",
        b"\xff\xfe",
        b"{\"RequestToken\": 1}",
        b"{\"RequestToken\": \"a\", \"RequestToken\": \"s3cret\"}",
        "[".repeat(100_000).as_bytes(),
    ] {
        let call = request("CloudApiService.GetResourceRequestStatus", body.to_vec());
        let response = whole(answer(&mut world, &call, START));
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        assert_eq!(response.status(), 400, "{text}");
        assert!(text.contains("#SerializationException"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn an_unknown_target_is_an_unknown_operation_and_the_rest_is_not_found() {
    let mut world = world();
    for target in [
        "",
        "CloudApiService",
        "CloudApiService.",
        "CloudApiService.Get",
        "S3.CreateResource",
        "ListResourceRequests",
    ] {
        let response = whole(answer(&mut world, &request(target, "{}"), START));
        assert_eq!(response.status(), 400);
        assert!(
            response
                .body()
                .starts_with(br#"{"__type":"com.amazon.coral.service#UnknownOperationException""#)
        );
    }
    assert_eq!(world.calls().of("unknown").refused, 6);
    for other in [
        Request::get("/").body(Bytes::new()).unwrap(),
        Request::post("/other")
            .header("x-amz-target", "CloudApiService.ListResourceRequests")
            .body(Bytes::new())
            .unwrap(),
    ] {
        let response = whole(answer(&mut world, &other, START));
        assert_eq!(response.status(), 404);
        assert_eq!(&response.body()[..], b"<UnknownOperationException/>\n");
    }
}

#[test]
fn the_caller_is_read_from_the_credential_scope() {
    let signed = |value: &str| Request::builder().header("authorization", value).body(()).unwrap();
    let request = signed(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/cloudcontrolapi/aws4_request, SignedHeaders=host, Signature=0",
    );
    let caller = Caller::of(&request);
    assert_eq!(
        (caller.access_key, caller.region),
        (Some("AKIDEXAMPLE"), Some("eu-west-1"))
    );
    for odd in [
        "",
        "Basic eDp5",
        "AWS4-HMAC-SHA256 Credential=",
        "AWS4-HMAC-SHA256 Credential=///,",
    ] {
        assert_eq!(Caller::of(&signed(odd)), Caller::default(), "{odd}");
    }
}

#[test]
fn each_fault_answers_as_the_service_does_and_is_counted() {
    let always = Faults::default;
    let cases: [(Faults, &[(u16, &str)]); 5] = [
        (
            Faults {
                throttled: 1.0,
                ..always()
            },
            &[(400, "ThrottlingException")],
        ),
        (
            Faults {
                expired_credentials: true,
                ..always()
            },
            &[(400, "ExpiredTokenException")],
        ),
        (
            Faults {
                access_denied: BTreeSet::from(["*".to_owned()]),
                ..always()
            },
            &[(400, "AccessDeniedException")],
        ),
        (
            Faults {
                server_errors: 1.0,
                ..always()
            },
            &[(500, "InternalFailure"), (503, "ServiceUnavailableException")],
        ),
        (
            Faults {
                throttle: Some(Throttle {
                    per_second: 0.0,
                    burst: 0.0,
                }),
                ..always()
            },
            &[(400, "ThrottlingException")],
        ),
    ];
    for (faults, expected) in cases {
        let mut world = world();
        world.set_faults(faults);
        let mut seen = BTreeSet::new();
        for _ in 0..50 {
            let (status, code, message) = refused(&mut world, "ListResourceRequests", &json!({}));
            assert!(!message.is_empty());
            seen.insert((status, code));
        }
        let expected: BTreeSet<_> = expected
            .iter()
            .map(|(status, code)| (*status, (*code).to_owned()))
            .collect();
        assert_eq!(seen, expected);
        let calls = world.calls().of("ListResourceRequests");
        assert_eq!(calls.answered, 0);
        assert_eq!(calls.refused + calls.throttled + calls.faulted, 50);
    }
}

#[test]
fn an_operation_alone_may_be_denied() {
    let mut world = world();
    world.set_faults(Faults {
        access_denied: BTreeSet::from(["CancelResourceRequest".to_owned()]),
        ..Faults::default()
    });
    let token = create(&mut world);
    let (_, code, message) = refused(&mut world, "CancelResourceRequest", &json!({ "RequestToken": token }));
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("cloudformation:CancelResourceRequest"), "{message}");
}

#[test]
fn a_budget_throttles_what_exceeds_it() {
    let mut world = world();
    world.set_faults(Faults {
        throttle: Some(Throttle {
            per_second: 10.0,
            burst: 5.0,
        }),
        ..Faults::default()
    });
    for _ in 0..8 {
        raw(&mut world, "ListResourceRequests", &json!({}));
    }
    world.advance(START.plus(Duration::from_millis(200)));
    for _ in 0..8 {
        raw(&mut world, "ListResourceRequests", &json!({}));
    }
    let calls = world.calls().of("ListResourceRequests");
    assert_eq!((calls.received, calls.answered, calls.throttled), (16, 7, 9));
}

#[test]
fn what_is_lost_on_the_way_was_carried_out_but_told_nobody_anything() {
    for faults in [
        Faults {
            cut_off: 1.0,
            ..Faults::default()
        },
        Faults {
            empty_bodies: 1.0,
            ..Faults::default()
        },
        Faults {
            resets: 1.0,
            ..Faults::default()
        },
    ] {
        let mut world = world();
        let token = create(&mut world);
        world.set_faults(faults.clone());
        let mut lost = 0;
        for _ in 0..40 {
            let input = json!({ "TypeName": "AWS::S3::Bucket", "DesiredState": "{}" });
            match raw(&mut world, "CreateResource", &input) {
                Answer::Reset => assert!(faults.resets > 0.0),
                Answer::CutOff(response) => {
                    assert!(faults.cut_off > 0.0);
                    assert!(response.body().len() > 100, "a whole answer, to be cut");
                }
                Answer::Whole(response) => assert_eq!(&response.body()[..], b"{}"),
            }
            raw(
                &mut world,
                "GetResourceRequestStatus",
                &json!({ "RequestToken": token }),
            );
            raw(&mut world, "ListResourceRequests", &json!({}));
            lost += 1;
        }
        let created = world.len() - 1;
        if faults.resets > 0.0 {
            assert!(
                (5..35).contains(&created),
                "half of them before the call, half after: {created}"
            );
        } else {
            assert_eq!(created, lost);
        }
        assert_eq!(world.calls().early_looks(), 0, "no RetryAfter has reached the client");
        let calls = world.calls().of("CreateResource");
        assert_eq!((calls.answered, calls.faulted), (1, 40));
    }
}

#[test]
fn looks_before_retry_after_are_early_whatever_the_servers_clock_says() {
    for skew in [
        Skew::default(),
        Skew::ahead(Duration::from_secs(77)),
        Skew::behind(Duration::from_hours(30)),
    ] {
        let mut world = world();
        world.set_faults(Faults {
            clock_skew: skew,
            ..Faults::default()
        });
        let token = create(&mut world);
        let input = json!({ "RequestToken": token });
        let (_, answer) = call(&mut world, "GetResourceRequestStatus", &input);
        let seconds = answer["ProgressEvent"]["RetryAfter"].as_f64().unwrap();
        let (_, answer) = call(&mut world, "ListResourceRequests", &json!({}));
        let listed = answer["ResourceRequestStatusSummaries"][0]["RetryAfter"]
            .as_f64()
            .unwrap();
        assert_ne!(seconds.to_bits(), listed.to_bits(), "it moves");
        let server_now = Duration::from_millis(world.server_now().as_millis().unsigned_abs());
        let left = Duration::from_secs_f64(listed).checked_sub(server_now).unwrap();
        world.advance(START.plus(left).minus(Duration::from_millis(2)));
        assert_eq!(world.calls().early_looks(), 0);
        call(&mut world, "GetResourceRequestStatus", &input);
        assert_eq!(world.calls().early_looks(), 1);
        assert_eq!(world.calls().of("GetResourceRequestStatus").early_looks, 1);
        world.advance(START.plus(Duration::from_mins(1)));
        call(&mut world, "GetResourceRequestStatus", &input);
        assert_eq!(world.calls().early_looks(), 1);
    }
}

#[test]
fn a_skewed_clock_moves_date_event_time_and_retry_after() {
    let mut world = world();
    world.set_faults(Faults {
        clock_skew: Skew::ahead(Duration::from_hours(1)),
        ..Faults::default()
    });
    create(&mut world);
    let response = whole(raw(&mut world, "ListResourceRequests", &json!({})));
    assert_eq!(response.headers()["date"], "Tue, 30 Dec 2025 17:02:20 GMT");
    let answer: Value = serde_json::from_slice(response.body()).unwrap();
    let entry = &answer["ResourceRequestStatusSummaries"][0];
    assert_eq!(entry["EventTime"], json!(1_767_114_140.245));
    assert!(entry["RetryAfter"].as_f64().unwrap() > 1_767_114_141.0);
}

#[test]
fn fields_and_known_statuses_may_be_missing() {
    let mut scenario = Scenario::friendly();
    scenario.hooks[0].share = 1.0;
    let mut world = World::new(scenario, 1, START);
    let token = create(&mut world);
    let input = json!({ "RequestToken": token });
    world.advance(START.plus(Duration::from_mins(1)));
    world.set_faults(Faults {
        missing_fields: 1.0,
        ..Faults::default()
    });
    let (_, answer) = call(&mut world, "GetResourceRequestStatus", &input);
    assert_eq!(
        answer,
        json!({ "ProgressEvent": { "RequestToken": token }, "HooksProgressEvent": [{}] })
    );
    world.set_faults(Faults {
        unknown_statuses: 1.0,
        ..Faults::default()
    });
    let (_, answer) = call(&mut world, "GetResourceRequestStatus", &input);
    let known = [
        "PENDING",
        "IN_PROGRESS",
        "SUCCESS",
        "FAILED",
        "CANCEL_IN_PROGRESS",
        "CANCEL_COMPLETE",
    ];
    assert!(!known.contains(&answer["ProgressEvent"]["OperationStatus"].as_str().unwrap()));
    assert!(
        !answer["HooksProgressEvent"][0]["HookStatus"]
            .as_str()
            .unwrap()
            .contains("COMPLETE")
    );
}

#[test]
fn pages_may_shift_and_next_tokens_repeat() {
    let mut world = World::new(Scenario::lively(), 1, START);
    world.advance(START.plus(Duration::from_mins(3)));
    let mut page = |input: &Value| {
        let (_, answer) = call(&mut world, "ListResourceRequests", input);
        let tokens: Vec<Value> = answer["ResourceRequestStatusSummaries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["RequestToken"].clone())
            .collect();
        (tokens, answer.get("NextToken").cloned())
    };
    let (all, _) = page(&json!({ "MaxResults": 100 }));
    let (_, next) = page(&json!({ "MaxResults": 10 }));
    let second = json!({ "MaxResults": 10, "NextToken": next });
    assert_eq!(page(&second).0, all[10..20]);

    world.set_faults(Faults {
        shifting_pages: 1.0,
        ..Faults::default()
    });
    let mut starts = BTreeSet::new();
    for _ in 0..50 {
        let (_, answer) = call(&mut world, "ListResourceRequests", &second);
        let first = &answer["ResourceRequestStatusSummaries"][0]["RequestToken"];
        starts.insert(all.iter().position(|token| token == first).unwrap());
    }
    assert_eq!(starts, BTreeSet::from([7, 13]), "three early or three late");

    world.set_faults(Faults {
        repeated_next_tokens: 1.0,
        ..Faults::default()
    });
    let (_, answer) = call(&mut world, "ListResourceRequests", &second);
    assert_eq!(answer["NextToken"], second["NextToken"]);
}

#[test]
fn slow_calls_wait() {
    let mut world = world();
    assert_eq!(delay(&mut world), Duration::ZERO);
    world.set_faults(Faults {
        slow: 1.0,
        slow_by: Duration::from_secs(3),
        ..Faults::default()
    });
    assert_eq!(delay(&mut world), Duration::from_secs(3));
}

/// Everything goes wrong now and then.
fn misfortune() -> Faults {
    Faults {
        throttle: Some(Throttle {
            per_second: 1.0,
            burst: 30.0,
        }),
        throttled: 0.1,
        server_errors: 0.1,
        resets: 0.1,
        cut_off: 0.1,
        slow: 0.1,
        missing_fields: 0.1,
        unknown_statuses: 0.1,
        repeated_next_tokens: 0.1,
        shifting_pages: 0.1,
        empty_bodies: 0.1,
        ..Faults::default()
    }
}

#[test]
fn the_same_seed_gives_the_same_answers_and_the_same_misfortune() {
    let run = |seed| {
        let scenario = Scenario {
            faults: misfortune(),
            ..Scenario::lively()
        };
        let mut world = World::new(scenario, seed, START);
        let mut answers = Vec::new();
        for seconds in 0..200 {
            world.advance(START.plus(Duration::from_secs(seconds)));
            let input =
                json!({ "TypeName": "AWS::S3::Bucket", "DesiredState": "{}", "ClientToken": format!("c{seconds}") });
            let wait = delay(&mut world);
            let created = raw(&mut world, "CreateResource", &input);
            let listed = raw(&mut world, "ListResourceRequests", &json!({}));
            answers.push(format!("{wait:?} {created:?} {listed:?}"));
        }
        answers.push(format!("{:?} {:?}", world.calls(), world.truth()));
        answers
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

proptest! {
    #[test]
    fn nothing_that_arrives_makes_it_fail(
        target in "(CloudApiService\\.)?(ListResourceRequests|GetResourceRequestStatus|CreateResource|[ -~]{0,20})",
        members in proptest::collection::hash_map(
            "MaxResults|NextToken|RequestToken|TypeName|DesiredState|ClientToken|ResourceRequestStatusFilter|RoleArn",
            prop_oneof![
                any::<i64>().prop_map(Value::from),
                ".{0,40}".prop_map(Value::from),
                "[A-Za-z0-9+/=]{0,40}".prop_map(Value::from),
                Just(json!({ "Operations": [1, "CREATE"], "OperationStatuses": "x" })),
                Just(json!("AWS::S3::Bucket")),
                Just(json!(r#"{"_simulator": 1}"#)),
                Just(Value::Null),
            ],
            0..5,
        ),
        cut in any::<prop::sample::Index>(),
        whole_body in any::<bool>(),
    ) {
        let mut world = World::new(Scenario::friendly(), 1, START);
        let mut body = json!(members).to_string().into_bytes();
        if !whole_body {
            body.truncate(cut.index(body.len()));
        }
        let response = whole(answer(&mut world, &request(&target, body), START));
        prop_assert!(matches!(response.status().as_u16(), 200 | 400));
        prop_assert!(serde_json::from_slice::<Value>(response.body()).is_ok());
        let counted: u64 = world.calls().operations.values().map(|calls| calls.received).sum();
        prop_assert_eq!(counted, 1);
    }
}
