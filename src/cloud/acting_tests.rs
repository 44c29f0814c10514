use super::*;

fn terms() -> Terms {
    Terms {
        client_token: "t".into(),
        role_arn: None,
        type_version_id: None,
    }
}

fn create(state: &str) -> Act {
    Act::Create {
        type_name: "AWS::S3::Bucket".into(),
        desired_state: state.into(),
        terms: terms(),
    }
}

#[test]
fn a_document_is_in_no_message_and_in_no_debug_output() {
    let state = r#"{"Password":"hunter2"}"#;
    let act = create(state);
    let said = format!("ValidationException: Value '{state}' at 'desiredState' is wrong");
    let refused = refused(Failure::new(Cause::Other, &said), Some("ValidationException"), &act);
    assert!(!format!("{act:?} {refused:?} {refused}").contains("hunter2"));
    assert!(refused.to_string().contains("Value '(the document)' at"), "{refused}");
}

#[test]
fn what_was_decided_is_not_asked_again_and_what_may_have_arrived_is_open() {
    let act = create("{}");
    let outcome = |cause, code| {
        let refused = refused(Failure::new(cause, "said"), code, &act);
        (refused.may_pass, refused.is_open)
    };
    assert_eq!(outcome(Cause::Throttled, Some("ThrottlingException")), (true, false));
    assert_eq!(outcome(Cause::Unreachable, None), (true, true));
    assert_eq!(outcome(Cause::Service, Some("InternalFailure")), (true, true));
    assert_eq!(outcome(Cause::Malformed, None), (true, true), "an empty body, say");
    assert_eq!(outcome(Cause::Other, Some("AlreadyExistsException")), (false, false));
    assert_eq!(outcome(Cause::Denied, Some("AccessDeniedException")), (false, false));
}

#[test]
fn each_declared_error_has_a_remedy_of_its_own() {
    let other = remedy("", Cause::Other, &create("{}"));
    for code in [
        "AlreadyExistsException",
        "ClientTokenConflictException",
        "ConcurrentModificationException",
        "ConcurrentOperationException",
        "InvalidCredentialsException",
        "InvalidRequestException",
        "NotUpdatableException",
        "PrivateTypeException",
        "RequestTokenNotFoundException",
        "ResourceConflictException",
        "ResourceNotFoundException",
        "ServiceLimitExceededException",
        "TypeNotFoundException",
        "UnsupportedActionException",
        "ValidationException",
    ] {
        assert_ne!(remedy(code, Cause::Other, &create("{}")), other, "{code}");
    }
    let cancel = Act::Cancel {
        token: RequestToken::new("t"),
    };
    assert!(remedy("ValidationException", Cause::Other, &cancel).contains("PENDING"));
}
