//! How many calls a target may make: a token bucket that yields when the service throttles.
//!
//! No quota is documented; about 30 calls a second were measured for one account and Region, and the people who deploy
//! share them. So the configured rate is a ceiling, and a ThrottlingException, whoever caused it, halves the rate at
//! once; it is regained by a twentieth of the ceiling with each ten seconds that pass without another (additive increase,
//! multiplicative decrease, as TCP does: it converges where many share what none of them knows).

use std::time::Duration;

/// Calls that may be made at once after a rest: one second's worth, and at least one.
const BURST: Duration = Duration::from_secs(1);
const REGAIN_EVERY: Duration = Duration::from_secs(10);
/// A wait is never said to be longer: whoever waits has other things to see to.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
const REGAIN_SHARE: f64 = 1.0 / 20.0;
/// The rate never falls below this share of the ceiling: a target that is throttled for long is still looked at.
const LEAST_SHARE: f64 = 1.0 / 64.0;

/// A token bucket. Times are durations since any fixed start.
#[derive(Debug, Clone)]
pub struct Budget {
    ceiling: f64,
    rate: f64,
    tokens: f64,
    filled_at: Duration,
    regained_at: Duration,
}

impl Budget {
    /// A full bucket that allows `per_second` calls a second, which must be above zero.
    pub fn new(per_second: f64, now: Duration) -> Self {
        let mut budget = Self {
            ceiling: per_second,
            rate: per_second,
            tokens: 0.0,
            filled_at: now,
            regained_at: now,
        };
        budget.tokens = budget.capacity();
        budget
    }

    /// Takes a call's worth, or says how long to wait before asking again.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        self.regain(now);
        let earned = now.saturating_sub(self.filled_at).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + earned).min(self.capacity());
        self.filled_at = self.filled_at.max(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // Rounded up to a millisecond, which is as fine as tokio's timers are: waiting short would only ask again.
        let wait = Duration::try_from_secs_f64((1.0 - self.tokens) / self.rate).unwrap_or(LONGEST_WAIT);
        Err(wait.min(LONGEST_WAIT) + Duration::from_millis(1))
    }

    /// The service said that it is asked too much.
    pub fn throttled(&mut self, now: Duration) {
        self.rate = (self.rate / 2.0).max(self.ceiling * LEAST_SHARE);
        self.tokens = 0.0;
        self.filled_at = self.filled_at.max(now);
        self.regained_at = now;
    }

    fn capacity(&self) -> f64 {
        (self.rate * BURST.as_secs_f64()).max(1.0)
    }

    fn regain(&mut self, now: Duration) {
        let steps = now.saturating_sub(self.regained_at).as_secs_f64() / REGAIN_EVERY.as_secs_f64();
        if steps >= 1.0 {
            self.rate = (self.rate + steps.floor() * self.ceiling * REGAIN_SHARE).min(self.ceiling);
            self.regained_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Calls made in `span` by one that asks whenever it is told to.
    fn calls(budget: &mut Budget, from: Duration, span: Duration) -> u32 {
        let (mut now, mut calls) = (from, 0);
        while now < from + span {
            match budget.take(now) {
                Ok(()) => calls += 1,
                Err(wait) => now += wait,
            }
        }
        calls
    }

    #[test]
    fn throttling_halves_the_rate_and_patience_regains_it() {
        let mut budget = Budget::new(8.0, Duration::ZERO);
        budget.throttled(Duration::from_secs(1));
        budget.throttled(Duration::from_secs(2));
        assert!((budget.rate - 2.0).abs() < 1e-9);
        let later = Duration::from_mins(10);
        assert!(budget.take(later).is_ok());
        assert!((budget.rate - 8.0).abs() < 1e-9);
    }

    #[test]
    fn however_often_it_is_throttled_it_goes_on() {
        let mut budget = Budget::new(5.0, Duration::ZERO);
        for second in 0..1000 {
            budget.throttled(Duration::from_secs(second));
        }
        assert!(calls(&mut budget, Duration::from_secs(1000), Duration::from_mins(5)) > 10);
    }

    proptest! {
        #[test]
        fn no_span_holds_more_calls_than_the_rate_and_one_burst(rate in 0.1..25.0f64, seconds in 1u64..100) {
            let mut budget = Budget::new(rate, Duration::ZERO);
            let made = calls(&mut budget, Duration::ZERO, Duration::from_secs(seconds));
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let most = rate * seconds as f64 + rate.max(1.0) + 1.0;
            prop_assert!(f64::from(made) <= most);
        }
    }
}
