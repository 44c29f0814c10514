//! When a kind of call that fails is told, how long it is left alone, and when it becomes a gap.
//!
//! A failed poll is no failed request (trap 9), and most failures pass by themselves: one that passes within
//! `patience` (a target's `idle_every`, the longest that its user agreed to wait between looks) is no gap. One that only
//! a person can mend is a gap from its first moment. A gap begins at the last success, but no more than `patience` before
//! the first failure: before that nothing was to be asked. Each
//! cause is told once, with its remedy, and again only after it has passed.

use std::time::Duration;

use super::back_off;
use crate::model::Timestamp;

/// A failure that passes with the next call is daily bread, and no news. So many in a row are.
const FAILURES_TO_TELL: u32 = 2;

/// How one kind of call has been doing. `C` is a cause: failures with the same cause are the same news.
#[derive(Debug, Clone)]
pub struct Outage<C> {
    /// When a call last succeeded, or the watching began.
    last_success: Timestamp,
    failing: Option<Failing<C>>,
}

#[derive(Debug, Clone)]
struct Failing<C> {
    /// The first failure in the row.
    since: Timestamp,
    failures: u32,
    /// The cause that was told.
    told: Option<C>,
    reason: String,
    /// On the monotonic clock.
    pause_until: Duration,
    gap_from: Option<Timestamp>,
}

impl<C: Copy + PartialEq> Outage<C> {
    pub fn new(since: Timestamp) -> Self {
        Self {
            last_success: since,
            failing: None,
        }
    }

    /// When a call last succeeded, or the watching began.
    pub fn last_success(&self) -> Timestamp {
        self.last_success
    }

    /// A call succeeded. Returns whether that is news: whether a failure was.
    pub fn succeeded(&mut self, now: Timestamp) -> bool {
        self.last_success = now;
        self.failing.take().is_some_and(|failing| failing.told.is_some())
    }

    /// A call failed. `lasting`: only a person can mend it. Returns whether that is news.
    pub fn failed(
        &mut self,
        (cause, lasting, reason): (C, bool, String),
        now: Timestamp,
        uptime: Duration,
        patience: Duration,
        chance: f64,
    ) -> bool {
        let before = self.failing.take();
        let failures = before.as_ref().map_or(0, |failing| failing.failures).saturating_add(1);
        let since = before.as_ref().map_or(now, |failing| failing.since);
        let is_gap = lasting || now.since(since) >= patience;
        let gap_from = before.as_ref().and_then(|failing| failing.gap_from);
        let told = before.and_then(|failing| failing.told);
        let is_news = told != Some(cause) && (lasting || failures >= FAILURES_TO_TELL);
        self.failing = Some(Failing {
            since,
            failures,
            told: if is_news { Some(cause) } else { told },
            reason,
            pause_until: uptime.saturating_add(back_off::pause(failures, chance)),
            gap_from: gap_from.or_else(|| is_gap.then(|| self.last_success.max(since.minus(patience)))),
        });
        is_news
    }

    /// There is reason to think that it has passed: it need not be left alone any longer.
    pub fn may_have_passed(&mut self) {
        if let Some(failing) = &mut self.failing {
            failing.pause_until = Duration::ZERO;
        }
    }

    /// How long it is still to be left alone.
    pub fn pause(&self, uptime: Duration) -> Option<Duration> {
        let until = self.failing.as_ref()?.pause_until;
        until.checked_sub(uptime).filter(|left| !left.is_zero())
    }

    /// The gap that it is, if it has become one: since when, and why.
    pub fn gap(&self) -> Option<(Timestamp, &str)> {
        let failing = self.failing.as_ref()?;
        Some((failing.gap_from?, &failing.reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);

    fn fail(outage: &mut Outage<char>, cause: char, lasting: bool, second: i64) -> bool {
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
    fn what_may_have_passed_is_tried_at_once() {
        let mut outage = Outage::new(Timestamp::from_millis(0));
        fail(&mut outage, 'a', false, 3);
        fail(&mut outage, 'a', false, 5);
        assert!(outage.pause(Duration::from_secs(5)).is_some());
        outage.may_have_passed();
        assert_eq!(outage.pause(Duration::from_secs(5)), None);
        assert!(
            outage.succeeded(Timestamp::from_millis(6_000)),
            "it had not passed before"
        );
    }

    #[test]
    fn what_passes_within_patience_is_no_gap_and_told_once() {
        let mut outage = Outage::new(Timestamp::from_millis(0));
        assert!(!fail(&mut outage, 'a', false, 1), "it may pass with the next call");
        assert!(fail(&mut outage, 'a', false, 3));
        assert!(!fail(&mut outage, 'a', false, 5));
        assert!(fail(&mut outage, 'b', false, 7));
        assert_eq!(outage.gap(), None);
        assert!(outage.succeeded(Timestamp::from_millis(8_000)));
        assert!(!outage.succeeded(Timestamp::from_millis(9_000)));
        assert!(!fail(&mut outage, 'a', false, 10));
        assert!(!outage.succeeded(Timestamp::from_millis(11_000)), "nobody heard of it");
        assert!(fail(&mut outage, 'a', true, 12), "only a person can mend it");
    }

    #[test]
    fn what_lasts_is_a_gap_from_the_last_success_on() {
        let mut outage = Outage::new(Timestamp::from_millis(0));
        outage.succeeded(Timestamp::from_millis(5_000));
        fail(&mut outage, 'a', false, 6);
        fail(&mut outage, 'a', false, 66);
        assert_eq!(outage.gap(), Some((Timestamp::from_millis(5_000), "why")));
    }

    /// A call that is seldom made has a success long ago, and was not wanted since.
    #[test]
    fn a_gap_begins_no_earlier_than_there_was_something_to_ask() {
        let mut outage = Outage::new(Timestamp::from_millis(0));
        fail(&mut outage, 'a', false, 100_000);
        assert_eq!(outage.gap(), None);
        fail(&mut outage, 'a', false, 100_060);
        assert_eq!(outage.gap(), Some((Timestamp::from_millis(99_940_000), "why")));
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
        let uptime = Duration::from_secs(10);
        for pause in [1, 2, 4] {
            fail(&mut outage, 'a', false, 10);
            assert_eq!(outage.pause(uptime), Some(Duration::from_secs(pause)));
            assert_eq!(outage.pause(uptime + Duration::from_secs(pause)), None);
        }
    }
}
