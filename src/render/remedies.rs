//! What a failure means, and what is usually done about it.
//!
//! One or two short sentences each: who reads them is looking at a phone. What AWS's documentation calls retriable is said
//! to be worth sending again; what it calls terminal is not, until something was changed. Nothing is invented for a code
//! that this version does not know: the service's own message stands alone then.
//!
//! <https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html>,
//! <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ProgressEvent.html>,
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_HookResultSummary.html>

use crate::model::{ErrorCode, FailureMode, HookStatus};

/// Of a request that failed.
pub(super) fn of_request(code: &ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::NotUpdatable => {
            "It was to change a property that can only be set when the resource is created. Leave that property as it is, \
             or replace the resource."
        }
        ErrorCode::InvalidRequest => {
            "The resource's type or its service does not accept the input. Correct the desired state or the patch as the \
             reason says."
        }
        ErrorCode::AccessDenied => {
            "Whoever sent the request lacks a permission. Grant what the reason names, to the caller or to the role that \
             it passed."
        }
        ErrorCode::UnauthorizedTaggingOperation => {
            "Whoever sent the request may not tag such a resource. Grant the type's tagging permissions, or leave its tags \
             alone."
        }
        ErrorCode::InvalidCredentials => {
            "The credentials that the request was carried out with are not valid, or no longer. Renew them, or check the \
             role that it passed, and send it again."
        }
        ErrorCode::AlreadyExists => {
            "Such a resource was there before. Choose another name, or update the one that exists."
        }
        ErrorCode::NotFound => {
            "There is no such resource, or it is beyond repair. Check its identifier, and the account and Region; to \
             delete it, nothing is left to do."
        }
        ErrorCode::ResourceConflict => {
            "Something else is being done to the resource, or to one that it depends on. Send the request again when that \
             is done."
        }
        ErrorCode::Throttling => {
            "The resource's service was asked too much at once. Send the request again later, with fewer beside it."
        }
        ErrorCode::ServiceLimitExceeded => {
            "A quota of the resource's service is used up, which waiting does not mend. Have it raised in Service Quotas, \
             or delete what is not needed."
        }
        ErrorCode::NotStabilized => {
            "The resource did not become ready, though it may exist. Look at the state that its own service shows, before \
             you send the request again or delete it."
        }
        ErrorCode::GeneralServiceException => {
            "The resource's service gave an error for which Cloud Control has no code; hooks that refuse a request are \
             told so too. Go by the reason's own words."
        }
        ErrorCode::ServiceInternalError => {
            "The resource's service failed inside. Send the request again in a while; if it goes on, look at the AWS \
             Health Dashboard."
        }
        ErrorCode::ServiceTimeout => {
            "The resource's service did not answer in time, and may have done it all the same. Look at the resource before \
             you send the request again."
        }
        ErrorCode::NetworkFailure => {
            "The connection to the resource's service broke, so that its answer is missing. See what was done, and send \
             the request again."
        }
        ErrorCode::InternalFailure => {
            "The code behind the resource's type failed. If it does so again with the same input, tell the type's \
             publisher: AWS, or a third party."
        }
        ErrorCode::Other(_) => return None,
    })
}

/// Of a hook that failed with this status, by its failure mode.
pub(super) fn of_hook(status: &HookStatus, mode: Option<&str>) -> Option<&'static str> {
    let mode = mode.map(FailureMode::from);
    Some(match (status, mode) {
        (HookStatus::CompleteFailed, Some(FailureMode::Fail)) => {
            "The request breaks its rule. Its failure mode is FAIL: the request fails with it. Correct what the reason \
             names, and send the request again."
        }
        (HookStatus::CompleteFailed, Some(FailureMode::Warn)) => {
            "The request breaks its rule. Its failure mode is WARN: the request goes on regardless. Correct what the \
             reason names before someone sets the hook to FAIL."
        }
        (HookStatus::CompleteFailed, _) => "The request breaks its rule. Correct what the reason names.",
        (HookStatus::Failed, Some(FailureMode::Fail)) => {
            "It broke down, so that nothing was judged. Its failure mode is FAIL: the request fails with it. Look at its \
             log and its execution role, then send the request again."
        }
        (HookStatus::Failed, Some(FailureMode::Warn)) => {
            "It broke down, so that nothing was judged. Its failure mode is WARN: the request goes on regardless. Look at \
             its log and its execution role: what it guards is unguarded."
        }
        (HookStatus::Failed, _) => "It broke down, so that nothing was judged. Look at its log and its execution role.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::printable;

    /// Together with what else a message may have to say, this stays within what a phone shows and Slack takes.
    const LONGEST: usize = 220;

    #[test]
    fn every_known_error_code_and_failed_hook_has_a_remedy_of_its_own() {
        let codes = ErrorCode::KNOWN.iter().map(|code| of_request(&ErrorCode::from(*code)));
        let modes = FailureMode::KNOWN.iter().map(|mode| Some(*mode)).chain([None]);
        let hooks = modes
            .flat_map(|mode| [HookStatus::CompleteFailed, HookStatus::Failed].map(|status| of_hook(&status, mode)));
        let all: Vec<&str> = codes.chain(hooks).map(Option::unwrap).collect();
        assert_eq!(all.len(), 16 + 6);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        for remedy in all {
            assert!(remedy.len() <= LONGEST && remedy.ends_with('.'), "{remedy}");
            assert_eq!(printable(remedy), remedy);
            assert!(!remedy.contains("  "), "{remedy}");
        }
    }

    #[test]
    fn what_is_not_known_and_what_did_not_fail_has_none() {
        assert_eq!(of_request(&ErrorCode::from("Exhausted")), None);
        for status in HookStatus::KNOWN.iter().map(|word| HookStatus::from(*word)) {
            let has_one = of_hook(&status, Some("FAIL")).is_some();
            assert_eq!(has_one, status.is_failure(), "{status}");
        }
        // A failure mode that is not known changes nothing about what the hook found.
        assert_eq!(
            of_hook(&HookStatus::Failed, Some("MAYBE")),
            of_hook(&HookStatus::Failed, None)
        );
    }
}
