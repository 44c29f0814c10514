//! The worlds that come with the program.

use std::time::Duration;

use super::scenario::{Failure, HookMessages, HookScenario, RetryAfterPolicy, Scenario, TypeScenario};
use super::spread::Spread;
use crate::model::{ErrorCode, FailureMode, Operation};

impl Scenario {
    /// A seed of the lively world that has shown everything within twenty seconds: requests in every status that is not
    /// a cancel's, and hooks of both failure modes that pass, find fault and break.
    pub const LIVELY_SEED: u64 = 7;

    /// The world for writing a client against: nothing happens but what is asked for, and that finishes within ten
    /// seconds, in half of the cases after a hook, and succeeds. A client that wants a failure asks for one: by
    /// creating what exists, deleting what does not, or with `"_simulator": {"fail": "NotStabilized"}` in its desired
    /// state.
    pub fn friendly() -> Self {
        Self {
            types: types(between(2_000, 5_000)),
            other_types: Some(TypeScenario {
                duration: between(2_000, 5_000),
                messages: vec!["Resource creation initiated".to_owned()],
                ..TypeScenario::default()
            }),
            pending: between(300, 800),
            cancelling: between(500, 1_500),
            hooks: vec![HookScenario {
                hook_type_name: "Acme::Guard::EncryptionAtRest".to_owned(),
                share: 0.5,
                pending: between(200, 600),
                duration: between(500, 1_500),
                messages: HookMessages {
                    passed: Some("All data stores are encrypted at rest.".to_owned()),
                    ..HookMessages::default()
                },
                ..HookScenario::default()
            }],
            retry_after: RetryAfterPolicy {
                after: between(1_000, 2_000),
                ..RetryAfterPolicy::default()
            },
            ..Self::default()
        }
    }

    /// The world for showing what there is to watch: about one request a second by others, lives of 3 to 20 seconds,
    /// every kind of end, and hooks that pass, warn and fail.
    pub fn lively() -> Self {
        Self {
            types: types(Spread::LogNormal {
                median: Duration::from_secs(5),
                sigma: 0.5,
            }),
            operations: vec![
                (6.0, Operation::Create),
                (3.0, Operation::Update),
                (1.0, Operation::Delete),
            ],
            arrivals_per_second: 1.0,
            pending: between(500, 1_500),
            cancelling: between(1_000, 3_000),
            fail: 0.2,
            failures: failures(),
            failed_without_operation: 0.1,
            hooks: hooks(),
            retry_after: RetryAfterPolicy {
                after: between(1_000, 3_000),
                absent: 0.2,
                past: 0.05,
                ..RetryAfterPolicy::default()
            },
            ..Self::friendly()
        }
    }
}

fn between(from_millis: u64, to_millis: u64) -> Spread {
    Spread::Uniform {
        from: Duration::from_millis(from_millis),
        to: Duration::from_millis(to_millis),
    }
}

fn types(duration: Spread) -> Vec<TypeScenario> {
    let kind = |weight, type_name: &str, property: Option<&str>, prefix: &str, messages: &[&str]| TypeScenario {
        type_name: type_name.to_owned(),
        weight,
        identifier_property: property.map(str::to_owned),
        identifier_prefix: prefix.to_owned(),
        duration,
        messages: messages.iter().map(|message| (*message).to_owned()).collect(),
        failures: Vec::new(),
    };
    let mut database = kind(
        2.0,
        "AWS::RDS::DBInstance",
        Some("DBInstanceIdentifier"),
        "orders-",
        &[
            "DB instance {identifier} is creating",
            "DB instance {identifier} is backing-up",
        ],
    );
    database.failures = vec![
        Failure::new(
            3.0,
            ErrorCode::NotStabilized,
            "DB instance {identifier} is in state incompatible-parameters and did not stabilize.",
        ),
        Failure::new(
            1.0,
            ErrorCode::ServiceLimitExceeded,
            "Cannot create more than 40 DB instances in this account. (Service: Rds, Status Code: 400)",
        ),
    ];
    vec![
        kind(4.0, "AWS::S3::Bucket", Some("BucketName"), "acme-assets-", &[]),
        kind(3.0, "AWS::IAM::Role", Some("RoleName"), "deploy-", &[]),
        kind(
            2.0,
            "AWS::EC2::VPC",
            None,
            "vpc-",
            &["Waiting for VPC {identifier} to become available"],
        ),
        kind(
            2.0,
            "AWS::Lambda::Function",
            Some("FunctionName"),
            "resize-images-",
            &["Function state is Pending"],
        ),
        kind(
            2.0,
            "AWS::DynamoDB::Table",
            Some("TableName"),
            "sessions-",
            &["Table status is CREATING"],
        ),
        kind(1.0, "AWS::Logs::LogGroup", Some("LogGroupName"), "/acme/checkout/", &[]),
        kind(1.0, "AWS::SQS::Queue", Some("QueueName"), "invoices-", &[]),
        kind(1.0, "AWS::EC2::SecurityGroup", None, "sg-", &[]),
        database,
    ]
}

