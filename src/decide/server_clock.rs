//! What time the server has, learnt from its `Date` headers.
//!
//! RetryAfter is on the server's clock (trap 2), and looking before it is forbidden (law 5), so what is wanted is a time
//! that the server's clock has *certainly* reached. A `Date` of `D` whole seconds on an answer that was asked for at `a`
//! and there at `b` says that the server's clock stood within `[D, D + 1 s)` at some moment within `[a, b]`: the offset
//! between the clocks lies in `[D - b, D + 1 s - a]`. Each answer narrows that interval, so the whole seconds of the
//! header cost less and less; the interval is widened again with time, for clocks drift, and starts anew from the
//! latest answer if the two contradict each other, for clocks are stepped. [`ServerClock::at`] uses its lower end.
//!
//! Rejected: the middle of the interval, smoothed. It is nearer to the truth on average, and early half of the time.

use std::time::Duration;

use crate::model::Timestamp;

/// How fast two clocks may drift apart: 200 parts in a million, four times what NTP's documentation calls a bad
/// oscillator.
const DRIFT_PER_SECOND: f64 = 0.2;

/// The server's clock against ours. Ours is the monotonic time since the start of the process, so that a step of the
/// operating system's clock moves nothing here.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServerClock {
    offset: Option<Offset>,
}

#[derive(Debug, Clone, Copy)]
struct Offset {
    /// Milliseconds to add to our time to get the server's: at least and at most.
    least: f64,
    most: f64,
    learnt_at: Duration,
}

impl ServerClock {
    /// Takes in a `Date` header of an answer that was asked for at `asked` and there at `answered` (our time).
    pub fn learn(&mut self, date: Timestamp, asked: Duration, answered: Duration) {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 stay below 2^53 for 285,000 years"
        )]
        let date = date.as_millis() as f64;
        let new = Offset {
            least: date - millis(answered),
            most: date + 1000.0 - millis(asked),
            learnt_at: answered,
        };
        self.offset = Some(match self.offset.map(|known| known.at(answered)) {
            Some(known) if known.least <= new.most && new.least <= known.most => Offset {
                least: known.least.max(new.least),
                most: known.most.min(new.most),
                learnt_at: answered,
            },
            _ => new,
        });
    }

    /// A time that the server's clock has reached at `uptime` of ours; `None` before the first answer.
    pub fn at(&self, uptime: Duration) -> Option<Timestamp> {
        let offset = self.offset?.at(uptime);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float to integer cast saturates, and so does Timestamp"
        )]
        let millis = (uptime.as_secs_f64() * 1000.0 + offset.least).floor() as i64;
        Some(Timestamp::from_millis(millis))
    }
}

impl Offset {
    fn at(self, uptime: Duration) -> Self {
        let drift = uptime.saturating_sub(self.learnt_at).as_secs_f64() * DRIFT_PER_SECOND;
        Self {
            least: self.least - drift,
            most: self.most + drift,
            learnt_at: self.learnt_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_known_before_the_first_answer() {
        assert_eq!(ServerClock::default().at(Duration::from_secs(5)), None);
    }

    #[test]
    fn a_stepped_server_clock_is_learnt_anew() {
        let mut clock = ServerClock::default();
        let second = Duration::from_secs;
        clock.learn(Timestamp::from_millis(1_000_000), second(10), second(10));
        assert_eq!(clock.at(second(20)).unwrap().as_millis() / 100, 10_099);
        clock.learn(Timestamp::from_millis(50_000), second(30), second(30));
        assert_eq!(clock.at(second(30)), Some(Timestamp::from_millis(50_000)));
    }

    proptest! {
        /// Trap 2: whatever the skew and however slow the answers, the estimate is never ahead of the server's clock,
        /// and after many answers it is behind by little more than their fastest way back.
        #[test]
        fn the_estimate_is_never_ahead_and_gets_near(
            skew in -10_000_000_000i64..10_000_000_000,
            calls in prop::collection::vec((0u64..5_000, 0u64..2_000, 0u64..2_000), 50..60),
        ) {
            let start = 1_800_000_000_000i64;
            let server = |uptime: u64| start + skew + i64::try_from(uptime).unwrap();
            let mut clock = ServerClock::default();
            let mut uptime = 0;
            let mut fastest = u64::MAX;
            for (pause, there, back) in calls {
                uptime += pause;
                let asked = Duration::from_millis(uptime);
                uptime += there;
                let date = Timestamp::from_millis(server(uptime).div_euclid(1000) * 1000);
                uptime += back;
                fastest = fastest.min(back);
                clock.learn(date, asked, Duration::from_millis(uptime));
                prop_assert!(clock.at(Duration::from_millis(uptime)).unwrap().as_millis() <= server(uptime));
            }
            let behind = server(uptime) - clock.at(Duration::from_millis(uptime)).unwrap().as_millis();
            prop_assert!(behind <= 1000 + i64::try_from(fastest).unwrap() + 100, "behind by {} ms", behind);
        }
    }
}
