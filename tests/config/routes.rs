//! `[[routes]]`.

use crate::assert_problems;

/// A route leads somewhere, and its patterns can match.
#[test]
fn routes() {
    assert_problems(
        r#"[[routes]]
name = "a"
[[routes]]
name = "b"
to = []
[[routes]]
name = "c"
to = ["lug", "log", "log"]
"#,
        r#"1:1: routes[0].to: missing; expected the name of a receiver, or several in an array
5:6: routes[1].to: expected the name of a receiver, or several in an array, found an empty array
8:7: routes[2].to[0]: no receiver is named "lug" (did you mean "log"?); known are log
8:21: routes[2].to[2]: "log" is named twice"#,
    );
    assert_problems(
        r#"[[routes]]
name = "a"
to = "log"
kind = ["request.statu", "hooks.*"]
status = ["failed", "FAIL*", "!SUCESS", "NEW_*"]
from = ["", "!"]
"#,
        r#"4:9: routes[0].kind[0]: no kind of change matches "request.statu" (did you mean "request.status"?); known are {kinds}
4:26: routes[0].kind[1]: no kind of change matches "hooks.*"; known are {kinds}
5:11: routes[0].status[0]: no status matches "failed" (did you mean "FAILED"?); known are PENDING, IN_PROGRESS, SUCCESS, FAILED, CANCEL_IN_PROGRESS, CANCEL_COMPLETE, HOOK_PENDING, HOOK_IN_PROGRESS, HOOK_COMPLETE_SUCCEEDED, HOOK_COMPLETE_FAILED, HOOK_FAILED
5:30: routes[0].status[2]: no status matches "SUCESS" (did you mean "SUCCESS"?); known are PENDING, IN_PROGRESS, SUCCESS, FAILED, CANCEL_IN_PROGRESS, CANCEL_COMPLETE, HOOK_PENDING, HOOK_IN_PROGRESS, HOOK_COMPLETE_SUCCEEDED, HOOK_COMPLETE_FAILED, HOOK_FAILED
6:9: routes[0].from[0]: expected a pattern, found ""
6:13: routes[0].from[1]: expected a pattern, found "!""#,
    );
    assert_problems(
        r#"[[routes]]
name = "a"
to = "log"
operation = "CREAT"
error_code = "Throttled"
failure_mode = "fail"
"#,
        r#"4:13: routes[0].operation: no operation matches "CREAT" (did you mean "CREATE"?); known are CREATE, UPDATE, DELETE
5:14: routes[0].error_code: no error code matches "Throttled" (did you mean "Throttling"?); known are NotUpdatable, InvalidRequest, AccessDenied, UnauthorizedTaggingOperation, InvalidCredentials, AlreadyExists, NotFound, ResourceConflict, Throttling, ServiceLimitExceeded, NotStabilized, GeneralServiceException, ServiceInternalError, ServiceTimeout, NetworkFailure, InternalFailure
6:16: routes[0].failure_mode: no failure mode matches "fail" (did you mean "FAIL"?); known are FAIL, WARN"#,
    );
    assert_problems(
        r#"[[routes]]
name = "a"
to = "log"
target = ["prd", "prod/eu-west-2", "pro*", "!prod"]
region = ["eu-west-2", "us-*"]
"#,
        r#"4:11: routes[0].target[0]: no target matches "prd" (did you mean "prod"?); known are prod, prod/eu-west-1
4:18: routes[0].target[1]: no target matches "prod/eu-west-2" (did you mean "prod/eu-west-1"?); known are prod, prod/eu-west-1
5:11: routes[0].region[0]: no target's Region matches "eu-west-2" (did you mean "eu-west-1"?); known are eu-west-1
5:24: routes[0].region[1]: no target's Region matches "us-*"; known are eu-west-1"#,
    );
    assert_problems(
        r#"[[routes]]
name = "a"
to = "log"
type_name = ["S3", "AWS::S3::*", "*"]
hook_type_name = []
"#,
        r#"4:14: routes[0].type_name[0]: no type is named "S3": expected a whole name, such as "AWS::S3::Bucket", or a pattern, such as "AWS::S3::*"
5:18: routes[0].hook_type_name: expected a pattern, or several in an array, found an empty array"#,
    );
}
