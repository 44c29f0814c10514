//! Times as people read and write them.

use std::ops::Range;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::Failure;
use crate::model::Timestamp;
pub(super) use crate::statistics::rough;

/// A time as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// So long ago.
    Ago(Duration),
    At(Timestamp),
}

impl Moment {
    pub(super) fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(duration) => now.minus(duration),
            Self::At(time) => time,
        }
    }
}

/// Reads `2d`, `1h 30m` or, as journalctl has it, `-2d` (so long ago), or what [`time`] reads.
///
/// For the hyphen an option that takes a moment has to allow hyphens, and is handed the next option where the moment was
/// forgotten.
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(duration) = humantime::parse_duration(text.strip_prefix('-').unwrap_or(text)) {
        return Ok(Moment::Ago(duration));
    }
    let expected = "expected how long ago, such as 2d or 1h 30m, or a time, such as 2026-11-22T06:28:00Z or 2026-11-22";
    time(text).map(Moment::At).map_err(|_| {
        if is_option(text) {
            format!("this is the next option, and a time is missing before it; {expected}")
        } else {
            expected.to_owned()
        }
    })
}

/// Reads how long something is to take, such as `30s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "expected how long, such as 30s, 5m or 1h 30m".to_owned())
}

fn is_option(text: &str) -> bool {
    let name = text.strip_prefix('-');
    name.is_some_and(|name| name.starts_with(|c: char| c == '-' || c.is_alphabetic()))
}

/// Reads a time of ISO 8601: with an offset, or without one as the clock on the wall shows it here.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let local = || {
        let civil = text.parse().ok()?;
        Some(in_zone(civil, &TimeZone::system()))
    };
    Timestamp::parse(text)
        .or_else(local)
        .ok_or_else(|| "expected a time, such as 2026-11-22T06:28:00Z, \"2026-11-22 18:00\" or 2026-11-22".to_owned())
}

/// When the clock on the wall shows `civil`: the first time, where it is put back; where it is put forward, as if it had not
/// been yet.
fn in_zone(civil: DateTime, zone: &TimeZone) -> Timestamp {
    let offset = match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
    };
    Timestamp::of_civil(civil, offset)
}

/// The time from a moment until another one, unless nothing can lie between.
pub(super) fn span(since: Timestamp, until: Timestamp) -> Result<Range<Timestamp>, Failure> {
    if since < until {
        return Ok(since..until);
    }
    Err(Failure::Arguments(format!(
        "--since {since} is not before --until {until}, so nothing can lie between"
    )))
}

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
    fn a_duration_that_is_none_is_a_dash() {
        assert_eq!(
            (seconds(None), seconds(Some(f64::NAN)), seconds(Some(2.5))),
            ("-".into(), "-".into(), "2s".into())
        );
    }

    #[test]
    fn a_moment_is_so_long_ago_or_a_time() {
        let now = Timestamp::from_millis(1_795_328_880_000);
        let read = |text| moment(text).map(|moment| moment.from(now).to_string());
        assert_eq!(read("1h 30m").as_deref(), Ok("2026-11-22T04:58:00.000Z"));
        assert_eq!(read("2026-11-22T06:28:00Z").as_deref(), Ok("2026-11-22T06:28:00.000Z"));
        assert_eq!(
            read("2026-11-22T08:28:00+02:00").as_deref(),
            Ok("2026-11-22T06:28:00.000Z")
        );
        assert!(time("2026-11-22 18:00").is_ok() && time("2026-11-22").is_ok());
        assert_eq!(read("2026-11-01T00:00Z").as_deref(), Ok("2026-11-01T00:00:00.000Z"));
        assert_eq!(read("-1h 30m"), read("1h 30m"));
        for wrong in [
            "",
            "-",
            "yesterday",
            "2d ago",
            "2026-13-01",
            "--2d",
            "-2x",
            "-2026-11-22",
        ] {
            assert!(moment(wrong).is_err() && time(wrong).is_err(), "{wrong}");
        }
        assert!(time("2d").is_err() && time("-2d").is_err());
    }

    #[test]
    fn an_option_in_a_moments_place_is_told_from_a_moment_that_is_wrong() {
        for (text, is_missing) in [
            ("--open", true),
            ("-f", true),
            ("--", true),
            ("-2x", false),
            ("-", false),
        ] {
            let refused = moment(text).unwrap_err();
            assert!(refused.contains("expected how long ago"), "{refused}");
            assert_eq!(refused.contains("a time is missing"), is_missing, "{text}: {refused}");
        }
    }

    #[test]
    fn for_ever_is_a_time_too() {
        let last = "9999-12-31T23:59:59.999Z";
        assert_eq!(time(last).map(|time| time.to_string()).as_deref(), Ok(last));
        assert!(time("9999-12-31").is_ok() && moment("9999-12-31T23:59:59").is_ok());
        assert!(time("10000-01-01").is_err() && time("9999-12-32").is_err());
        // Where the year ends later than in UTC, its last hours are held to the last moment that can be written.
        let new_york = TimeZone::get("America/New_York").unwrap();
        let in_new_york = |civil: &str| in_zone(civil.parse().unwrap(), &new_york).to_string();
        assert_eq!(in_new_york("9999-12-31T12:00"), "9999-12-31T17:00:00.000Z");
        assert_eq!(in_new_york("9999-12-31T23:59"), last);
    }

    #[test]
    fn a_clock_that_is_changed_is_read_as_jiff_reads_it() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for civil in [
            "2026-01-01T00:00",
            "2026-03-29T02:30",
            "2026-07-01T12:00",
            "2026-10-25T02:30",
        ] {
            let civil: DateTime = civil.parse().unwrap();
            let expected = civil.to_zoned(berlin.clone()).unwrap().timestamp();
            assert_eq!(in_zone(civil, &berlin), expected.into(), "{civil}");
        }
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
