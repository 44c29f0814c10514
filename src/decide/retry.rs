//! What becomes of a delivery after an attempt: outcome × attempt → verdict.

use std::time::Duration;

use crate::model::Timestamp;

/// The pauses after the first, second, … failed attempt; the last one repeats. Short at first, since most failures
/// pass in seconds; never long enough to be late for a morning's work.
const PAUSES: [Duration; 7] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_mins(30),
    Duration::from_hours(1),
];

/// How far chance moves a pause either way, so that what failed together does not return together.
const JITTER: f64 = 0.2;

/// How an attempt to deliver ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver said that it has it.
    Accepted,
    /// It may work later. `retry_after` is what the receiver asked for, if it did.
    Failed {
        error: String,
        retry_after: Option<Duration>,
    },
    /// It will not work, however often it is tried: a malformed message, a revoked address.
    Rejected { error: String },
}

/// What becomes of the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Sent,
    RetryAt {
        at: Timestamp,
        error: String,
    },
    /// Given up, with the reason.
    Dead {
        error: String,
    },
}

/// Judges attempt number `attempt` (1 for the first) of a delivery that has waited since `since`. `chance` is a number
/// from 0 to 1. A receiver's own Retry-After is obeyed where it is longer than the schedule, never shortened.
pub fn verdict(
    outcome: Outcome,
    attempt: u32,
    since: Timestamp,
    now: Timestamp,
    give_up_after: Duration,
    chance: f64,
) -> Verdict {
    match outcome {
        Outcome::Accepted => Verdict::Sent,
        Outcome::Rejected { error } => Verdict::Dead { error },
        Outcome::Failed { error, retry_after } => {
            let scheduled = pause(attempt).mul_f64(1.0 - JITTER + 2.0 * JITTER * chance);
            let at = now.plus(scheduled.max(retry_after.unwrap_or_default()));
            if at.since(since) > give_up_after {
                let error = format!("given up after {attempt} attempts: {error}");
                return Verdict::Dead { error };
            }
            Verdict::RetryAt { at, error }
        }
    }
}

fn pause(attempt: u32) -> Duration {
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    PAUSES[index.min(PAUSES.len() - 1)]
}
