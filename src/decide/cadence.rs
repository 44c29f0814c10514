//! When to look at a request again.
//!
//! RetryAfter is a promise in one direction only: "when to next request the status". It may lie in the past, be absent,
//! or be far away (trap 1), and it is on the server's clock (trap 2), as is `now` here; an age is a length of ours. So:
//!
//! - never before RetryAfter (law 5), and an open request never within `min_look_every` of its last look: no answer makes
//!   a hot loop;
//! - with no RetryAfter ahead, after a tenth of the request's age, within `min_look_every` and `max_look_every`: a young
//!   request is likely to move soon, one that has stood for an hour is not;
//! - a request whose status is an unknown word is in no list but a sweep's: it is looked at each `max_look_every`;
//! - a RetryAfter far ahead is obeyed, which silences nothing: discovery lists every open request at least each
//!   `idle_every`, and a sweep shows how it ended. Only the seven days end it, since after them the token is unknown
//!   whatever was said;
//! - a little later than asked, by chance, so that requests that were started together do not stay in step.

use std::time::Duration;

use crate::decide::diff::{FINAL_LOOKS, RETENTION};
use crate::model::{Phase, Standing, Timestamp};

/// How often to look, as configured under `[poll]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// Between two discoveries while a target has open requests or recent news.
    pub discover_every: Duration,
    /// Between two discoveries while it has none.
    pub idle_every: Duration,
    /// Between two full sweeps.
    pub sweep_every: Duration,
    /// The least time between two looks at one request.
    pub min_look_every: Duration,
    /// The most time between two looks at a request that gives no RetryAfter.
    pub max_look_every: Duration,
    /// The most calls a second that a target may use.
    pub max_calls_per_second: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            discover_every: Duration::from_secs(10),
            idle_every: Duration::from_mins(1),
            sweep_every: Duration::from_mins(5),
            min_look_every: Duration::from_secs(1),
            max_look_every: Duration::from_mins(5),
            max_calls_per_second: 5.0,
        }
    }
}

/// The next look at a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextLook {
    /// On the server's clock.
    pub at: Timestamp,
    pub why: Why,
}

/// Why a request is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The service said when.
    RetryAfter,
    /// It did not, so its age does.
    Age,
    /// It has ended, and its hooks are worth another Get.
    FinalLook,
    /// Its hooks are read for the history alone: it had ended before its target was first swept.
    BackFill,
    /// Its token was unknown, which may pass.
    Gone,
    /// Its status is not among those that a list can be asked for.
    Unlisted,
}

/// Waits before each of the final looks, the first at once.
const FINAL_LOOK_WAITS: [Duration; FINAL_LOOKS as usize] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
];

/// The time between two looks at a token that was unknown, times how often it was.
const GONE_WAIT: Duration = Duration::from_mins(1);

/// What chance adds to a RetryAfter at the most.
const RETRY_AFTER_SPREAD: Duration = Duration::from_millis(100);

/// When to look next, `now` being the server's time at the last look, `age` the time since the request was first seen, and
/// `chance` a number from 0 to 1. `None`: never again.
pub fn next_look(standing: &Standing, pace: &Pace, now: Timestamp, age: Duration, chance: f64) -> Option<NextLook> {
    let soonest = now.plus(pace.min_look_every);
    match standing.phase {
        Phase::Lost => None,
        Phase::Finished => {
            let left = usize::try_from(standing.final_looks_left)
                .ok()
                .filter(|left| *left > 0)?;
            let wait = FINAL_LOOK_WAITS[FINAL_LOOK_WAITS.len().saturating_sub(left)];
            let why = if standing.announced {
                Why::FinalLook
            } else {
                Why::BackFill
            };
            Some(NextLook {
                at: now.plus(wait),
                why,
            })
        }
        Phase::Open if standing.gone_looks > 0 => {
            let at = now
                .plus(GONE_WAIT * standing.gone_looks)
                .max(standing.retry_after.unwrap_or_default());
            Some(NextLook {
                at: at.max(soonest),
                why: Why::Gone,
            })
        }
        Phase::Open => {
            let ahead = standing.retry_after.filter(|time| *time > now);
            let unhinted = now.plus(unhinted_wait(standing, pace, age).mul_f64(1.0 + 0.2 * chance));
            let Some(time) = ahead else {
                let why = if standing.is_unlisted { Why::Unlisted } else { Why::Age };
                return Some(NextLook { at: unhinted, why });
            };
            let expires = now.plus(RETENTION.saturating_sub(age)).max(soonest);
            let at = time.max(soonest).plus(RETRY_AFTER_SPREAD.mul_f64(chance));
            Some(NextLook {
                at: at.min(expires),
                why: Why::RetryAfter,
            })
        }
    }
}

