//! Durations and their percentiles.

use std::time::Duration;

use serde::Serialize;

/// Durations in whole milliseconds, all of them kept.
#[derive(Debug, Clone, Default)]
pub struct Durations {
    millis: Vec<u64>,
}

/// Three percentiles by nearest rank: pN is the shortest of the durations that are at least as long as N % of all, so it
/// is always one of them. With one duration all three are that one.
///
/// The method without interpolation: <https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    pub p50: Duration,
    pub p90: Duration,
    pub p99: Duration,
}

impl Durations {
    pub fn add(&mut self, duration: Duration) {
        self.millis
            .push(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    }

    pub fn merge(&mut self, other: &Self) {
        self.millis.extend_from_slice(&other.millis);
    }

    pub fn count(&self) -> usize {
        self.millis.len()
    }

    /// `None` of none.
    pub fn percentiles(&self) -> Option<Percentiles> {
        let mut millis = self.millis.clone();
        millis.sort_unstable();
        let ranked = |percent: usize| {
            let rank = (millis.len() * percent).div_ceil(100);
            millis
                .get(rank.checked_sub(1)?)
                .map(|millis| Duration::from_millis(*millis))
        };
        Some(Percentiles {
            p50: ranked(50)?,
            p90: ranked(90)?,
            p99: ranked(99)?,
        })
    }
}

impl Percentiles {
    /// p50, p90 and p99 in seconds, to the millisecond as `v_requests.duration_s` has them. (`as_secs_f64` adds a whole and a part,
    /// and of 8.351 makes 8.350999999999999.)
    #[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
    pub fn in_seconds(self) -> [f64; 3] {
        [self.p50, self.p90, self.p99].map(|duration| duration.as_millis() as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_no_more_than_milliseconds() {
        for (millis, seconds) in [(8351, "8.351"), (7565, "7.565"), (86_400_123, "86400.123"), (1000, "1")] {
            let mut durations = Durations::default();
            durations.add(Duration::from_millis(millis));
            let told = durations.percentiles().unwrap().in_seconds();
            assert_eq!(told.map(|told| told.to_string()), [seconds; 3]);
        }
    }

    fn of(millis: impl IntoIterator<Item = u64>) -> Option<[u128; 3]> {
        let mut durations = Durations::default();
        for millis in millis {
            durations.add(Duration::from_millis(millis));
        }
        let Percentiles { p50, p90, p99 } = durations.percentiles()?;
        Some([p50, p90, p99].map(|duration| duration.as_millis()))
    }

    #[test]
    fn percentiles_are_values_that_were_seen() {
        assert_eq!(of([]), None);
        assert_eq!(of([7]), Some([7, 7, 7]));
        assert_eq!(of([1, 1000]), Some([1, 1000, 1000]));
        assert_eq!(of((1..=100).rev()), Some([50, 90, 99]));
        assert_eq!(of(1..=1000), Some([500, 900, 990]));
    }

    #[test]
    fn a_duration_longer_than_time_is_the_longest() {
        let mut durations = Durations::default();
        durations.add(Duration::MAX);
        assert_eq!(durations.percentiles().unwrap().p50, Duration::from_millis(u64::MAX));
    }
}
