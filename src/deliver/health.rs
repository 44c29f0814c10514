//! What the log says of a receiver: a line when its state changes, not one for each attempt. One that takes some messages and
//! refuses others changes with each of them, so it is warned of no more than once in [ten minutes](AT_MOST_EVERY); what
//! fails meanwhile is counted, and each attempt is in the history.

use std::time::Duration;

use crate::decide::retry::Verdict;
use crate::model::Timestamp;

/// The least time between two troubles that are warned of.
const AT_MOST_EVERY: Duration = Duration::from_mins(10);

/// How a receiver has been doing, in memory alone: after a restart the next failure is news again.
#[derive(Debug, Default)]
pub(super) struct Health {
    trouble: Option<Trouble>,
    warned_at: Option<Timestamp>,
    /// Of troubles that were over before they were told.
    untold: Count,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    failed_attempts: u64,
    given_up: u64,
}

#[derive(Debug)]
struct Trouble {
    since: Timestamp,
    count: Count,
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
    /// It fails still.
    FailsStill { error: &'a str },
    /// It failed, and is well again. The counts have those of troubles in between that were not warned of.
    WellAgain {
        failed_for: Duration,
        failed_attempts: u64,
        given_up: u64,
    },
}

impl Health {
    /// Takes note of how an attempt ended. No news: it is as well as it was, or was so a moment ago.
    pub(super) fn note<'a>(&mut self, verdict: &'a Verdict, now: Timestamp) -> Option<News<'a>> {
        let (error, is_lost) = match verdict {
            Verdict::Sent => return self.is_well(now),
            Verdict::RetryAt { error, .. } => (error, false),
            Verdict::Dead { error } => (error, true),
        };
        let untold = &mut self.untold;
        let trouble = self.trouble.get_or_insert_with(|| Trouble {
            since: now,
            count: std::mem::take(untold),
            told: Told::Nothing,
        });
        trouble.count.failed_attempts += 1;
        trouble.count.given_up += u64::from(is_lost);
        let worth = if is_lost { Told::Loss } else { Told::Failure };
        let may_warn = trouble.told > Told::Nothing || self.warned_at.is_none_or(|at| now.since(at) >= AT_MOST_EVERY);
        if worth <= trouble.told || !may_warn {
            return Some(News::FailsStill { error });
        }
        trouble.told = worth;
        self.warned_at = Some(now);
        Some(if is_lost {
            News::Loses { error }
        } else {
            News::Fails { error }
        })
    }

    fn is_well<'a>(&mut self, now: Timestamp) -> Option<News<'a>> {
        let Trouble { since, count, told } = self.trouble.take()?;
        if told == Told::Nothing {
            self.untold = count;
            return None;
        }
        Some(News::WellAgain {
            failed_for: now.since(since),
            failed_attempts: count.failed_attempts,
            given_up: count.given_up,
        })
    }
}

impl News<'_> {
    pub(super) fn log(&self, receiver: &str) {
        match self {
            Self::Fails { error } => tracing::warn!(receiver, error, "deliveries fail; they wait, and are tried again"),
            Self::Loses { error } => tracing::warn!(
                receiver,
                error,
                "a delivery is given up; if more are, they are counted, and told of when the receiver is well again"
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

    #[test]
    fn only_a_change_is_news_worth_a_warning() {
        let now = Timestamp::from_millis(0);
        let retry = Verdict::RetryAt {
            at: now,
            error: "down".into(),
        };
        let dead = Verdict::Dead { error: "gone".into() };
        let (down, gone) = ("down", "gone");
        let mut health = Health::default();
        assert_eq!(health.note(&Verdict::Sent, now), None);
        assert_eq!(health.note(&retry, now), Some(News::Fails { error: down }));
        assert_eq!(health.note(&retry, now), Some(News::FailsStill { error: down }));
        assert_eq!(health.note(&dead, now), Some(News::Loses { error: gone }));
        assert_eq!(health.note(&dead, now), Some(News::FailsStill { error: gone }));
        let later = now.plus(Duration::from_mins(5));
        let well_again = News::WellAgain {
            failed_for: Duration::from_mins(5),
            failed_attempts: 4,
            given_up: 2,
        };
        assert_eq!(health.note(&Verdict::Sent, later), Some(well_again));
        assert_eq!(health.note(&Verdict::Sent, later), None);
        let later = later.plus(AT_MOST_EVERY);
        assert_eq!(health.note(&dead, later), Some(News::Loses { error: gone }));
    }

    #[test]
    fn one_that_refuses_some_messages_and_takes_others_is_not_told_of_with_each() {
        let dead = Verdict::Dead { error: "gone".into() };
        let begin = Timestamp::from_millis(0);
        let mut health = Health::default();
        let (mut warned, mut well_again, mut counted) = (0, 0, 0);
        for second in 0..3600 {
            let now = begin.plus(Duration::from_secs(second));
            match health.note(&dead, now) {
                Some(News::Loses { .. }) => warned += 1,
                Some(News::FailsStill { .. }) => {}
                other => panic!("{other:?}"),
            }
            if let Some(News::WellAgain { given_up, .. }) = health.note(&Verdict::Sent, now) {
                well_again += 1;
                counted += given_up;
            }
        }
        assert_eq!((warned, well_again), (6, 6));
        assert_eq!(counted, 3001, "none is left out, but those since the last line");
    }

    #[test]
    fn a_second_trouble_that_lasts_is_told_in_the_end() {
        let retry = Verdict::RetryAt {
            at: Timestamp::from_millis(0),
            error: "down".into(),
        };
        let begin = Timestamp::from_millis(0);
        let mut health = Health::default();
        assert!(matches!(health.note(&retry, begin), Some(News::Fails { .. })));
        assert!(matches!(
            health.note(&Verdict::Sent, begin),
            Some(News::WellAgain { .. })
        ));
        let soon = begin.plus(Duration::from_mins(1));
        assert!(matches!(health.note(&retry, soon), Some(News::FailsStill { .. })));
        assert!(matches!(
            health.note(&retry, begin.plus(AT_MOST_EVERY)),
            Some(News::Fails { .. })
        ));
        let over = begin.plus(AT_MOST_EVERY * 2);
        let well_again = News::WellAgain {
            failed_for: over.since(soon),
            failed_attempts: 2,
            given_up: 0,
        };
        assert_eq!(health.note(&Verdict::Sent, over), Some(well_again));
    }
}
