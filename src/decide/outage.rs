//! When a kind of call that fails is told, how long it is left alone, and when it becomes a gap.
//!
//! A failed poll is no failed request (trap 9), and most failures pass by themselves: one that passes within
//! `patience` (a target's `idle_every`, the longest that its user agreed to wait between looks) is no gap, for nothing
//! was looked at later than it might have been. One that only a person can mend is a gap from its first moment. Each
//! cause is told once, with its remedy, and again only after it has passed.

use std::time::Duration;

use super::back_off;
use crate::model::Timestamp;

/// How one kind of call has been doing. `C` is a cause: failures with the same cause are the same news.
#[derive(Debug, Clone)]
pub struct Outage<C> {
    /// When a call last succeeded, or the watching began.
    last_success: Timestamp,
    failing: Option<Failing<C>>,
}

#[derive(Debug, Clone)]
struct Failing<C> {
    failures: u32,
    cause: C,
    reason: String,
    /// On the monotonic clock.
    pause_until: Duration,
    is_gap: bool,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed {
    /// Whether to tell of it.
    pub is_news: bool,
    /// How long to leave off.
    pub pause: Duration,
}

impl<C: Copy + PartialEq> Outage<C> {
    pub fn new(since: Timestamp) -> Self {
        Self {
            last_success: since,
            failing: None,
        }
    }

    /// A call succeeded. Returns whether that is news.
    pub fn succeeded(&mut self, now: Timestamp) -> bool {
        self.last_success = now;
        self.failing.take().is_some()
    }

    /// A call failed. `lasting`: only a person can mend it.
    pub fn failed(
        &mut self,
        (cause, lasting, reason): (C, bool, String),
        now: Timestamp,
        uptime: Duration,
        patience: Duration,
        chance: f64,
    ) -> Failed {
        let before = self.failing.take();
        let failures = before.as_ref().map_or(0, |failing| failing.failures).saturating_add(1);
        let pause = back_off::pause(failures, chance);
        let was_gap = before.as_ref().is_some_and(|failing| failing.is_gap);
        self.failing = Some(Failing {
            failures,
            cause,
            reason,
            pause_until: uptime.saturating_add(pause),
            is_gap: was_gap || lasting || now.since(self.last_success) >= patience,
        });
        Failed {
            is_news: before.is_none_or(|failing| failing.cause != cause),
            pause,
        }
    }

    /// How long it is still to be left alone.
    pub fn pause(&self, uptime: Duration) -> Option<Duration> {
        let until = self.failing.as_ref()?.pause_until;
        until.checked_sub(uptime).filter(|left| !left.is_zero())
    }

    /// The gap that it is, if it has become one: since when, and why.
    pub fn gap(&self) -> Option<(Timestamp, &str)> {
        let failing = self.failing.as_ref().filter(|failing| failing.is_gap)?;
        Some((self.last_success, &failing.reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);

    fn fail(outage: &mut Outage<char>, cause: char, lasting: bool, second: i64) -> Failed {
        let uptime = Duration::from_secs(second.unsigned_abs());
        outage.failed(
            (cause, lasting, "why".to_owned()),
            Timestamp::from_millis(second * 1000),
            uptime,
            PATIENCE,
            0.0,
        )
    }

    #[test]
    fn what_passes_within_patience_is_no_gap_and_told_once() {
        let mut outage = Outage::new(Timestamp::from_millis(0));
        assert!(fail(&mut outage, 'a', false, 1).is_news);
        assert!(!fail(&mut outage, 'a', false, 3).is_news);
        assert!(fail(&mut outage, 'b', false, 7).is_news);
        assert_eq!(outage.gap(), None);
        assert!(outage.succeeded(Timestamp::from_millis(8_000)));
        assert!(!outage.succeeded(Timestamp::from_millis(9_000)));
        assert!(fail(&mut outage, 'a', false, 10).is_news);
    }

    #[test]
    fn what_lasts_is_a_gap_from_the_last_success_on() {
        let mut outage = Outage::new(Timestamp::from_millis(0));
        outage.succeeded(Timestamp::from_millis(5_000));
        fail(&mut outage, 'a', false, 6);
        fail(&mut outage, 'a', false, 65);
        assert_eq!(outage.gap(), Some((Timestamp::from_millis(5_000), "why")));
    }

    #[test]
    fn what_needs_a_person_is_a_gap_at_once() {
        let mut outage = Outage::new(Timestamp::from_millis(0));
        fail(&mut outage, 'a', true, 1);
        assert!(outage.gap().is_some());
    }

    #[test]
    fn pauses_grow_and_end() {
        let mut outage = Outage::new(Timestamp::from_millis(0));
        assert_eq!(outage.pause(Duration::ZERO), None);
        let first = fail(&mut outage, 'a', false, 1).pause;
        let second = fail(&mut outage, 'a', false, 10).pause;
        assert!(second > first);
        assert_eq!(outage.pause(Duration::from_secs(10)), Some(second));
        assert_eq!(outage.pause(Duration::from_secs(10) + second), None);
    }
}
