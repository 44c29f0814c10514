//! A span of time cut into equal parts.

use crate::model::Timestamp;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// The widths that people count in. Beyond the last one it is doubled.
const WIDTHS: [(i64, &str); 11] = [
    (SECOND, "second"),
    (10 * SECOND, "10 seconds"),
    (MINUTE, "minute"),
    (5 * MINUTE, "5 minutes"),
    (15 * MINUTE, "15 minutes"),
    (HOUR, "hour"),
    (3 * HOUR, "3 hours"),
    (6 * HOUR, "6 hours"),
    (DAY, "day"),
    (WEEK, "week"),
    (4 * WEEK, "4 weeks"),
];

/// A Monday in 1970, the first: weeks begin on Mondays, as ISO 8601 has them. Days and what is shorter divide it, so those
/// are aligned to UTC's midnights and hours all the same.
const FIRST_MONDAY: i64 = 4 * DAY;

/// Equal parts of time, in UTC, one after the other. Moments outside count for the part that is nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// Milliseconds since 1970.
    begin: i64,
    /// Milliseconds.
    width: i64,
    count: usize,
}

impl Buckets {
    /// The narrowest of the usual parts of which `at_most` (two at the least) cover the time from `from` to `to`. The first
    /// part begins at or before `from`, the last one holds the moment before `to`.
    pub fn over(from: Timestamp, to: Timestamp, at_most: usize) -> Self {
        let (from, last) = (from.as_millis(), (to.as_millis() - 1).max(from.as_millis()));
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX).max(2);
        let number = |width: i64, millis: i64| (millis - FIRST_MONDAY).div_euclid(width);
        let fits = |width: i64| number(width, last) - number(width, from) < at_most;
        let usual = WIDTHS.iter().map(|(width, _)| *width);
        let wider = std::iter::successors(Some(8 * WEEK), |width| width.checked_mul(2));
        let width = usual.chain(wider).find(|width| fits(*width)).unwrap_or(i64::MAX / 4);
        Self {
            begin: number(width, from) * width + FIRST_MONDAY,
            width,
            count: usize::try_from(number(width, last) - number(width, from) + 1).unwrap_or(1),
        }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// The part that a moment is in.
    pub fn index(&self, at: Timestamp) -> usize {
        let index = (at.as_millis() - self.begin).div_euclid(self.width);
        usize::try_from(index).unwrap_or(0).min(self.count - 1)
    }

    /// When a part begins; the end of the last for the number after it.
    pub fn begin(&self, index: usize) -> Timestamp {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.begin.saturating_add(index.saturating_mul(self.width)))
    }

    pub fn end(&self) -> Timestamp {
        self.begin(self.count)
    }

    /// What a part is called: `hour`, `4 weeks`.
    pub fn unit(&self) -> String {
        let usual = WIDTHS.iter().find(|(width, _)| *width == self.width);
        usual.map_or_else(
            || format!("{} weeks", self.width / WEEK),
            |(_, name)| (*name).to_owned(),
        )
    }

    /// Whether parts are a day or longer, so that no time of day is worth a word.
    pub fn are_days(&self) -> bool {
        self.width >= DAY
    }

    /// Whether several begin within a minute.
    pub fn are_seconds(&self) -> bool {
        self.width < MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    #[test]
    fn the_span_chooses_the_width_and_days_begin_at_midnight_in_utc() {
        let to = at("2026-11-22T06:28:00Z");
        let over = |from| Buckets::over(at(from), to, 32);
        for (from, unit, count, begin) in [
            ("2026-10-23T06:28:00Z", "day", 31, "2026-10-23T00:00:00.000Z"),
            ("2026-11-21T06:28:00Z", "hour", 25, "2026-11-21T06:00:00.000Z"),
            ("2026-11-22T05:28:00Z", "5 minutes", 13, "2026-11-22T05:25:00.000Z"),
            ("2026-11-15T06:28:00Z", "6 hours", 29, "2026-11-15T06:00:00.000Z"),
            ("2024-11-22T06:28:00Z", "4 weeks", 27, "2024-10-28T00:00:00.000Z"),
            ("2026-08-22T06:28:00Z", "week", 14, "2026-08-17T00:00:00.000Z"),
            ("1970-01-01T00:00:00Z", "128 weeks", 25, "1967-07-24T00:00:00.000Z"),
        ] {
            let buckets = over(from);
            assert_eq!((buckets.unit().as_str(), buckets.count()), (unit, count), "{from}");
            assert_eq!(buckets.begin(0).to_string(), begin, "{from}");
        }
    }

    #[test]
    fn a_span_that_is_empty_or_upside_down_is_one_part() {
        let now = at("2026-11-22T06:28:00Z");
        for to in [now, at("2020-01-01T00:00:00Z")] {
            let buckets = Buckets::over(now, to, 32);
            assert_eq!((buckets.count(), buckets.index(now)), (1, 0));
        }
    }

    #[test]
    fn moments_outside_count_for_the_nearest_part() {
        let buckets = Buckets::over(at("2026-11-01T00:00:00Z"), at("2026-11-11T00:00:00Z"), 10);
        assert_eq!(buckets.count(), 10);
        assert_eq!(buckets.index(Timestamp::from_millis(i64::MIN)), 0);
        assert_eq!(buckets.index(Timestamp::from_millis(i64::MAX)), 9);
        assert_eq!(buckets.index(at("2026-11-03T23:59:59.999Z")), 2);
        assert_eq!(buckets.end(), at("2026-11-11T00:00:00Z"));
    }
}
