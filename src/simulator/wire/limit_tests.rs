//! The limits of the service model, operation by operation.

use serde_json::{Value, json};

use super::tests::{refused, world};

/// Makes each call, which breaks limits, and checks what is said about it.
fn are_told(cases: &[(&str, Value, &str)]) {
    let mut world = world();
    for (operation, input, says) in cases {
        let (status, code, message) = refused(&mut world, operation, input);
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "{message}");
        assert!(message.contains(says), "{message}");
        assert!(message.len() < 1000, "{}", message.len());
    }
    assert!(world.is_empty());
    let refused: u64 = world.calls().operations.values().map(|calls| calls.refused).sum();
    assert_eq!(refused, cases.len() as u64);
}

#[test]
fn of_requests_are_told_in_the_services_words() {
    are_told(&[
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
    ]);
}

#[test]
fn of_resources_are_told_in_the_services_words() {
    let long = "x".repeat(262_145);
    let create_input =
        |type_name: &str, desired_state: &str| json!({ "TypeName": type_name, "DesiredState": desired_state });
    are_told(&[
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
            "4 validation errors detected: Value '' at 'identifier' failed to satisfy constraint: Member must have length \
             greater than or equal to 1; Value '' at 'identifier' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: .+; Value '_' at 'typeVersionId'",
        ),
        (
            "UpdateResource",
            json!({ "Identifier": "a\nb" }),
            "3 validation errors detected: Value null at 'typeName'",
        ),
        (
            "UpdateResource",
            json!({ "TypeName": "AWS::S3::Bucket", "Identifier": "x".repeat(1025), "PatchDocument": long }),
            "2 validation errors detected: Value 'xxx",
        ),
        (
            "UpdateResource",
            json!({ "TypeName": "AWS::S3::Bucket", "Identifier": "a", "PatchDocument": long }),
            "1 validation error detected: Value at 'patchDocument'",
        ),
        (
            "GetResource",
            json!({}),
            "2 validation errors detected: Value null at 'typeName'",
        ),
        (
            "GetResource",
            json!({ "TypeName": "AWS::S3::Bucket", "Identifier": "", "RoleArn": "short" }),
            "4 validation errors",
        ),
        (
            "ListResources",
            json!({}),
            "1 validation error detected: Value null at 'typeName'",
        ),
        (
            "ListResources",
            json!({ "TypeName": "AWS::S3::Bucket", "MaxResults": 101, "NextToken": "", "ResourceModel": "" }),
            "4 validation errors detected: Value '' at 'nextToken'",
        ),
        (
            "ListResources",
            json!({ "TypeName": "AWS::S3::Bucket", "NextToken": "x".repeat(4097) }),
            "length less than or equal to 4096",
        ),
        (
            "ListResources",
            json!({ "TypeName": "AWS::S3::Bucket", "NextToken": "not one of ours" }),
            "Invalid NextToken",
        ),
    ]);
}
