//! How following ended, and what exit code says so.

use serde::{Serialize, Serializer};

use crate::decide::diff::FINAL_LOOKS;
use crate::model::{Phase, RequestStatus, Standing};

/// How a request, or all that were followed, came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Outcome {
    Success,
    Failed,
    /// CANCEL_COMPLETE.
    Cancelled,
    /// Cloud Control forgot it before it was seen to end: how it ended is not known.
    Lost,
    /// How it stands can't be learnt.
    Unseen,
    /// It had not ended when the time was up.
    Open,
}

/// For --help: what [`Outcome::exit_code`] says.
pub(in crate::cli) const EXIT_CODES: &str = "Exit codes:
  0    every request ended as SUCCESS
  1    a request FAILED, or how it stands could not be learnt
  3    a request was cancelled (CANCEL_COMPLETE), and none FAILED
  4    a request was lost: Cloud Control forgot it before it was seen to end
  124  the time given by --timeout was up
  130  ended by Ctrl-C (143: by SIGTERM); the requests go on";

/// The same of a cancel, which succeeds where the request does not.
pub(in crate::cli) const EXIT_CODES_OF_CANCEL: &str = "Exit codes:
  0    the request was cancelled (CANCEL_COMPLETE), now or before; with --no-wait: it will be
  1    it ended as SUCCESS or FAILED before that, or how it stands could not be learnt
  4    it was lost: Cloud Control forgot it before it was seen to end
  124  the time given by --timeout was up
  130  ended by Ctrl-C (143: by SIGTERM); the request goes on to its end";

impl Outcome {
    /// 124 is timeout(1)'s.
    pub(in crate::cli) fn exit_code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed | Self::Unseen => 1,
            Self::Cancelled => 3,
            Self::Lost => 4,
            Self::Open => 124,
        }
    }

    pub(super) fn of(phase: Phase, status: Option<&str>) -> Self {
        match (phase, status.map(RequestStatus::from)) {
            (Phase::Lost, _) => Self::Lost,
            (Phase::Finished, Some(RequestStatus::Success)) => Self::Success,
            (Phase::Finished, Some(RequestStatus::CancelComplete)) => Self::Cancelled,
            (Phase::Finished, _) => Self::Failed,
            (Phase::Open, _) => Self::Open,
        }
    }

    /// Of several, the one that matters most.
    pub(in crate::cli) fn of_all(outcomes: impl IntoIterator<Item = Self>) -> Self {
        let weight = |outcome: &Self| match outcome {
            Self::Success => 0,
            Self::Cancelled => 1,
            Self::Lost => 2,
            Self::Open => 3,
            Self::Unseen => 4,
            Self::Failed => 5,
        };
        outcomes.into_iter().max_by_key(weight).unwrap_or(Self::Success)
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
            Self::Unseen => "unseen",
            Self::Open => "open",
        })
    }
}

/// Whether nothing more is to be waited for: it has ended, and if hooks guard it, it was looked at once more since. Fast
/// hooks, and the failures of those in WARN mode, are in that look alone (trap 4).
pub(super) fn is_told(standing: &Standing) -> bool {
    match standing.phase {
        Phase::Open => false,
        Phase::Finished => standing.final_looks_left < FINAL_LOOKS,
        Phase::Lost => true,
    }
}

#[cfg(test)]
mod tests {
    use tokio::signal::unix::SignalKind;

    use super::*;
    use crate::cli::Failure;
    use crate::model::{RequestKey, RequestToken, TargetId, Timestamp};

    #[test]
    fn a_failure_outweighs_all_and_success_is_of_all() {
        use Outcome::{Cancelled, Failed, Lost, Open, Success, Unseen};
        assert_eq!(Outcome::of_all([]), Success);
        assert_eq!(Outcome::of_all([Success, Cancelled, Success]), Cancelled);
        assert_eq!(Outcome::of_all([Cancelled, Lost]), Lost);
        assert_eq!(Outcome::of_all([Lost, Open, Success]), Open);
        assert_eq!(Outcome::of_all([Open, Unseen, Lost]), Unseen);
        assert_eq!(Outcome::of_all([Open, Failed, Unseen]), Failed);
    }

    #[test]
    fn the_help_tells_every_exit_code() {
        use Outcome::{Cancelled, Failed, Lost, Open, Success, Unseen};
        for outcome in [Success, Failed, Unseen, Cancelled, Lost, Open] {
            let line = format!("\n  {:<3}  ", outcome.exit_code());
            assert!(EXIT_CODES.contains(&line), "{outcome:?}");
        }
        for (signal, words) in [
            (SignalKind::interrupt(), "130  ended by Ctrl-C"),
            (SignalKind::terminate(), "143: by SIGTERM"),
        ] {
            let code = Failure::Interrupted(signal).exit_code().to_string();
            assert!(words.starts_with(&code) && EXIT_CODES.contains(words), "{code}");
        }
    }

    #[test]
    fn a_guarded_request_is_told_after_one_more_look() {
        let standing = |phase, final_looks_left| Standing {
            key: RequestKey {
                target: TargetId(1),
                token: RequestToken::new("t"),
            },
            phase,
            final_looks_left,
            gone_looks: 0,
            is_unlisted: false,
            hooks_pending: false,
            announced: true,
            retry_after: None,
            first_seen_at: Timestamp::default(),
        };
        assert!(!is_told(&standing(Phase::Open, 0)));
        assert!(!is_told(&standing(Phase::Finished, FINAL_LOOKS)));
        assert!(is_told(&standing(Phase::Finished, FINAL_LOOKS - 1)));
        assert!(is_told(&standing(Phase::Finished, 0)));
        assert!(is_told(&standing(Phase::Lost, 0)));
    }

    #[test]
    fn an_unknown_status_that_ended_is_no_success() {
        assert_eq!(Outcome::of(Phase::Finished, Some("SUCCESS")), Outcome::Success);
        assert_eq!(Outcome::of(Phase::Finished, None), Outcome::Failed);
        assert_eq!(Outcome::of(Phase::Open, Some("HIBERNATING")), Outcome::Open);
        assert_eq!(Outcome::of(Phase::Lost, Some("PENDING")), Outcome::Lost);
    }
}
