//! Mute windows: hours of the week in which what a route would tell is held.
//!
//! - What falls into a window is told when it ends, never dropped. Windows that touch or overlap are one: what is held is
//!   not told in the second between two of them.
//! - Ask for the moment at which it would be told, not for that at which it happened: a group that waits may come to wait
//!   into a window.
//! - Times are those on the clock on the wall in the window's time zone, over changes of that clock too: a time that
//!   comes twice lies within a window both times, and a window that begins or ends at a time that is skipped begins or
//!   ends as the clock jumps.
//! - Time zones were read with the configuration: nothing here looks one up.
//!
//! Windows that leave no moment of a week free would hold what they mute for ever. The configuration refuses them
//! ([`leave_no_moment`]); should some get past it, they mute nothing.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::model::Timestamp;

/// Hours in which a route is mute.
#[derive(Debug, Clone, PartialEq)]
pub struct MuteWindow {
    /// The days on which it begins; none for each day.
    pub days: Vec<Weekday>,
    pub from: Time,
    /// The first moment that is free again. If it is before `from`, that is on the next day; if it is the same, the window
    /// lasts a day.
    pub to: Time,
    pub zone: TimeZone,
}

/// Windows come again each week, so whoever is muted for longer is muted for ever. Two weeks and a day, because the only
/// free moment of a week may be skipped as a clock is put forward.
const FARTHEST: Duration = Duration::from_hours(15 * 24);

/// The end of the windows that `now` lies in, `None` if it lies in none.
pub fn held_until(now: Timestamp, windows: &[MuteWindow]) -> Option<Timestamp> {
    let mut end = now;
    // Each turn moves the end on to that of another window, of which there are a few a day and a week of days at most.
    while end.since(now) <= FARTHEST {
        match windows.iter().filter_map(|window| window.end_around(end)).max() {
            Some(later) => end = later,
            None => return (end > now).then_some(end),
        }
    }
    None
}

/// Whether the windows leave no moment of a week free. Two weeks stand for all, one of winter and one of summer: between
/// them clocks are changed, by which windows in different zones move against each other.
pub fn leave_no_moment(windows: &[MuteWindow]) -> bool {
    // 2026-01-14 and 2026-07-15, both Wednesdays.
    [1_768_348_800_000, 1_784_073_600_000]
        .map(Timestamp::from_millis)
        .into_iter()
        .any(|now| windows.iter().any(|window| window.end_around(now).is_some()) && held_until(now, windows).is_none())
}

impl MuteWindow {
    /// The end of the window that `moment` lies in, if it lies in one that begins the day before, on the same day, or on
    /// the next: where a clock is put back over midnight, the next day's hours come before the day's last.
    fn end_around(&self, moment: Timestamp) -> Option<Timestamp> {
        let today = self.zone.to_datetime(moment.to_jiff()).date();
        let days = [today.yesterday(), Ok(today), today.tomorrow()].into_iter().flatten();
        days.filter_map(|day| self.on(day))
            .find(|(begin, end)| (*begin..*end).contains(&moment))
            .map(|(_, end)| end)
    }

    /// When the window that begins on `day` begins and ends, if one does.
    fn on(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days.is_empty() && !self.days.contains(&day.weekday()) {
            return None;
        }
        let last_day = if self.to > self.from { day } else { day.tomorrow().ok()? };
        let begin = self.moment(day.to_datetime(self.from), Edge::Begin)?;
        let end = self.moment(last_day.to_datetime(self.to), Edge::End)?;
        Some((begin, end))
    }

    /// When the clock on the wall shows `time`.
    fn moment(&self, time: DateTime, edge: Edge) -> Option<Timestamp> {
        let offset = match (self.zone.to_ambiguous_timestamp(time).offset(), edge) {
            (AmbiguousOffset::Unambiguous { offset }, _) => offset,
            // It comes twice: first before the clock is put back, then after.
            (AmbiguousOffset::Fold { before, .. }, Edge::Begin) => before,
            (AmbiguousOffset::Fold { after, .. }, Edge::End) => after,
            // It is skipped.
            (AmbiguousOffset::Gap { after, .. }, _) => {
                let before_the_jump = after.to_timestamp(time).ok()?;
                let jump = self.zone.following(before_the_jump).next()?;
                return Some(jump.timestamp().into());
            }
        };
        Some(offset.to_timestamp(time).ok()?.into())
    }
}

#[derive(Clone, Copy)]
enum Edge {
    Begin,
    End,
}

#[cfg(test)]
#[path = "mute_tests.rs"]
mod tests;
