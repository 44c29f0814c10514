//! The numbers of one group, for machines and for people.

use serde::Serialize;

use crate::statistics::{Outcomes, Percentiles, Tally, percent, thousands};

/// A flat row. `T` is how its trend is written: a list in JSON, a text in CSV, which has no lists.
#[derive(Debug, Default, Serialize)]
pub(super) struct Row<T> {
    /// `None`: they have no such name, or, of a total, they are all.
    pub(super) group: Option<String>,
    count: u64,
    succeeded: u64,
    failed: u64,
    cancelled: u64,
    lost: u64,
    open: u64,
    /// Of those whose end is known: succeeded, failed and cancelled. 0 to 1.
    failed_share: Option<f64>,
    /// Seconds, of those that succeeded, by nearest rank.
    pub(super) p50_s: Option<f64>,
    pub(super) p90_s: Option<f64>,
    pub(super) p99_s: Option<f64>,
    /// How many there were in each part of the time.
    pub(super) trend: T,
}

impl Row<Vec<u64>> {
    pub(super) fn new(group: Option<&str>, tally: &Tally) -> Self {
        let Outcomes {
            succeeded,
            failed,
            cancelled,
            lost,
            open,
        } = *tally.outcomes();
        let seconds = tally.durations().percentiles().map(Percentiles::in_seconds);
        Self {
            group: group.map(str::to_owned),
            count: tally.outcomes().count(),
            succeeded,
            failed,
            cancelled,
            lost,
            open,
            failed_share: tally.outcomes().failed_share(),
            p50_s: seconds.map(|[p50, ..]| p50),
            p90_s: seconds.map(|[_, p90, _]| p90),
            p99_s: seconds.map(|[.., p99]| p99),
            trend: tally.trend(),
        }
    }

    /// With its trend as numbers with blanks between.
    pub(super) fn with_text(self) -> Row<String> {
        let counts: Vec<String> = self.trend.iter().map(u64::to_string).collect();
        Row {
            group: self.group,
            count: self.count,
            succeeded: self.succeeded,
            failed: self.failed,
            cancelled: self.cancelled,
            lost: self.lost,
            open: self.open,
            failed_share: self.failed_share,
            p50_s: self.p50_s,
            p90_s: self.p90_s,
            p99_s: self.p99_s,
            trend: counts.join(" "),
        }
    }
}

impl<T> Row<T> {
    pub(super) fn count_in_words(&self) -> String {
        thousands(self.count)
    }

    pub(super) fn failed_in_words(&self) -> String {
        self.failed_share.map_or_else(|| "-".to_owned(), percent)
    }
}