fn unhinted_wait(standing: &Standing, pace: &Pace, age: Duration) -> Duration {
    let longest = pace.max_look_every.max(pace.min_look_every);
    if standing.is_unlisted {
        longest
    } else {
        (age / 10).clamp(pace.min_look_every, longest)
    }
}

/// How long until the next discovery.
pub fn next_discovery(pace: &Pace, open_requests: usize, since_news: Duration) -> Duration {
    /// News makes more news likely: one who deploys seldom makes one request.
    const NEWS_KEEPS_AWAKE: Duration = Duration::from_mins(5);
    if open_requests > 0 || since_news < NEWS_KEEPS_AWAKE {
        pace.discover_every
    } else {
        pace.idle_every
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{RequestKey, RequestToken, TargetId};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn standing(phase: Phase) -> Standing {
        Standing {
            key: RequestKey {
                target: TargetId(1),
                token: RequestToken::new("t"),
            },
            phase,
            final_looks_left: 0,
            gone_looks: 0,
            is_unlisted: false,
            hooks_pending: false,
            announced: true,
            retry_after: None,
            first_seen_at: NOW,
        }
    }

    fn wait(standing: &Standing) -> Option<Duration> {
        let age = NOW.since(standing.first_seen_at);
        next_look(standing, &Pace::default(), NOW, age, 0.0).map(|next| next.at.since(NOW))
    }

    #[test]
    fn retry_after_is_obeyed_near_and_far_until_the_token_expires() {
        let hinted = |after: Duration| Standing {
            retry_after: Some(NOW.plus(after)),
            ..standing(Phase::Open)
        };
        assert_eq!(wait(&hinted(Duration::from_secs(5))), Some(Duration::from_secs(5)));
        assert_eq!(wait(&hinted(Duration::from_hours(2))), Some(Duration::from_hours(2)));
        assert_eq!(wait(&hinted(Duration::from_hours(24 * 3650))), Some(RETENTION));
        // Nearer than the least time between two looks.
        assert_eq!(wait(&hinted(Duration::from_millis(10))), Some(Duration::from_secs(1)));
    }

    #[test]
    fn without_a_retry_after_ahead_the_age_decides() {
        let aged = |age: Duration| Standing {
            first_seen_at: NOW.minus(age),
            retry_after: Some(NOW.minus(Duration::from_secs(1))),
            ..standing(Phase::Open)
        };
        assert_eq!(wait(&aged(Duration::ZERO)), Some(Duration::from_secs(1)));
        assert_eq!(wait(&aged(Duration::from_mins(5))), Some(Duration::from_secs(30)));
        assert_eq!(wait(&aged(Duration::from_hours(24))), Some(Duration::from_mins(5)));
        let unknown = Standing {
            is_unlisted: true,
            ..aged(Duration::ZERO)
        };
        assert_eq!(wait(&unknown), Some(Duration::from_mins(5)));
    }

    #[test]
    fn final_looks_are_spread_and_come_to_an_end() {
        let finished = |left| Standing {
            final_looks_left: left,
            ..standing(Phase::Finished)
        };
        let waits: Vec<_> = (0..=FINAL_LOOKS)
            .rev()
            .map(|left| wait(&finished(left)).map(|wait| wait.as_secs()))
            .collect();
        assert_eq!(waits, [Some(0), Some(5), Some(30), Some(120), Some(600), None]);
        assert_eq!(wait(&standing(Phase::Lost)), None);
    }

    #[test]
    fn an_idle_target_is_discovered_less_often_than_a_busy_one() {
        let pace = Pace::default();
        assert_eq!(next_discovery(&pace, 1, Duration::MAX), pace.discover_every);
        assert_eq!(next_discovery(&pace, 0, Duration::from_mins(1)), pace.discover_every);
        assert_eq!(next_discovery(&pace, 0, Duration::from_hours(1)), pace.idle_every);
    }

    proptest! {
        /// Trap 1 and law 5, for any answer: not before RetryAfter, not in a hot loop, not never.
        #[test]
        fn no_answer_makes_a_look_early_hot_or_never(
            retry_after in prop::option::of(any::<i64>()),
            age in 0u64..,
            gone_looks in 0..3u32,
            chance in 0.0..1.0f64,
        ) {
            let standing = Standing {
                retry_after: retry_after.map(Timestamp::from_millis),
                gone_looks,
                ..standing(Phase::Open)
            };
            let pace = Pace::default();
            let age = Duration::from_millis(age);
            let next = next_look(&standing, &pace, NOW, age, chance).unwrap();
            prop_assert!(next.at >= NOW.plus(pace.min_look_every));
            let expired = next.at >= NOW.plus(RETENTION.saturating_sub(age));
            prop_assert!(expired || standing.retry_after.is_none_or(|time| next.at >= time));
        }
    }
}
