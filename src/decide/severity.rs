//! Which of many changes is the worst, for a digest that can show but some.

use crate::model::{ChangeKind, FailureMode, HookStatus, RequestStatus};

/// How bad a change is, from 0 up. Compared, not shown.
pub fn severity(kind: &ChangeKind, to: Option<&str>, failure_mode: Option<&str>) -> u8 {
    match kind {
        ChangeKind::RequestLost => 4,
        ChangeKind::RequestStuck => 3,
        ChangeKind::HookStatus | ChangeKind::HookDetail => {
            if !to.is_some_and(|to| HookStatus::from(to).is_failure()) {
                0
            } else if failure_mode.map(FailureMode::from) == Some(FailureMode::Warn) {
                2
            } else {
                5
            }
        }
        ChangeKind::RequestStatus | ChangeKind::RequestDetail | ChangeKind::Other(_) => {
            match to.map(RequestStatus::from) {
                Some(RequestStatus::Failed) => 6,
                Some(RequestStatus::CancelInProgress | RequestStatus::CancelComplete) => 1,
                _ => 0,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_worse_than_what_may_fail_and_that_than_what_goes_on() {
        let hook = |to, mode| severity(&ChangeKind::HookStatus, Some(to), Some(mode));
        let request = |to| severity(&ChangeKind::RequestStatus, Some(to), None);
        let from_worst = [
            request("FAILED"),
            hook("HOOK_COMPLETE_FAILED", "FAIL"),
            severity(&ChangeKind::RequestLost, None, None),
            severity(&ChangeKind::RequestStuck, Some("IN_PROGRESS"), None),
            hook("HOOK_FAILED", "WARN"),
            request("CANCEL_COMPLETE"),
            request("SUCCESS"),
        ];
        assert!(
            from_worst.is_sorted_by(|worse, better| worse > better),
            "{from_worst:?}"
        );
        assert_eq!(hook("HOOK_IN_PROGRESS", "FAIL"), 0);
        assert_eq!(request("WORD_OF_TOMORROW"), 0);
    }
}
