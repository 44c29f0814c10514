//! What becomes of a delivery after an attempt: outcome × attempt → verdict.

use std::time::Duration;

use crate::model::{DeliveryId, Timestamp};

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

/// No delivery is given up before so many attempts, however old it is: after a weekend in which this machine was down,
/// everything that waits is too old at once, and one bad minute of the receiver's must not cost it. About three minutes'
/// worth of pauses.
const LEAST_ATTEMPTS: u32 = 5;

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

/// An attempt that was made, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// What it carried: one delivery, or all those of a digest.
    pub ids: Vec<DeliveryId>,
    /// 1 for the first.
    pub number: u32,
    pub began_at: Timestamp,
    pub took: Duration,
    pub verdict: Verdict,
    /// HTTP's or SMTP's status, or a program's exit code.
    pub answer_status: Option<u16>,
    /// The beginning of the answer, printable and without secrets.
    pub answer: Option<String>,
    /// Until when the receiver asked to be left alone.
    pub quiet_until: Option<Timestamp>,
    /// What the receiver keeps to find the request's living message again, where that is new.
    pub thread: Option<String>,
}

/// Judges attempt number `attempt` (1 for the first) of a delivery that has waited since `since`. `chance` is a number
/// from 0 to 1. A receiver's own Retry-After is obeyed where it is longer than the schedule, never shortened.
///
/// A failed delivery is given up once it has waited for `give_up_after` and was tried `LEAST_ATTEMPTS` times. Its age
/// now counts, not its age at the next attempt, which a long Retry-After would put beyond any limit: never sooner than
/// promised, and later by a pause at most.
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
            if attempt >= LEAST_ATTEMPTS && now.since(since) >= give_up_after {
                let error = format!("given up after {attempt} attempts: {error}");
                return Verdict::Dead { error };
            }
            let scheduled = pause(attempt).mul_f64(1.0 - JITTER + 2.0 * JITTER * chance);
            let at = now.plus(scheduled.max(retry_after.unwrap_or_default()));
            Verdict::RetryAt { at, error }
        }
    }
}

/// When one of a digest's deliveries is tried again that has now failed `attempts` times itself. The digest's own `at` follows from
/// the one that was tried the least; one that has waited longer keeps the pauses that it has reached, or what fails for hours
/// would be tried with each piece of news that comes meanwhile.
pub fn of_a_digest(at: Timestamp, attempts: u32, now: Timestamp) -> Timestamp {
    at.max(now.plus(pause(attempts).mul_f64(1.0 - JITTER)))
}

fn pause(attempt: u32) -> Duration {
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    PAUSES[index.min(PAUSES.len() - 1)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: Duration = Duration::from_hours(24);
    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn failed(retry_after: Option<u64>) -> Outcome {
        Outcome::Failed {
            error: "503".into(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    fn wait(attempt: u32, retry_after: Option<u64>, chance: f64) -> Duration {
        match verdict(failed(retry_after), attempt, NOW, NOW, DAY, chance) {
            Verdict::RetryAt { at, .. } => at.since(NOW),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn pauses_grow_from_a_second_to_an_hour() {
        let waits: Vec<_> = (1..=9).map(|attempt| wait(attempt, None, 0.5).as_secs()).collect();
        assert_eq!(waits, [1, 5, 30, 120, 600, 1800, 3600, 3600, 3600]);
    }

    #[test]
    fn in_a_digest_each_keeps_the_pauses_that_it_has_reached() {
        let at = |seconds| NOW.plus(Duration::from_secs(seconds));
        assert_eq!(of_a_digest(at(1), 1, NOW), at(1));
        assert_eq!(of_a_digest(at(1), 5, NOW), at(480));
        assert_eq!(of_a_digest(at(900), 5, NOW), at(900), "what the receiver asked for");
        proptest!(|(attempt in 1..20u32, chance in 0.0..=1.0)| {
            let alone = NOW.plus(wait(attempt, None, chance));
            prop_assert_eq!(of_a_digest(alone, attempt, NOW), alone);
        });
    }

    #[test]
    fn a_receivers_own_retry_after_only_ever_lengthens() {
        assert_eq!(wait(1, Some(90), 0.5), Duration::from_secs(90));
        assert_eq!(wait(7, Some(90), 0.5), Duration::from_hours(1));
    }

    #[test]
    fn what_is_rejected_or_too_old_is_dead_with_its_reason() {
        let rejected = Outcome::Rejected { error: "404".into() };
        assert_eq!(
            verdict(rejected, 1, NOW, NOW, DAY, 0.5),
            Verdict::Dead { error: "404".into() }
        );
        let old = verdict(failed(None), 30, NOW.minus(DAY), NOW, DAY, 0.5);
        assert_eq!(
            old,
            Verdict::Dead {
                error: "given up after 30 attempts: 503".into()
            }
        );
    }

    #[test]
    fn what_waited_long_is_not_given_up_before_it_was_tried_a_few_times() {
        let weekend = NOW.minus(DAY * 3);
        for attempt in 1..LEAST_ATTEMPTS {
            let verdict = verdict(failed(None), attempt, weekend, NOW, DAY, 0.5);
            assert!(matches!(verdict, Verdict::RetryAt { .. }), "{attempt}: {verdict:?}");
        }
        let last = verdict(failed(None), LEAST_ATTEMPTS, weekend, NOW, DAY, 0.5);
        assert!(matches!(last, Verdict::Dead { .. }), "{last:?}");
    }

    #[test]
    fn nothing_is_given_up_before_its_time_however_long_the_next_pause() {
        let almost_a_day = NOW.minus(DAY).plus(Duration::from_millis(1));
        for retry_after in [None, Some(24 * 3600)] {
            let verdict = verdict(failed(retry_after), 30, almost_a_day, NOW, DAY, 1.0);
            assert!(matches!(verdict, Verdict::RetryAt { .. }), "{verdict:?}");
        }
    }

    proptest! {
        #[test]
        fn chance_moves_a_pause_by_a_fifth_at_most(attempt in 0u32.., chance in 0.0..=1.0f64) {
            let middle = wait(attempt, None, 0.5).as_secs_f64();
            let moved = wait(attempt, None, chance).as_secs_f64();
            prop_assert!((moved - middle).abs() <= middle * 0.2 + 0.001);
        }
    }
}
