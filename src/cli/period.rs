//! The time that statistics are about.

use std::time::Duration;

use super::Failure;
use crate::history::Filter;
use crate::model::Timestamp;

/// A span of time. Where no beginning was asked for, the last thirty days: all of the history would mix what was with what
/// is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) from: Timestamp,
    /// The end that was asked for, which is no longer in it, or now.
    pub(super) to: Timestamp,
    /// Whether an end was asked for. If not, the filter has none: the service's clock may be ahead of this one.
    pub(super) ends: bool,
}

const USUAL: Duration = Duration::from_hours(30 * 24);

impl Period {
    /// Of a filter, which is given a beginning if it has none.
    pub(super) fn of(filter: &mut Filter, now: Timestamp) -> Result<Self, Failure> {
        let from = *filter.since.get_or_insert(now.minus(USUAL));
        let period = Self {
            from,
            to: filter.until.unwrap_or(now),
            ends: filter.until.is_some(),
        };
        if period.from >= period.to {
            return Err(Failure::Arguments(format!(
                "nothing can lie between {from} (--since, by default 30 days ago) and {} (--until, by default now)",
                period.to
            )));
        }
        Ok(period)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_328_880_000);
    const DAY: Duration = Duration::from_hours(24);

    fn of(since: Option<Timestamp>, until: Option<Timestamp>) -> Result<(Filter, Period), Failure> {
        let mut filter = Filter {
            since,
            until,
            ..Filter::default()
        };
        let period = Period::of(&mut filter, NOW)?;
        Ok((filter, period))
    }

    #[test]
    fn without_a_beginning_it_is_the_last_thirty_days_without_an_end() {
        let (filter, period) = of(None, None).unwrap();
        assert_eq!((filter.since, filter.until), (Some(NOW.minus(30 * DAY)), None));
        assert_eq!((period.from, period.to, period.ends), (NOW.minus(30 * DAY), NOW, false));
        let (_, asked) = of(Some(NOW.minus(2 * DAY)), Some(NOW.minus(DAY))).unwrap();
        assert_eq!(
            (asked.from, asked.to, asked.ends),
            (NOW.minus(2 * DAY), NOW.minus(DAY), true)
        );
    }

    #[test]
    fn one_that_ends_before_it_begins_is_refused() {
        assert!(of(Some(NOW), None).is_err());
        assert!(of(None, Some(NOW.minus(31 * DAY))).is_err());
    }
}
