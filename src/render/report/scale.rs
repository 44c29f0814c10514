//! Round numbers for axes.

use std::time::Duration;

use crate::statistics::{rough, thousands};

/// A mark of an axis: where it is, from 0 to 1, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) label: String,
}

/// From zero to a round number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counts {
    top: u64,
    step: u64,
}

impl Counts {
    /// About `marks` steps of 1, 2 or 5 times a power of ten reach `highest`.
    pub(super) fn to(highest: u64, marks: u64) -> Self {
        let highest = highest.max(1);
        let powers = std::iter::successors(Some(1_u64), |power| power.checked_mul(10));
        let steps = powers.flat_map(|power| [1, 2, 5].map(|digit| power.saturating_mul(digit)));
        let step = steps
            .into_iter()
            .find(|step| highest.div_ceil(*step) <= marks)
            .unwrap_or(highest);
        Self {
            top: highest.div_ceil(step).saturating_mul(step),
            step,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
    pub(super) fn place(&self, count: u64) -> f64 {
        count as f64 / self.top as f64
    }

    pub(super) fn marks(&self) -> Vec<Mark> {
        (0..=self.top / self.step)
            .map(|number| Mark {
                at: self.place(number * self.step),
                label: thousands(number * self.step),
            })
            .collect()
    }
}

/// From zero to a round share.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shares {
    percent: u32,
}

impl Shares {
    /// The least of the usual tops that holds `highest`, from 0 to 1.
    pub(super) fn to(highest: f64) -> Self {
        let tops = [1, 2, 5, 10, 20, 50];
        let top = tops.into_iter().find(|top| highest * 100.0 <= f64::from(*top));
        Self {
            percent: top.unwrap_or(100),
        }
    }

    pub(super) fn place(&self, share: f64) -> f64 {
        share * 100.0 / f64::from(self.percent)
    }

    pub(super) fn marks(&self) -> Vec<Mark> {
        let steps = if self.percent == 1 || self.percent == 2 { 2 } else { 5 };
        (0..=steps)
            .map(|number| {
                let percent = f64::from(self.percent * number) / f64::from(steps);
                Mark {
                    at: f64::from(number) / f64::from(steps),
                    label: format!("{percent} %"),
                }
            })
            .collect()
    }
}

/// Durations by their logarithm: what takes a second and what takes an hour fit on one axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spans {
    /// Of marks, in the list below.
    first: usize,
    last: usize,
}

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Milliseconds that people have a word for, about evenly far apart by their logarithm.
const MARKS: [u64; 15] = [
    1,
    10,
    100,
    SECOND,
    10 * SECOND,
    MINUTE,
    10 * MINUTE,
    HOUR,
    6 * HOUR,
    DAY,
    10 * DAY,
    100 * DAY,
    1000 * DAY,
    10_000 * DAY,
    100_000 * DAY,
];

impl Spans {
    /// From the mark at or before the shortest to the one at or after the longest.
    pub(super) fn over(shortest: Duration, longest: Duration) -> Self {
        let (shortest, longest) = (millis(shortest), millis(longest));
        let first = MARKS.iter().rposition(|mark| *mark <= shortest).unwrap_or(0);
        let last = MARKS
            .iter()
            .position(|mark| *mark >= longest)
            .unwrap_or(MARKS.len() - 1);
        let first = first.min(MARKS.len() - 2);
        Self {
            first,
            last: last.max(first + 1),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
    pub(super) fn place(&self, duration: Duration) -> f64 {
        let logarithm = |millis: u64| (millis.max(1) as f64).ln();
        let (first, last) = (logarithm(MARKS[self.first]), logarithm(MARKS[self.last]));
        ((logarithm(millis(duration)) - first) / (last - first)).clamp(0.0, 1.0)
    }

    pub(super) fn marks(&self) -> Vec<Mark> {
        let shown = &MARKS[self.first..=self.last];
        let mark = |millis: &u64| {
            let duration = Duration::from_millis(*millis);
            Mark {
                at: self.place(duration),
                label: rough(duration),
            }
        };
        shown.iter().map(mark).collect()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(marks: &[Mark]) -> String {
        assert!(marks.is_sorted_by(|one, other| one.at < other.at));
        assert!(marks.first().unwrap().at.abs() < 1e-9 && (marks.last().unwrap().at - 1.0).abs() < 1e-9);
        marks
            .iter()
            .map(|mark| mark.label.as_str())
            .collect::<Vec<_>>()
            .join(" | ")
    }

    #[test]
    fn counts_are_marked_in_round_steps_that_reach_the_highest() {
        assert_eq!(labels(&Counts::to(0, 5).marks()), "0 | 1");
        assert_eq!(labels(&Counts::to(3, 5).marks()), "0 | 1 | 2 | 3");
        assert_eq!(labels(&Counts::to(17, 5).marks()), "0 | 5 | 10 | 15 | 20");
        assert_eq!(
            labels(&Counts::to(2001, 5).marks()),
            "0 | 500 | 1,000 | 1,500 | 2,000 | 2,500"
        );
        for highest in [u64::MAX, u64::MAX - 1, 10_u64.pow(19)] {
            let counts = Counts::to(highest, 5);
            assert!(counts.place(highest) <= 1.0 && counts.marks().len() <= 7, "{counts:?}");
        }
    }

    #[test]
    fn shares_end_at_a_round_one() {
        assert_eq!(labels(&Shares::to(0.0).marks()), "0 % | 0.5 % | 1 %");
        assert_eq!(labels(&Shares::to(0.07).marks()), "0 % | 2 % | 4 % | 6 % | 8 % | 10 %");
        assert_eq!(
            labels(&Shares::to(1.0).marks()),
            "0 % | 20 % | 40 % | 60 % | 80 % | 100 %"
        );
    }

    #[test]
    fn durations_are_marked_where_people_have_a_word() {
        let over = |shortest, longest| Spans::over(Duration::from_millis(shortest), Duration::from_millis(longest));
        assert_eq!(labels(&over(2500, 300_000).marks()), "1s | 10s | 1m | 10m");
        assert_eq!(labels(&over(1000, 1000).marks()), "1s | 10s");
        assert_eq!(labels(&over(0, 0).marks()), "1ms | 10ms");
        assert_eq!(labels(&over(u64::MAX, u64::MAX).marks()), "10000d | 100000d");
        let spans = over(1000, 100_000);
        assert!(spans.place(Duration::ZERO).abs() < 1e-9);
        assert!((spans.place(Duration::MAX) - 1.0).abs() < 1e-9);
    }
}
