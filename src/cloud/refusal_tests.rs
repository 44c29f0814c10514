use super::*;
use crate::cloud::Terms;
use crate::model::RequestToken;

fn create() -> Act {
    Act::Create {
        type_name: "AWS::S3::Bucket".into(),
        desired_state: "{}".into(),
        terms: Terms {
            client_token: "t".into(),
            role_arn: None,
            type_version_id: None,
        },
    }
}

/// Each with its own answer to: again? and: carried out, perhaps?
const DECLARED: [(&str, bool, bool); 22] = [
    ("AlreadyExistsException", false, false),
    ("ClientTokenConflictException", false, false),
    ("ConcurrentModificationException", false, false),
    ("ConcurrentOperationException", false, false),
    ("GeneralServiceException", false, false),
    ("HandlerFailureException", false, false),
    ("HandlerInternalFailureException", true, true),
    ("InvalidCredentialsException", false, false),
    ("InvalidRequestException", false, false),
    ("NetworkFailureException", true, true),
    ("NotStabilizedException", false, false),
    ("NotUpdatableException", false, false),
    ("PrivateTypeException", false, false),
    ("RequestTokenNotFoundException", false, false),
    ("ResourceConflictException", false, false),
    ("ResourceNotFoundException", false, false),
    ("ServiceInternalErrorException", true, true),
    ("ServiceLimitExceededException", false, false),
    ("ThrottlingException", true, false),
    ("TypeNotFoundException", false, false),
    ("UnsupportedActionException", false, false),
    ("ValidationException", false, false),
];

#[test]
fn a_declared_error_is_judged_by_its_code_alone() {
    let general: Vec<&str> = [
        Cause::Throttled,
        Cause::Credentials,
        Cause::Denied,
        Cause::Unreachable,
        Cause::Service,
        Cause::Malformed,
        Cause::Other,
    ]
    .map(|cause| undeclared(cause, true).1)
    .into();
    for (code, may_pass, is_open) in DECLARED {
        // Whatever the HTTP status made of it.
        for cause in [Cause::Service, Cause::Other] {
            let refused = Refused::because(Failure::new(cause, "said"), Some(code), &create(), None);
            assert_eq!((refused.may_pass, refused.is_open), (may_pass, is_open), "{code}");
            let is_own = !general.contains(&refused.remedy) || code == "ThrottlingException";
            assert!(is_own, "{code}: {}", refused.remedy);
        }
    }
    let cancel = Act::Cancel {
        token: RequestToken::new("t"),
    };
    for (act, may_have_ended) in [(cancel, true), (create(), false)] {
        let refused = Refused::because(
            Failure::new(Cause::Other, "said"),
            Some("ValidationException"),
            &act,
            None,
        );
        assert_eq!(refused.may_have_ended, may_have_ended);
        assert_eq!(refused.remedy.contains("if this one has ended"), may_have_ended);
    }
}

#[test]
fn what_was_decided_is_not_asked_again_and_what_may_have_arrived_is_open() {
    let outcome = |cause, code| {
        let refused = Refused::because(Failure::new(cause, "said"), code, &create(), None);
        (refused.may_pass, refused.is_open)
    };
    assert_eq!(outcome(Cause::Throttled, Some("SlowDown")), (true, false));
    assert_eq!(outcome(Cause::Unreachable, None), (true, true));
    let failure = Failure {
        is_unsent: true,
        ..Failure::new(Cause::Unreachable, "said")
    };
    let unsent = Refused::because(failure, None, &create(), None);
    assert_eq!((unsent.may_pass, unsent.is_open), (true, false));
    assert_eq!(outcome(Cause::Service, Some("InternalFailure")), (true, true));
    assert_eq!(outcome(Cause::Malformed, None), (true, true), "an empty body, say");
    assert_eq!(outcome(Cause::Denied, Some("AccessDeniedException")), (false, false));
    assert_eq!(
        outcome(Cause::Credentials, Some("ExpiredTokenException")),
        (false, false)
    );
}
