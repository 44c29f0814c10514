//! How long what has ended is remembered, how much of it is forgotten at once, and when.

use std::time::Duration;

use super::diff;

/// The shortest time for which a history may keep what has ended: a day more than the service lists it. What is listed
/// but forgotten would be taken for new, and told again. The day is for a `last_seen_at` that lags by up to two hours,
/// and for clocks that differ.
pub const SHORTEST: Duration = Duration::from_secs(diff::RETENTION.as_secs() + 24 * 3600);

/// What a step is to take. Looks and verdicts wait for it, and 50 ms is the most that they are to wait: a step that meets
/// heavier rows than those before it has room to take many times as long. It is less than what Linux lets a program compute before
/// others have their turn (3 ms and more), since they may take tenths of a second of the processor, with the lock held.
/// <https://docs.kernel.org/scheduler/sched-eevdf.html>
pub const AIM: Duration = Duration::from_millis(2);

/// After so long a step removes no more, however few rows those were: the rest is for its commit.
pub const LONGEST_STEP: Duration = Duration::from_millis(3);

/// How many rows the next step may remove.
///
/// Rows and not requests, since a request can have ten or fifty thousand of them, and it is rows that cost time. The
/// number follows from how long the last step took: it shrinks at once, and grows slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stride(usize);

impl Stride {
    /// Few enough for a slow disk.
    pub const FIRST: Self = Self(50);
    /// Where so few take longer than they should, it is not for their number.
    pub const LEAST: Self = Self(10);
    /// A step's pages are to fit into SQLite's cache, which holds 2 MB.
    pub const MOST: Self = Self(4000);

    pub fn rows(self) -> usize {
        self.0
    }

    /// The stride after a step that removed `rows` and took `took`, where each is to take `aim`.
    ///
    /// A step that found less than it was allowed to remove says nothing about what more would have taken.
    #[must_use]
    pub fn after(self, rows: usize, took: Duration, aim: Duration) -> Self {
        let most = if rows < self.0 { self.0 } else { self.0 + self.0 / 4 };
        let took = took.as_micros().max(1);
        let fitting = u128::try_from(self.0)
            .unwrap_or(u128::MAX)
            .saturating_mul(aim.as_micros())
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

/// Whether the disk is quick enough for a step.
///
/// A step does not sync, but it may have to wait for the disk all the same: for a page that was not read before, or for one of
/// the write-ahead log that is on its way to the disk. Where another program keeps the disk busy, one such wait can be longer
/// than the 50 ms, and a step can't leave off in it. So the disk is tried before each step, with a file that no lock of the
/// history guards, and a step is taken only after it was quick [many times in a row](Self::IN_A_ROW). A step that was slow itself
/// ends such a row.
///
/// On a disk that is never calm no step is taken, however long that lasts: that no look waits longer is what people rely on, and
/// the history can be pruned by hand, at a time that suits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calm {
    in_a_row: u32,
    /// Of the last try: the uptime, and whose turn it was.
    last: Option<(Duration, Turn)>,
    waited: Duration,
}

/// What is to be done about what is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Take a step.
    Step,
    /// Wait for so long, and try the disk again.
    Wait(Duration),
}

impl Calm {
    /// Half of what a step may take. On the disk that was measured a try takes half a millisecond, and more than this in every
    /// second or third case while it is kept busy.
    pub const QUICK: Duration = Duration::from_millis(25);
    /// A busy disk is quick now and then: nine times in a row at the most, of 300 tries ten a second while a program wrote and
    /// synced 200 MB over and over.
    pub const IN_A_ROW: u32 = 20;
    /// Between two tries. A step takes a hundredth of it, so when another program begins to keep the disk busy, a step is seldom
    /// under way.
    pub const PAUSE: Duration = Duration::from_secs(1);
    /// After a slow try: each is one more thing to do for a disk that is busy.
    const AFTER_A_SLOW_ONE: Duration = Duration::from_secs(10);
    /// What was seen longer ago says nothing about now.
    const ROW_ENDS_AFTER: Duration = Duration::from_secs(15);

    /// What to do at the uptime `now`, when a try took `took`.
    pub fn turn(&mut self, took: Duration, now: Duration) -> Turn {
        if let Some((at, turn)) = self.last {
            let since = now.saturating_sub(at);
            if since > Self::ROW_ENDS_AFTER {
                self.in_a_row = 0;
            } else if turn != Turn::Step {
                self.waited += since;
            }
        }
        let is_quick = self.count(took);
        let turn = if self.in_a_row >= Self::IN_A_ROW {
            Turn::Step
        } else if is_quick {
            Turn::Wait(Self::PAUSE)
        } else {
            Turn::Wait(Self::AFTER_A_SLOW_ONE)
        };
        self.last = Some((now, turn));
        turn
    }

    /// Takes note of a step that took so long.
    pub fn stepped(&mut self, took: Duration) {
        self.count(took);
    }

