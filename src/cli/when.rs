//! Times as people read them.

use std::time::Duration;

use crate::model::Timestamp;

/// How times are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Absolute, in UTC, instead of relative to now.
    pub(super) utc: bool,
    pub(super) now: Timestamp,
}

impl Times {
    pub(super) fn show(self, time: Option<Timestamp>) -> String {
        match time {
            None => "-".to_owned(),
            Some(time) if self.utc => time.to_string(),
            Some(time) if time > self.now => format!("in {}", rough(time.since(self.now))),
            Some(time) => format!("{} ago", rough(self.now.since(time))),
        }
    }
}

/// A duration in its one or two largest units: `850ms`, `12s`, `3m 20s`, `2h 5m`, `4d 1h`.
pub(super) fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (large, large_unit, small, small_unit) = match seconds {
        0 => return format!("{}ms", duration.as_millis()),
        1..60 => return format!("{seconds}s"),
        60..3_600 => (seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => (seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        _ => (seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    };
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit} {small}{small_unit}")
    }
}

/// A view's `duration_s`.
pub(super) fn seconds(duration: Option<f64>) -> String {
    duration
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .map_or_else(|| "-".to_owned(), rough)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_their_two_largest_units() {
        let shown = [0, 850, 12_000, 200_000, 7_500_000, 352_800_000].map(|ms| rough(Duration::from_millis(ms)));
        assert_eq!(shown, ["0ms", "850ms", "12s", "3m 20s", "2h 5m", "4d 2h"]);
        assert_eq!(rough(Duration::from_hours(2)), "2h");
        assert_eq!(
            (seconds(None), seconds(Some(f64::NAN)), seconds(Some(2.5))),
            ("-".into(), "-".into(), "2s".into())
        );
    }

    #[test]
    fn times_are_relative_unless_utc_is_asked_for() {
        let times = Times {
            utc: false,
            now: Timestamp::from_millis(100_000),
        };
        assert_eq!(times.show(Some(Timestamp::from_millis(40_000))), "1m ago");
        assert_eq!(times.show(Some(Timestamp::from_millis(105_000))), "in 5s");
        assert_eq!(times.show(None), "-");
        assert_eq!(
            Times { utc: true, ..times }.show(Some(Timestamp::from_millis(0))),
            "1970-01-01T00:00:00.000Z"
        );
    }
}
