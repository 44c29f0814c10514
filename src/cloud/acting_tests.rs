use aws_sdk_cloudcontrol::error::{ErrorMetadata, SdkError};
use aws_sdk_cloudcontrol::operation::create_resource::CreateResourceError;
use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;

use super::*;

fn create(state: &str) -> Act {
    Act::Create {
        type_name: "AWS::S3::Bucket".into(),
        desired_state: state.into(),
        terms: Terms {
            client_token: "t".into(),
            role_arn: None,
            type_version_id: None,
        },
    }
}

/// What is told of an error of the service's that says so.
fn told(said: &str, state: &str) -> String {
    let metadata = ErrorMetadata::builder()
        .code("ValidationException")
        .message(said)
        .build();
    let raw = Response::new(StatusCode::try_from(400).unwrap(), SdkBody::empty());
    let act = create(state);
    let refused = because(
        &SdkError::service_error(CreateResourceError::generic(metadata), raw),
        &act,
        None,
    );
    let all = format!("{act:?} {refused:?} {refused}");
    assert!(!all.contains("hunter2") && !all.contains("hunte"), "{all}");
    refused.to_string()
}

#[test]
fn nothing_of_a_document_is_in_a_message_or_in_debug_output() {
    let short = r#"{"Password":"hunter2"}"#;
    let lines = "{\n  \"Password\": \"hunter2\"\n}";
    let long = format!("{{\"Password\": \"hunter2{}\"}}", "-hunter2".repeat(200));
    for state in [short, lines, &long] {
        let message = told(&format!("Value '{state}' at 'desiredState' is wrong"), state);
        assert_eq!(
            message,
            "ValidationException: Value '(hidden)' at 'desiredState' is wrong"
        );
    }
    // Cut off in the middle of it.
    let message = told(&format!("{}{short}", "x".repeat(470)), short);
    assert!(message.ends_with("xx(hidden)"), "{message}");
    let message = told("#/Password: hunter2 is too short", short);
    assert_eq!(message, "ValidationException: #/Password: (hidden) is too short");
}

#[test]
fn an_answer_about_another_request_is_none() {
    let (this, other) = (RequestToken::new("this"), RequestToken::new("other"));
    let answer = |token: &str| types::ProgressEvent::builder().request_token(token).build();
    let about = |event, asked_for| about(event, asked_for, ResourceModelPolicy::Drop).map(|event| event.request_token);
    assert_eq!(about(answer("this"), Some(&this)), Some(this.clone()));
    assert_eq!(about(answer("other"), Some(&this)), None);
    assert_eq!(about(answer("other"), None), Some(other));
}