/// Every error code of the service model, the common ones more often.
fn failures() -> Vec<Failure> {
    [
        (
            4.0,
            ErrorCode::AlreadyExists,
            "Resource of type '{type}' with identifier '{identifier}' already exists.",
        ),
        (
            4.0,
            ErrorCode::AccessDenied,
            "User: arn:aws:iam::123456789012:user/ci is not authorized to do this to {type}.",
        ),
        (
            3.0,
            ErrorCode::InvalidRequest,
            "Model validation failed (#: extraneous key [Encrypt] is not permitted)",
        ),
        (
            3.0,
            ErrorCode::Throttling,
            "Rate exceeded (Status Code: 400; Error Code: Throttling)",
        ),
        (
            2.0,
            ErrorCode::NotStabilized,
            "{type} {identifier} did not stabilize within the time allowed.",
        ),
        (
            2.0,
            ErrorCode::ServiceLimitExceeded,
            "The maximum number of {type} resources has been reached.",
        ),
        (
            2.0,
            ErrorCode::NotFound,
            "Resource of type '{type}' with identifier '{identifier}' was not found.",
        ),
        (
            2.0,
            ErrorCode::ResourceConflict,
            "{identifier} is being changed by another operation.",
        ),
        (
            1.0,
            ErrorCode::NotUpdatable,
            "Invalid patch update: createOnlyProperties [/properties/Name]",
        ),
        (
            1.0,
            ErrorCode::UnauthorizedTaggingOperation,
            "Access denied for operation 'TagResource' on {identifier}.",
        ),
        (
            1.0,
            ErrorCode::InvalidCredentials,
            "The security token included in the request is invalid.",
        ),
        (
            1.0,
            ErrorCode::GeneralServiceException,
            "An error occurred while {type} was being provisioned.",
        ),
        (
            1.0,
            ErrorCode::ServiceInternalError,
            "Internal error in the service that owns {type}. (Status Code: 500)",
        ),
        (
            1.0,
            ErrorCode::ServiceTimeout,
            "The service that owns {type} did not answer in time.",
        ),
        (
            1.0,
            ErrorCode::NetworkFailure,
            "Connection to the service that owns {type} was lost.",
        ),
        (1.0, ErrorCode::InternalFailure, "Internal failure"),
    ]
    .map(|(weight, error_code, message)| Failure::new(weight, error_code, message))
    .to_vec()
}

fn hooks() -> Vec<HookScenario> {
    let messages = |passed: &str, found_fault: &str, broke: &str| HookMessages {
        passed: Some(passed.to_owned()),
        found_fault: Some(found_fault.to_owned()),
        broke: Some(broke.to_owned()),
    };
    vec![
        HookScenario {
            hook_type_name: "Acme::Guard::EncryptionAtRest".to_owned(),
            hook_type_version_id: "00000003".to_owned(),
            failure_mode: FailureMode::Fail,
            share: 0.6,
            twice: 0.1,
            pending: between(200, 800),
            duration: between(500, 2_500),
            find_fault: 0.15,
            break_down: 0.08,
            messages: messages(
                "All data stores are encrypted at rest.",
                "Template failed validation, the following rule(s) failed: encrypted_at_rest.",
                "Hook failed with Internal error: Lambda function timed out after 30 seconds",
            ),
            without_event_time: 0.1,
        },
        HookScenario {
            hook_type_name: "Acme::Tagging::CostCenter".to_owned(),
            hook_type_version_id: "00000011".to_owned(),
            failure_mode: FailureMode::Warn,
            share: 0.5,
            twice: 0.0,
            pending: between(100, 400),
            duration: between(200, 1_000),
            find_fault: 0.3,
            break_down: 0.15,
            messages: messages(
                "Tag CostCenter is present.",
                "Tag CostCenter is missing; add it before the end of the quarter.",
                "Hook failed with General service exception: 503 from tags.acme.example",
            ),
            without_event_time: 0.1,
        },
    ]
}
