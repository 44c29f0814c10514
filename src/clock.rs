//! What time it is: the one place that asks.
//!
//! Decisions take the time as an argument (`decide`), and the rooms that do I/O are handed a [`Clock`], never the
//! operating system's: under tokio's paused time a day with faults then passes in seconds, and the same seed gives the
//! same day. `clippy.toml` bans the other ways to ask.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::Timestamp;

/// Tells the time. Cheap to clone; clones tell the same time.
#[derive(Debug, Clone)]
pub struct Clock {
    started: Instant,
    /// For a simulated clock, the time at `started`; `None` asks the operating system, whose clock may be stepped.
    simulated_from: Option<Timestamp>,
}

impl Clock {
    /// The operating system's clock.
    pub fn system() -> Self {
        Self {
            started: Instant::now(),
            simulated_from: None,
        }
    }

    /// A clock that stands at `time` now and runs as tokio's does: not at all while tokio's time is paused, but for
    /// its leaps to the next timer.
    pub fn simulated(time: Timestamp) -> Self {
        Self {
            started: Instant::now(),
            simulated_from: Some(time),
        }
    }

    pub fn now(&self) -> Timestamp {
        match self.simulated_from {
            Some(start) => start.plus(self.uptime()),
            #[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
            None => jiff::Timestamp::now().into(),
        }
    }

    /// Time since this clock was made. Never steps back, whatever happens to the operating system's clock, so that
    /// intervals and the offset to a server's clock are measured on it.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
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
}
