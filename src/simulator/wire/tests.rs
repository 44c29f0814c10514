//! The protocol: what is asked, what is answered, what is refused.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::simulator::Scenario;

pub(super) const START: Timestamp = Timestamp::from_millis(1_767_110_540_245);

pub(super) fn world() -> World {
    World::new(Scenario::friendly(), 1, START)
}

pub(super) fn request(target: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post("/")
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.0")
        .body(body.into())
        .unwrap()
}

pub(super) fn raw(world: &mut World, operation: &str, body: &Value) -> Answer {
    let now = world.now();
    answer(
        world,
        &request(&format!("CloudApiService.{operation}"), body.to_string()),
        None,
        now,
    )
}

pub(super) fn whole(answer: Answer) -> Response<Bytes> {
    match answer {
        Answer::Whole(response) => response,
        other => panic!("{other:?}"),
    }
}

pub(super) fn call(world: &mut World, operation: &str, body: &Value) -> (u16, Value) {
    let response = whole(raw(world, operation, body));
    (
        response.status().as_u16(),
        serde_json::from_slice(response.body()).unwrap(),
    )
}

pub(super) fn create(world: &mut World) -> String {
    let input = json!({ "TypeName": "AWS::S3::Bucket", "DesiredState": "{\"BucketName\":\"logs\"}" });
    let (status, answer) = call(world, "CreateResource", &input);
    assert_eq!(status, 200, "{answer}");
    answer["ProgressEvent"]["RequestToken"].as_str().unwrap().to_owned()
}

pub(super) fn refused(world: &mut World, operation: &str, body: &Value) -> (u16, String, String) {
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
    Arc::make_mut(&mut scenario.hooks[0]).share = 1.0;
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
fn resources_are_answered_as_the_service_model_has_them() {
    let mut world = World::new(Scenario::default(), 1, START);
    let bucket = |members: Value| {
        let mut input = json!({ "TypeName": "AWS::S3::Bucket" });
        input
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        input
    };
    for name in ["a", "b", "c"] {
        let desired_state = json!({ "Name": name }).to_string();
        call(
            &mut world,
            "CreateResource",
            &bucket(json!({ "DesiredState": desired_state })),
        );
    }
    world.advance(START.plus(Duration::from_mins(1)));
    let (status, first) = call(&mut world, "ListResources", &bucket(json!({ "MaxResults": 2 })));
    assert_eq!(status, 200, "{first}");
    assert_eq!(first["TypeName"], "AWS::S3::Bucket");
    assert_eq!(first["ResourceDescriptions"].as_array().unwrap().len(), 2);
    let next = bucket(json!({ "MaxResults": 2, "NextToken": first["NextToken"] }));
    let (_, last) = call(&mut world, "ListResources", &next);
    assert_eq!(last["ResourceDescriptions"].as_array().unwrap().len(), 1);
    assert!(last.get("NextToken").is_none());

    let identifier = &last["ResourceDescriptions"][0]["Identifier"];
    let (_, got) = call(&mut world, "GetResource", &bucket(json!({ "Identifier": identifier })));
    assert_eq!(got["ResourceDescription"], last["ResourceDescriptions"][0]);
    let properties: Value = serde_json::from_str(got["ResourceDescription"]["Properties"].as_str().unwrap()).unwrap();
    assert_eq!(&properties["Id"], identifier);

    let patch = json!([{ "op": "add", "path": "/Size", "value": 3 }]).to_string();
    let update = bucket(json!({ "Identifier": identifier, "PatchDocument": patch }));
    let (status, answer) = call(&mut world, "UpdateResource", &update);
    assert_eq!((status, &answer["ProgressEvent"]["Operation"]), (200, &json!("UPDATE")));
    let missing = bucket(json!({ "Identifier": "none" }));
    let (status, code, _) = refused(&mut world, "GetResource", &missing);
    assert_eq!((status, code.as_str()), (400, "ResourceNotFoundException"));
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
        let response = whole(answer(&mut world, &call, None, START));
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
        let response = whole(answer(&mut world, &request(target, "{}"), None, START));
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
        let response = whole(answer(&mut world, &other, None, START));
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

proptest! {
    #[test]
    fn nothing_that_arrives_makes_it_fail(
        target in "(CloudApiService\\.)?(ListResourceRequests|GetResourceRequestStatus|(Create|Update|Delete|Get)Resource|ListResources|[ -~]{0,20})",
        members in proptest::collection::hash_map(
            "MaxResults|NextToken|RequestToken|TypeName|DesiredState|ClientToken|ResourceRequestStatusFilter|RoleArn\
             |Identifier|PatchDocument|ResourceModel|TypeVersionId",
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
        let response = whole(answer(&mut world, &request(&target, body), None, START));
        prop_assert!(matches!(response.status().as_u16(), 200 | 400));
        prop_assert!(serde_json::from_slice::<Value>(response.body()).is_ok());
        let counted: u64 = world.calls().operations.values().map(|calls| calls.received).sum();
        prop_assert_eq!(counted, 1);
    }
}
