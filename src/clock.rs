//! What time it is: the one place that asks.
//!
//! Decisions take the time as an argument (`decide`), and the rooms that do I/O are handed a [`Clock`], never the
//! operating system's: under tokio's paused time a day with faults then passes in seconds, and the same seed gives the
//! same day. `clippy.toml` bans the other ways to ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

use crate::model::Timestamp;

/// Tells the time. Cheap to clone; clones tell the same time.
#[derive(Debug, Clone)]
pub struct Clock(Movement);

/// What drives a clock.
#[derive(Debug, Clone)]
enum Movement {
    /// The operating system, whose clock may be stepped.
    System { started: Instant },
    /// Tokio's time, from `from` on.
    Simulated { started: Instant, from: Timestamp },
    /// Whoever calls [`Clock::advance_to`]: it stands this many milliseconds after `from`.
    Manual { from: Timestamp, moved: Arc<AtomicU64> },
    /// Itself: it is `by` later each time it is asked.
    #[cfg(test)]
    Hasty {
        from: Timestamp,
        by: Duration,
        asked: Arc<std::sync::atomic::AtomicU32>,
    },
}

/// A clock that runs by itself was to be moved by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the clock runs by itself")]
pub struct RunsByItself;

impl Clock {
    /// The operating system's clock.
    pub fn system() -> Self {
        Self(Movement::System {
            started: Instant::now(),
        })
    }

    /// A clock that stands at `time` now and runs as tokio's does: not at all while tokio's time is paused, but for
    /// its leaps to the next timer.
    pub fn simulated(time: Timestamp) -> Self {
        Self(Movement::Simulated {
            started: Instant::now(),
            from: time,
        })
    }

    /// A clock that stands at `time` until it is moved, to the millisecond. Timers are not its business: they run in
    /// tokio's time.
    pub fn manual(time: Timestamp) -> Self {
        Self(Movement::Manual {
            from: time,
            moved: Arc::default(),
        })
    }

    /// A clock on which everything that is measured takes `by`.
    #[cfg(test)]
    pub(crate) fn hasty(time: Timestamp, by: Duration) -> Self {
        let asked = Arc::default();
        Self(Movement::Hasty { from: time, by, asked })
    }

    /// Whether it stands still unless it is moved.
    pub fn is_manual(&self) -> bool {
        matches!(self.0, Movement::Manual { .. })
    }

    /// Moves a manual clock, and all its clones, forward to `time`. It never goes back: an earlier time changes nothing.
    pub fn advance_to(&self, time: Timestamp) -> Result<(), RunsByItself> {
        let Movement::Manual { from, moved } = &self.0 else {
            return Err(RunsByItself);
        };
        let millis = u64::try_from(time.since(*from).as_millis()).unwrap_or(u64::MAX);
        moved.fetch_max(millis, Ordering::SeqCst);
        Ok(())
    }

    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
            Movement::System { .. } => jiff::Timestamp::now().into(),
            Movement::Simulated { from, .. } | Movement::Manual { from, .. } => from.plus(self.uptime()),
            #[cfg(test)]
            Movement::Hasty { from, .. } => from.plus(self.uptime()),
        }
    }

    /// Time since this clock was made. Never steps back, whatever happens to the operating system's clock, so that
    /// intervals and the offset to a server's clock are measured on it.
    pub fn uptime(&self) -> Duration {
        match &self.0 {
            Movement::System { started } | Movement::Simulated { started, .. } => started.elapsed(),
            Movement::Manual { moved, .. } => Duration::from_millis(moved.load(Ordering::SeqCst)),
            #[cfg(test)]
            Movement::Hasty { by, asked, .. } => *by * asked.fetch_add(1, Ordering::SeqCst),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_simulated_clock_runs_with_tokios_time() {
        let clock = Clock::simulated(Timestamp::from_millis(1_000));
        tokio::time::sleep(Duration::from_hours(24)).await;
        assert_eq!(clock.now(), Timestamp::from_millis(86_401_000));
        assert_eq!(clock.clone().uptime(), Duration::from_hours(24));
    }

    #[tokio::test(start_paused = true)]
    async fn a_manual_clock_stands_still_until_it_is_moved_and_never_goes_back() {
        let clock = Clock::manual(Timestamp::from_millis(1_000));
        let clone = clock.clone();
        tokio::time::sleep(Duration::from_hours(24)).await;
        assert_eq!(clone.now(), Timestamp::from_millis(1_000));
        clock.advance_to(Timestamp::from_millis(3_500)).unwrap();
        assert_eq!(clone.now(), Timestamp::from_millis(3_500));
        assert_eq!(clone.uptime(), Duration::from_millis(2_500));
        for earlier in [2_000, 0, i64::MIN] {
            clone.advance_to(Timestamp::from_millis(earlier)).unwrap();
        }
        assert_eq!(clock.now(), Timestamp::from_millis(3_500));
        clock.advance_to(Timestamp::from_millis(i64::MAX)).unwrap();
        assert_eq!(clock.now(), Timestamp::from_millis(i64::MAX));
    }

    #[tokio::test]
    async fn a_clock_that_runs_by_itself_is_not_moved_by_hand() {
        for clock in [Clock::system(), Clock::simulated(Timestamp::from_millis(0))] {
            assert!(!clock.is_manual());
            assert_eq!(clock.advance_to(Timestamp::from_millis(i64::MAX)), Err(RunsByItself));
        }
    }
}
