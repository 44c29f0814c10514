//! What the log says of a receiver: a line when its state changes, not one for each attempt.

use std::time::Duration;

use crate::decide::retry::Verdict;
use crate::model::Timestamp;

/// How a receiver has been doing, in memory alone: after a restart the next failure is news again.
#[derive(Debug, Default)]
pub(super) struct Health {
    trouble: Option<Trouble>,
}

#[derive(Debug)]
struct Trouble {
    since: Timestamp,
    failed_attempts: u64,
    given_up: u64,
}

/// What an attempt's verdict says about its receiver.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News<'a> {
    /// It starts to fail.
    Fails { error: &'a str },
    /// For the first time since it started to fail, or with its first failure, a delivery is lost.
    Loses { error: &'a str },
    /// It fails still.
    FailsStill { error: &'a str },
    /// It failed, and is well again.
    WellAgain {
        failed_for: Duration,
        failed_attempts: u64,
        given_up: u64,
    },
}

impl Health {
    /// Takes note of how an attempt ended. No news: it is as well as it was.
    pub(super) fn note<'a>(&mut self, verdict: &'a Verdict, now: Timestamp) -> Option<News<'a>> {
        let (error, is_lost) = match verdict {
            Verdict::Sent => {
                return self.trouble.take().map(|trouble| News::WellAgain {
                    failed_for: now.since(trouble.since),
                    failed_attempts: trouble.failed_attempts,
                    given_up: trouble.given_up,
                });
            }
            Verdict::RetryAt { error, .. } => (error, false),
            Verdict::Dead { error } => (error, true),
        };
        let is_new = self.trouble.is_none();
        let trouble = self.trouble.get_or_insert(Trouble {
            since: now,
            failed_attempts: 0,
            given_up: 0,
        });
        trouble.failed_attempts += 1;
        trouble.given_up += u64::from(is_lost);
        Some(if is_lost && trouble.given_up == 1 {
            News::Loses { error }
        } else if is_new {
            News::Fails { error }
        } else {
            News::FailsStill { error }
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
        assert_eq!(health.note(&dead, later), Some(News::Loses { error: gone }));
    }
}
