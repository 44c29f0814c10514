//! A point in time, to the millisecond.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use serde::{Serialize, Serializer};

/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Cloud Control sends times as floating-point seconds, and the SDK hands `…268.481` on as 480,999,946 ns. Two answers
/// about one event must compare equal (trap 3), so a time is rounded to milliseconds where it enters, once, and there
/// is no finer time in the program. Written as ISO 8601 UTC with three decimals: `2026-11-22T06:28:00.123Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest and latest times that can be written (the years −9999 to 9999, all of them); what lies beyond is held to
    /// them, so that an absurd number from the wire can never make printing fail.
    const MIN_MILLIS: i64 = -377_705_116_800_000;
    const MAX_MILLIS: i64 = 253_402_300_799_999;
    const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

    pub const fn from_millis(millis: i64) -> Self {
        if millis < Self::MIN_MILLIS {
            Self(Self::MIN_MILLIS)
        } else if millis > Self::MAX_MILLIS {
            Self(Self::MAX_MILLIS)
        } else {
            Self(millis)
        }
    }

    /// From seconds and nanoseconds, rounded to the nearest millisecond.
    pub fn rounded(seconds: i64, nanoseconds: u32) -> Self {
        let millis = (i64::from(nanoseconds) + 500_000) / 1_000_000;
        Self::from_millis(seconds.saturating_mul(1000).saturating_add(millis))
    }

    /// When a clock that is `offset` ahead of UTC shows `civil`.
    pub fn of_civil(civil: DateTime, offset: Offset) -> Self {
        let local = civil.duration_since(Self::EPOCH);
        let seconds = local.as_secs() - i64::from(offset.seconds());
        Self::from_millis(seconds * 1000 + i64::from(local.subsec_millis()))
    }

    /// Reads a time of ISO 8601 with an offset, such as `Z`.
    pub fn parse(text: &str) -> Option<Self> {
        let pieces = Pieces::parse(text).ok()?;
        let civil = pieces.date().to_datetime(pieces.time()?);
        Some(Self::of_civil(civil, pieces.to_numeric_offset()?))
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(millis))
    }

    /// What a clock in UTC shows.
    pub fn to_utc(self) -> DateTime {
        Self::EPOCH.saturating_add(SignedDuration::from_millis(self.0))
    }

    /// For time zones. Jiff leaves out the first and the last day, so that every zone has a date for what is left: what lies
    /// in them is held to the edge.
    pub fn to_jiff(self) -> jiff::Timestamp {
        let edge = if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        };
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(edge)
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self::from_millis(time.as_millisecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}Z", self.to_utc())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdks_floats_are_rounded_to_the_millisecond_that_was_sent() {
        assert_eq!(Timestamp::rounded(268, 480_999_946), Timestamp::from_millis(268_481));
        assert_eq!(Timestamp::rounded(268, 999_999_946), Timestamp::from_millis(269_000));
        assert_eq!(Timestamp::rounded(-1, 500_000_000), Timestamp::from_millis(-500));
    }

    #[test]
    fn is_written_as_iso_8601_with_milliseconds() {
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            Timestamp::from_millis(1_763_792_880_123).to_string(),
            "2025-11-22T06:28:00.123Z"
        );
    }

    #[test]
    fn absurd_numbers_are_held_to_what_can_be_written() {
        assert_eq!(
            Timestamp::from_millis(i64::MIN).to_string(),
            "-009999-01-01T00:00:00.000Z"
        );
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::from_millis(i64::MAX).to_jiff(), jiff::Timestamp::MAX);
        assert_eq!(Timestamp::from_millis(i64::MIN).to_jiff(), jiff::Timestamp::MIN);
        let _ = Timestamp::rounded(i64::MAX, 999_999_999)
            .plus(Duration::MAX)
            .minus(Duration::MAX);
    }

    #[test]
    fn what_is_written_is_read_to_the_edges_of_time() {
        for millis in [i64::MIN, -62_167_219_200_001, -1, 0, 1_763_792_880_123, i64::MAX] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        }
        assert_eq!(
            Timestamp::parse("2026-11-22T08:28:00.5+02:00"),
            Timestamp::parse("2026-11-22T06:28:00.500Z")
        );
        for beyond in ["9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59-12:00"] {
            assert_eq!(Timestamp::parse(beyond), Some(Timestamp::from_millis(i64::MAX)));
        }
        for wrong in [
            "",
            "2026-11-22",
            "2026-11-22T06:28:00",
            "10000-01-01T00:00:00Z",
            "9999-12-32T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(wrong), None, "{wrong}");
        }
    }
}
