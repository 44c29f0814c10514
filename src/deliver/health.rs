//! What the log says of a receiver: a line when its state changes, not one for each attempt.
//!
//! One that takes some messages and refuses others changes with each of them. So within [ten minutes](SELDOM) it is warned of
//! once, and once more of what it lost; what fails besides is counted, and told with the next line. The history has each
//! attempt.

use std::time::Duration;

use crate::decide::retry::Verdict;

/// The least time between two warnings of the same kind.
const SELDOM: Duration = Duration::from_mins(10);

/// How a receiver has been doing, in memory alone: after a restart the next failure is news again. Times are the clock's uptime,
/// which is never set back.
#[derive(Debug, Default)]
pub(super) struct Health {
    trouble: Option<Trouble>,
    warned_at: Option<Duration>,
    warned_of_loss_at: Option<Duration>,
}

/// What failed since it was last said that all is well.
#[derive(Debug)]
struct Trouble {
    since: Duration,
    last: Duration,
    failed_attempts: u64,
    given_up: u64,
    told: Told,
}

/// What the log said of a trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nothing,
    Failure,
    Loss,
}

/// What an attempt's verdict says about its receiver.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News<'a> {
    /// It starts to fail.
    Fails { error: &'a str },
    /// For the first time since it started to fail a delivery is lost.
    Loses { error: &'a str },
    /// It fails still, or again.
    FailsStill { error: &'a str },
    /// It failed, and is well again.
    WellAgain {
        /// From the first failure on: to now, or where it was well in between, to the last failure.
        failed_for: Duration,
        failed_attempts: u64,
        given_up: u64,
    },
}

impl Health {
    /// Takes note of how an attempt ended, at the uptime `now`. No news: it is as well as it was, or was not so a moment ago,
    /// which is told later.
    pub(super) fn note<'a>(&mut self, verdict: &'a Verdict, now: Duration) -> Option<News<'a>> {
        let (error, worth) = match verdict {
            Verdict::Sent => return self.is_well(now),
            Verdict::RetryAt { error, .. } => (error, Told::Failure),
            Verdict::Dead { error } => (error, Told::Loss),
        };
        let trouble = self.trouble.get_or_insert(Trouble {
            since: now,
            last: now,
            failed_attempts: 0,
            given_up: 0,
            told: Told::Nothing,
        });
        trouble.last = now;
        trouble.failed_attempts += 1;
        trouble.given_up += u64::from(worth == Told::Loss);
        let before = match worth {
            Told::Loss => self.warned_of_loss_at,
            Told::Failure | Told::Nothing => self.warned_at,
        };
        if worth <= trouble.told || !is_long_ago(before, now) {
            return Some(News::FailsStill { error });
        }
        trouble.told = worth;
        self.warned_at = Some(now);
        Some(if worth == Told::Loss {
            self.warned_of_loss_at = Some(now);
            News::Loses { error }
        } else {
            News::Fails { error }
        })
    }

    fn is_well<'a>(&mut self, now: Duration) -> Option<News<'a>> {
        let warned_at = self.warned_at;
        let is_worth_it = |trouble: &mut Trouble| trouble.told > Told::Nothing || is_long_ago(warned_at, now);
        let trouble = self.trouble.take_if(is_worth_it)?;
        let until = if trouble.told > Told::Nothing {
            now
        } else {
            trouble.last
        };
        Some(News::WellAgain {
            failed_for: until.saturating_sub(trouble.since),
            failed_attempts: trouble.failed_attempts,
            given_up: trouble.given_up,
        })
    }
}

fn is_long_ago(time: Option<Duration>, now: Duration) -> bool {
    time.is_none_or(|time| now.saturating_sub(time) >= SELDOM)
}

