//! How long what has ended is remembered, and how much of it is forgotten at once.

use std::time::Duration;

use super::diff;

/// The shortest time for which a history may keep what has ended: a day more than the service lists it. What is listed
/// but forgotten would be taken for new, and told again. The day is for a `last_seen_at` that lags by up to two hours,
/// and for clocks that differ.
pub const SHORTEST: Duration = Duration::from_secs(diff::RETENTION.as_secs() + 24 * 3600);

/// What a step is to take. Looks and verdicts wait for it, and 50 ms is the most that they are to wait: a step that meets
/// heavier rows, or a slower disk, than those before it has room to take five times as long.
const AIM: Duration = Duration::from_millis(10);

/// After so long a step removes no more, however few rows those were: the rest of the 50 ms is for its commit.
pub const LONGEST_STEP: Duration = Duration::from_millis(15);

/// How many rows the next step may remove.
///
/// Rows and not requests, since a request can have ten or fifty thousand of them, and it is rows that cost time. The
/// number follows from how long the last step took: it shrinks at once, and grows slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stride(usize);

impl Stride {
    /// Few enough for a slow disk.
    pub const FIRST: Self = Self(200);
    /// Where so few take longer than they should, it is the disk's sync that does, which fewer rows do not hasten.
    pub const LEAST: Self = Self(25);
    /// A step's pages are to fit into SQLite's cache, which holds 2 MB.
    pub const MOST: Self = Self(4000);

    pub fn rows(self) -> usize {
        self.0
    }

    /// The stride after a step that removed `rows` and took `took`.
    ///
    /// A step that found less than it was allowed to remove says nothing about what more would have taken.
    #[must_use]
    pub fn after(self, rows: usize, took: Duration) -> Self {
        let most = if rows < self.0 { self.0 } else { self.0 + self.0 / 4 };
        let took = took.as_micros().max(1);
        let fitting = u128::try_from(self.0)
            .unwrap_or(u128::MAX)
            .saturating_mul(AIM.as_micros())
            / took;
        let next = usize::try_from(fitting).unwrap_or(usize::MAX).clamp(self.0 / 4, most);
        Self(next.clamp(Self::LEAST.0, Self::MOST.0))
    }
}

impl Default for Stride {
    fn default() -> Self {
        Self::FIRST
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// After so many steps on a machine where a step costs `fixed` and each row `per_row` more.
    fn settled(fixed: Duration, per_row: Duration, steps: usize) -> Stride {
        (0..steps).fold(Stride::FIRST, |stride, _| {
            let rows = stride.rows();
            stride.after(rows, fixed + per_row * u32::try_from(rows).unwrap())
        })
    }

    #[test]
    fn it_settles_where_a_step_takes_what_it_should() {
        let stride = settled(millis(2), Duration::from_micros(20), 100);
        let took = millis(2) + Duration::from_micros(20) * u32::try_from(stride.rows()).unwrap();
        assert!((millis(9)..=millis(11)).contains(&took), "{stride:?} {took:?}");
        assert_eq!(settled(millis(1), Duration::from_nanos(1), 100), Stride::MOST);
    }

    #[test]
    fn it_shrinks_at_once_and_grows_slowly() {
        assert_eq!(Stride(1000).after(1000, millis(20)), Stride(500));
        assert_eq!(Stride(1000).after(1000, millis(10_000)), Stride(250));
        assert_eq!(Stride(1000).after(1000, millis(1)), Stride(1250));
    }

    #[test]
    fn a_sync_that_is_slow_by_itself_does_not_bring_forgetting_to_a_stop() {
        assert_eq!(settled(millis(80), Duration::ZERO, 100), Stride::LEAST);
    }

    #[test]
    fn a_step_that_found_little_is_no_reason_to_grow() {
        assert_eq!(Stride(1000).after(3, millis(1)), Stride(1000));
        assert_eq!(Stride(1000).after(3, millis(60)), Stride(250));
    }

    #[test]
    fn it_stays_within_its_bounds_whatever_a_step_took() {
        proptest!(|(rows in Stride::LEAST.0..=Stride::MOST.0, found in 0..10_000usize, micros in any::<u64>())| {
            let next = Stride(rows).after(found, Duration::from_micros(micros));
            prop_assert!((Stride::LEAST.0..=Stride::MOST.0).contains(&next.0));
            prop_assert!(next.0 <= rows.max(rows + rows / 4));
        });
    }
}
