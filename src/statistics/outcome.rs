//! How something ended, and how many ended so.

use serde::Serialize;

use crate::model::{FailureMode, HookStatus, RequestStatus};

/// How a request ended, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Succeeded,
    Failed,
    Cancelled,
    /// The service forgot it before its end was seen.
    Lost,
    /// It has not ended.
    Open,
}

impl Outcome {
    pub const ALL: [Self; 5] = [Self::Succeeded, Self::Failed, Self::Cancelled, Self::Lost, Self::Open];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
            Self::Open => "open",
        }
    }

    /// Of the status that was last seen, and whether the request was then lost. A word that this version does not know is no
    /// end.
    pub fn of_request(status: Option<&str>, is_lost: bool) -> Self {
        if is_lost {
            return Self::Lost;
        }
        match status.map(RequestStatus::from) {
            Some(RequestStatus::Success) => Self::Succeeded,
            Some(RequestStatus::Failed) => Self::Failed,
            Some(RequestStatus::CancelComplete) => Self::Cancelled,
            _ => Self::Open,
        }
    }
}

/// How an invocation of a hook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HookOutcome {
    Passed,
    /// It failed in FAIL mode, so the request was not let through.
    Blocked,
    /// It failed in WARN mode: in FAIL mode it would have blocked.
    Warned,
    /// It failed, and the service did not say in which mode, or in one that this version does not know.
    FailedInUnknownMode,
    /// Its end was not seen: it still runs, or its request was no longer looked at.
    Running,
}

impl HookOutcome {
    /// HOOK_FAILED, by which a hook says that it could not judge, counts as a failure as HOOK_COMPLETE_FAILED does: to the
    /// request it is one.
    pub fn of(status: Option<&str>, failure_mode: Option<&str>) -> Self {
        let status = status.map(HookStatus::from);
        match (status, failure_mode.map(FailureMode::from)) {
            (Some(HookStatus::CompleteSucceeded), _) => Self::Passed,
            (Some(status), mode) if status.is_failure() => match mode {
                Some(FailureMode::Fail) => Self::Blocked,
                Some(FailureMode::Warn) => Self::Warned,
                _ => Self::FailedInUnknownMode,
            },
            _ => Self::Running,
        }
    }

    /// The same in a request's words.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Passed => Outcome::Succeeded,
            Self::Blocked | Self::Warned | Self::FailedInUnknownMode => Outcome::Failed,
            Self::Running => Outcome::Open,
        }
    }
}

/// How many ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Outcomes {
    pub succeeded: u64,
    pub failed: u64,
    pub cancelled: u64,
    pub lost: u64,
    pub open: u64,
}

impl Outcomes {
    pub fn add(&mut self, outcome: Outcome) {
        *self.of_mut(outcome) += 1;
    }

    pub fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Succeeded => self.succeeded,
            Outcome::Failed => self.failed,
            Outcome::Cancelled => self.cancelled,
            Outcome::Lost => self.lost,
            Outcome::Open => self.open,
        }
    }

    fn of_mut(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Succeeded => &mut self.succeeded,
            Outcome::Failed => &mut self.failed,
            Outcome::Cancelled => &mut self.cancelled,
            Outcome::Lost => &mut self.lost,
            Outcome::Open => &mut self.open,
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for outcome in Outcome::ALL {
            *self.of_mut(outcome) += other.of(outcome);
        }
    }

    pub fn count(&self) -> u64 {
        Outcome::ALL.iter().map(|outcome| self.of(*outcome)).sum()
    }

    /// Those whose end is known. A lost one has ended too, but nobody knows how.
    pub fn ended(&self) -> u64 {
        self.succeeded + self.failed + self.cancelled
    }

    /// The part of the ended ones that failed, 0 to 1. `None` if none has ended: that is not the same as no failure.
    pub fn failed_share(&self) -> Option<f64> {
        let ended = self.ended();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share has no use for the 54th bit of a count"
        )]
        (ended > 0).then(|| self.failed as f64 / ended as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_by_its_status_unless_it_was_lost() {
        let of = |status| Outcome::of_request(status, false);
        assert_eq!(of(Some("SUCCESS")), Outcome::Succeeded);
        assert_eq!(of(Some("FAILED")), Outcome::Failed);
        assert_eq!(of(Some("CANCEL_COMPLETE")), Outcome::Cancelled);
        for open in [Some("IN_PROGRESS"), Some("CANCEL_IN_PROGRESS"), Some("?"), None] {
            assert_eq!(of(open), Outcome::Open, "{open:?}");
        }
        assert_eq!(Outcome::of_request(Some("PENDING"), true), Outcome::Lost);
    }

    #[test]
    fn a_failed_hook_blocks_or_warns_by_its_mode() {
        for failed in ["HOOK_COMPLETE_FAILED", "HOOK_FAILED"] {
            let of = |mode| HookOutcome::of(Some(failed), mode);
            assert_eq!(of(Some("FAIL")), HookOutcome::Blocked);
            assert_eq!(of(Some("WARN")), HookOutcome::Warned);
            assert_eq!(of(Some("SHRUG")), HookOutcome::FailedInUnknownMode);
            assert_eq!(of(None), HookOutcome::FailedInUnknownMode);
        }
        let passed = HookOutcome::of(Some("HOOK_COMPLETE_SUCCEEDED"), Some("FAIL"));
        assert_eq!(passed, HookOutcome::Passed);
        for running in [Some("HOOK_PENDING"), Some("HOOK_IN_PROGRESS"), Some("?"), None] {
            assert_eq!(HookOutcome::of(running, Some("FAIL")), HookOutcome::Running);
        }
    }

    #[test]
    fn the_failed_share_is_of_those_whose_end_is_known() {
        let outcomes = Outcomes {
            succeeded: 2,
            failed: 1,
            cancelled: 1,
            lost: 7,
            open: 9,
        };
        assert_eq!(outcomes.failed_share(), Some(0.25));
        assert_eq!(outcomes.count(), 20);
        assert_eq!(
            Outcomes {
                lost: 1,
                ..Outcomes::default()
            }
            .failed_share(),
            None
        );
    }
}