impl News<'_> {
    pub(super) fn log(&self, receiver: &str) {
        match self {
            Self::Fails { error } => tracing::warn!(receiver, error, "deliveries fail; they wait, and are tried again"),
            Self::Loses { error } => tracing::warn!(
                receiver,
                error,
                "a delivery is given up; if more are, they are counted until the receiver is well again"
            ),
            Self::FailsStill { error } => tracing::debug!(receiver, error, "a delivery failed again"),
            Self::WellAgain {
                failed_for,
                failed_attempts,
                given_up,
            } => tracing::info!(
                receiver,
                failed_for = %humantime::format_duration(*failed_for),
                failed_attempts,
                given_up,
                "deliveries work again"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn retry() -> Verdict {
        Verdict::RetryAt {
            at: Timestamp::from_millis(0),
            error: "down".into(),
        }
    }

    fn dead() -> Verdict {
        Verdict::Dead { error: "gone".into() }
    }

    const FAILS: Option<News<'_>> = Some(News::Fails { error: "down" });
    const LOSES: Option<News<'_>> = Some(News::Loses { error: "gone" });

    fn well_again(failed_for: Duration, failed_attempts: u64, given_up: u64) -> News<'static> {
        News::WellAgain {
            failed_for,
            failed_attempts,
            given_up,
        }
    }

    #[test]
    fn only_a_change_is_news_worth_a_warning() {
        let now = Duration::ZERO;
        let (retry, dead) = (retry(), dead());
        let mut health = Health::default();
        assert_eq!(health.note(&Verdict::Sent, now), None);
        assert_eq!(health.note(&retry, now), FAILS);
        assert_eq!(health.note(&retry, now), Some(News::FailsStill { error: "down" }));
        assert_eq!(health.note(&dead, now), LOSES);
        assert_eq!(health.note(&dead, now), Some(News::FailsStill { error: "gone" }));
        let later = Duration::from_mins(5);
        assert_eq!(health.note(&Verdict::Sent, later), Some(well_again(later, 4, 2)));
        assert_eq!(health.note(&Verdict::Sent, later), None);
        assert_eq!(health.note(&dead, later + SELDOM), LOSES);
    }

    #[test]
    fn one_that_refuses_some_messages_and_takes_others_is_not_told_of_with_each() {
        let dead = dead();
        let mut health = Health::default();
        let (mut warned, mut well, mut counted) = (0, 0, 0);
        let mut count = |news| {
            if let Some(News::WellAgain { given_up, .. }) = news {
                well += 1;
                counted += given_up;
            }
        };
        for second in 0..3600 {
            let now = Duration::from_secs(second);
            match health.note(&dead, now) {
                LOSES => warned += 1,
                Some(News::FailsStill { .. }) => {}
                other => panic!("{other:?}"),
            }
            count(health.note(&Verdict::Sent, now));
        }
        count(health.note(&Verdict::Sent, Duration::from_hours(2)));
        assert_eq!((warned, well), (6, 7));
        assert_eq!(counted, 3600, "none is left out");
    }

    #[test]
    fn a_second_trouble_that_lasts_is_told_in_the_end() {
        let retry = retry();
        let mut health = Health::default();
        assert_eq!(health.note(&retry, Duration::ZERO), FAILS);
        assert_eq!(
            health.note(&Verdict::Sent, Duration::ZERO),
            Some(well_again(Duration::ZERO, 1, 0))
        );
        let soon = Duration::from_mins(1);
        assert_eq!(health.note(&retry, soon), Some(News::FailsStill { error: "down" }));
        assert_eq!(health.note(&retry, SELDOM), FAILS);
        let over = Duration::from_mins(20);
        assert_eq!(
            health.note(&Verdict::Sent, over),
            Some(well_again(Duration::from_mins(19), 2, 0))
        );
    }

    #[test]
    fn what_is_lost_soon_after_a_failure_is_told_all_the_same() {
        let (retry, dead) = (retry(), dead());
        let mut health = Health::default();
        assert_eq!(health.note(&retry, Duration::ZERO), FAILS);
        assert_eq!(
            health.note(&Verdict::Sent, Duration::ZERO),
            Some(well_again(Duration::ZERO, 1, 0))
        );
        assert_eq!(health.note(&dead, Duration::from_mins(5)), LOSES);
        assert_eq!(
            health.note(&Verdict::Sent, Duration::from_mins(5)),
            Some(well_again(Duration::ZERO, 1, 1))
        );
    }

    #[test]
    fn what_was_not_told_is_told_later_with_how_long_it_lasted_and_not_how_long_ago_it_was() {
        let retry = retry();
        let mut health = Health::default();
        let minutes = Duration::from_mins;
        for minute in [0, 1, 2] {
            health.note(&retry, minutes(minute));
            let news = health.note(&Verdict::Sent, minutes(minute));
            assert_eq!(news.is_some(), minute == 0);
        }
        assert_eq!(
            health.note(&Verdict::Sent, minutes(300)),
            Some(well_again(minutes(1), 2, 0))
        );
        assert_eq!(health.note(&Verdict::Sent, minutes(301)), None);
    }
}
