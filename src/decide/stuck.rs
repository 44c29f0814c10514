//! Whether an open request is stuck, and when to remind of it.
//!
//! "Stuck" is a guess, and one that is wrong too often is soon ignored. So it is held against what such requests usually
//! take: the 99th percentile of the same type and operation, and half of that on top, since one in a hundred is beyond
//! the percentile by its very definition. Never before [`SOONEST`]: by then no one has begun to wait. With fewer than
//! [`FEWEST_SAMPLES`] to learn from, the age that was configured counts. (A mean and its deviation would not do: a few long
//! ones move both, and how long requests take is far from normal.)
//!
//! A request can also be stuck while it is young: when the time at which the service wanted to be asked again is long past
//! and it still says the same.
//!
//! Ask right after a look that found the request open. A request is not stuck because no one looked at it.

use std::fmt;
use std::time::Duration;

use humantime::format_duration;

use crate::model::Timestamp;

/// So many requests must have ended before their durations say what is usual.
pub const FEWEST_SAMPLES: usize = 20;

/// What is usual says of no request that it is stuck before it is that old.
pub const SOONEST: Duration = Duration::from_mins(1);

/// How much longer than the 99th percentile: half of it.
const TOLERANCE: f64 = 1.5;

/// A RetryAfter that is past for so long should have been followed by something. It is on the server's clock, and a busy
/// service may be late itself: ten minutes are beyond both.
pub const RETRY_AFTER_LONG_PAST: Duration = Duration::from_mins(10);

/// How long requests of one type and operation took that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// Half of them took no longer.
    pub p50: Duration,
    /// 99 % of them took no longer.
    pub p99: Duration,
    pub samples: u32,
}

/// What is usual, from how long each request took, in any order; `None` for fewer than [`FEWEST_SAMPLES`]. Sorts a part
/// of them.
///
/// The percentiles are samples themselves (nearest rank), so below a hundred the 99th is the longest.
pub fn usual(durations: &mut [Duration]) -> Option<Usual> {
    if durations.len() < FEWEST_SAMPLES {
        return None;
    }
    let mut percentile = |percent: usize| {
        let rank = (durations.len() * percent).div_ceil(100);
        *durations.select_nth_unstable(rank - 1).1
    };
    Some(Usual {
        p50: percentile(50),
        p99: percentile(99),
        samples: u32::try_from(durations.len()).unwrap_or(u32::MAX),
    })
}

/// How long a request may take before someone should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The age at which a request is stuck of whose like too few have ended. `None`: no request is ever called stuck, not
    /// for any reason.
    pub stuck_after: Option<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            stuck_after: Some(Duration::from_hours(1)),
        }
    }
}

/// Why a request is stuck, in the words that people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Such requests usually take less.
    Unusual { age: Duration, usual: Usual },
    /// Older than the configured age.
    Old { age: Duration, stuck_after: Duration },
    /// RetryAfter is so long past, and nothing changed.
    Silent { for_so_long: Duration },
}

/// Whether a request that is open is stuck, and why.
///
/// `started_at` is its start, or when it was first seen; `retry_after` the newest one that the service gave;
/// `last_change_at` when ccwatch last saw it change, its hooks included.
pub fn is_stuck(
    now: Timestamp,
    started_at: Timestamp,
    retry_after: Option<Timestamp>,
    last_change_at: Timestamp,
    usual: Option<Usual>,
    patience: Patience,
) -> Option<Reason> {
    let stuck_after = patience.stuck_after?;
    let age = now.since(started_at);
    let too_old = match usual {
        Some(usual) => (age > usual.limit()).then_some(Reason::Unusual { age, usual }),
        None => (age > stuck_after).then_some(Reason::Old { age, stuck_after }),
    };
    too_old.or_else(|| {
        let retry_after = retry_after.filter(|retry_after| last_change_at <= *retry_after)?;
        let for_so_long = now.since(retry_after);
        (for_so_long >= RETRY_AFTER_LONG_PAST).then_some(Reason::Silent { for_so_long })
    })
}

impl Usual {
    /// The age above which a request is unusual.
    fn limit(&self) -> Duration {
        Duration::try_from_secs_f64(self.p99.as_secs_f64() * TOLERANCE)
            .map_or(Duration::MAX, |limit| limit.max(SOONEST))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusual { age, usual } => write!(
                f,
                "open for {}; of {} such requests 99 % took at most {}",
                spoken(*age),
                usual.samples,
                spoken(usual.p99)
            ),
            Self::Old { age, stuck_after } => write!(
                f,
                "open for {}, longer than the configured {}",
                spoken(*age),
                format_duration(*stuck_after)
            ),
            Self::Silent { for_so_long } => {
                write!(
                    f,
                    "its RetryAfter passed {} ago and nothing changed",
                    spoken(*for_so_long)
                )
            }
        }
    }
}

/// As people would say it: `43s`, `12m 5s`, `2h 3m`.
fn spoken(duration: Duration) -> impl fmt::Display {
    let unit = if duration < Duration::from_hours(1) { 1 } else { 60 };
    format_duration(Duration::from_secs(duration.as_secs() / unit * unit))
}

/// When to tell again of a request that is still stuck: `every` after it was last told (`told_at`), each time. `None` if
/// no one wants to be reminded.
pub fn remind_at(told_at: Timestamp, every: Option<Duration>) -> Option<Timestamp> {
    every.map(|every| told_at.plus(every))
}

#[cfg(test)]
#[path = "stuck_tests.rs"]
mod tests;
