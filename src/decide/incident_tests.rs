use super::*;
use crate::model::Timestamp;

fn change(kind: ChangeKind, to: &str) -> Change {
    Change {
        kind,
        at: Timestamp::default(),
        event_time: None,
        from: None,
        to: (!to.is_empty()).then(|| to.to_owned()),
        error_code: None,
        message: None,
        hook: None,
    }
}

#[test]
fn every_kind_and_status_has_its_bearing() {
    use ChangeKind::{HookDetail, HookStatus, RequestDetail, RequestLost, RequestStatus, RequestStuck};
    let opens = |by_hook| Some(Bearing::Opens { by_hook });
    let success = Some(Bearing::Resolves(Ending::Success));
    let cancelled = Some(Bearing::Resolves(Ending::Cancelled));
    for (kind, to, expected) in [
        (RequestStatus, "FAILED", opens(false)),
        (RequestStatus, "SUCCESS", success),
        (RequestStatus, "CANCEL_COMPLETE", cancelled),
        (RequestStatus, "PENDING", None),
        (RequestStatus, "IN_PROGRESS", None),
        (RequestStatus, "CANCEL_IN_PROGRESS", None),
        (RequestStatus, "SOMETHING_NEW", None),
        (RequestStatus, "", None),
        (RequestLost, "", opens(false)),
        (RequestStuck, "IN_PROGRESS", opens(false)),
        (RequestStuck, "", opens(false)),
        // Another message of what had already failed, or succeeded, is told with it.
        (RequestDetail, "FAILED", None),
        (RequestDetail, "SUCCESS", None),
        (HookStatus, "HOOK_COMPLETE_FAILED", opens(true)),
        (HookStatus, "HOOK_FAILED", opens(true)),
        // A hook that is content says nothing about the resource.
        (HookStatus, "HOOK_COMPLETE_SUCCEEDED", None),
        (HookStatus, "HOOK_IN_PROGRESS", None),
        (HookStatus, "", None),
        (HookDetail, "HOOK_COMPLETE_FAILED", None),
    ] {
        assert_eq!(bearing(&change(kind.clone(), to)), expected, "{kind} {to}");
    }
}

#[test]
fn an_end_resolves_what_it_mends() {
    // What opened it last; whether a success, and whether a cancel, of the request in question resolves it.
    for (opened_by_request, by_hook, success, cancelled) in [
        // An earlier request failed, was lost, or was stuck.
        (false, false, true, false),
        // A hook of an earlier request found fault, and none of this one did.
        (false, true, true, false),
        // This request was stuck.
        (true, false, true, true),
        // A hook of this request found fault: what it found is still there.
        (true, true, false, false),
    ] {
        let open = OpenIncident {
            opened_by_request,
            by_hook,
        };
        assert_eq!(Ending::Success.resolves(&open), success, "{open:?}");
        assert_eq!(Ending::Cancelled.resolves(&open), cancelled, "{open:?}");
    }
}