    /// For how long steps were waited for, all in all.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Whether that was quick.
    fn count(&mut self, took: Duration) -> bool {
        let is_quick = took <= Self::QUICK;
        self.in_a_row = if is_quick { self.in_a_row.saturating_add(1) } else { 0 };
        is_quick
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
            stride.after(rows, fixed + per_row * u32::try_from(rows).unwrap(), AIM)
        })
    }

    #[test]
    fn it_settles_where_a_step_takes_what_it_should() {
        let stride = settled(millis(1), Duration::from_micros(20), 100);
        let took = millis(1) + Duration::from_micros(20) * u32::try_from(stride.rows()).unwrap();
        assert!((AIM * 4 / 5..=AIM * 6 / 5).contains(&took), "{stride:?} {took:?}");
        assert_eq!(settled(millis(1), Duration::from_nanos(1), 100), Stride::MOST);
    }

    #[test]
    fn it_shrinks_at_once_and_grows_slowly() {
        assert_eq!(Stride(1000).after(1000, 2 * AIM, AIM), Stride(500));
        assert_eq!(Stride(1000).after(1000, millis(10_000), AIM), Stride(250));
        assert_eq!(Stride(1000).after(1000, AIM / 5, AIM), Stride(1250));
    }

    #[test]
    fn a_step_that_is_slow_by_itself_does_not_bring_forgetting_to_a_stop() {
        assert_eq!(settled(millis(80), Duration::ZERO, 100), Stride::LEAST);
    }

    #[test]
    fn a_step_that_found_little_is_no_reason_to_grow() {
        assert_eq!(Stride(1000).after(3, AIM / 5, AIM), Stride(1000));
        assert_eq!(Stride(1000).after(3, millis(60), AIM), Stride(250));
    }

    #[test]
    fn it_stays_within_its_bounds_whatever_a_step_took() {
        proptest!(|(rows in Stride::LEAST.0..=Stride::MOST.0, found in 0..10_000usize, micros in any::<u64>())| {
            let next = Stride(rows).after(found, Duration::from_micros(micros), AIM);
            prop_assert!((Stride::LEAST.0..=Stride::MOST.0).contains(&next.0));
            prop_assert!(next.0 <= rows.max(rows + rows / 4));
        });
    }

    const SLOW: Duration = millis(26);

    /// Tries as the daemon does, one after the other, and answers with the number of steps, and when it ended.
    fn tried(calm: &mut Calm, from: Duration, tries: impl IntoIterator<Item = Duration>) -> (usize, Duration) {
        let (mut steps, mut now) = (0, from);
        for took in tries {
            now += match calm.turn(took, now) {
                Turn::Wait(pause) => pause,
                Turn::Step => {
                    steps += 1;
                    calm.stepped(millis(5));
                    Calm::PAUSE
                }
            };
        }
        (steps, now)
    }

    const IN_A_ROW: usize = Calm::IN_A_ROW as usize;

    #[test]
    fn a_step_is_taken_after_the_disk_was_quick_many_times_in_a_row() {
        let mut calm = Calm::default();
        let quick = |times| std::iter::repeat_n(Calm::QUICK, times);
        let (steps, now) = tried(&mut calm, millis(0), quick(IN_A_ROW - 1));
        assert_eq!(steps, 0);
        let (steps, now) = tried(&mut calm, now, quick(2));
        assert_eq!(steps, 2);
        let (steps, now) = tried(&mut calm, now, [SLOW].into_iter().chain(quick(IN_A_ROW - 1)));
        assert_eq!(steps, 0);
        let (steps, _) = tried(&mut calm, now, quick(1));
        assert_eq!(steps, 1);
    }

    #[test]
    fn after_a_step_that_was_slow_itself_the_disk_is_to_become_calm_anew() {
        let mut calm = Calm::default();
        let (_, now) = tried(&mut calm, millis(0), [millis(1); IN_A_ROW]);
        calm.stepped(SLOW);
        let (steps, now) = tried(&mut calm, now, [millis(1); IN_A_ROW - 1]);
        assert_eq!(steps, 0);
        let (steps, _) = tried(&mut calm, now, [millis(1)]);
        assert_eq!(steps, 1);
    }

    #[test]
    fn what_was_seen_long_ago_says_nothing() {
        let mut calm = Calm::default();
        let quick = [millis(1); IN_A_ROW];
        let (steps, now) = tried(&mut calm, millis(0), quick);
        assert_eq!(steps, 1);
        let (steps, _) = tried(&mut calm, now + Duration::from_mins(1), quick);
        assert_eq!(steps, 1);
    }

    #[test]
    fn on_a_disk_that_is_never_calm_no_step_is_taken_however_long_that_lasts() {
        let never: &[Duration] = &[SLOW];
        let seldom: &[Duration] = &[&[SLOW][..], &[millis(1); IN_A_ROW - 1][..]].concat();
        for tries in [never, seldom] {
            let (mut calm, mut now) = (Calm::default(), millis(5));
            while now < Duration::from_hours(24) {
                let (steps, later) = tried(&mut calm, now, tries.iter().copied());
                assert_eq!(steps, 0);
                now = later;
            }
            assert!(calm.waited() > Duration::from_hours(23), "{calm:?}");
        }
    }

    #[test]
    fn only_what_passes_without_a_step_is_waited() {
        let mut calm = Calm::default();
        let (steps, _) = tried(&mut calm, millis(0), [millis(1); 1000]);
        assert_eq!(steps, 1000 - (IN_A_ROW - 1));
        assert_eq!(calm.waited(), Calm::PAUSE * (Calm::IN_A_ROW - 1));
    }
}
