//! How large a history is, and how fast it grows.

use std::time::Duration;

use serde::Serialize;

use crate::model::Timestamp;

const DAY: Duration = Duration::from_hours(24);

/// What a history holds, and what room it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Of the database file.
    pub file_bytes: u64,
    /// Of the write-ahead log next to it.
    pub wal_bytes: u64,
    /// Of the file: what was deleted left room for what comes. `VACUUM` gives it back.
    pub free_bytes: u64,
    pub requests: u64,
    /// ProgressEvents.
    pub events: u64,
    /// Whether `events` was found by samples: to count millions takes seconds.
    pub events_estimated: bool,
    /// When the oldest request started.
    pub oldest_at: Option<Timestamp>,
    /// When the one was last seen that has been over for longest. One that never ends is kept whatever its age.
    pub oldest_ended_at: Option<Timestamp>,
    /// Requests that started within [`Size::RECENT`].
    pub recent_requests: u64,
}

/// How fast a history grows: an estimate, by the requests of late and the room that one takes on average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Growth {
    pub requests_per_day: f64,
    pub bytes_per_day: u64,
}

impl Size {
    /// The days that growth is measured over.
    pub const RECENT: Duration = Duration::from_hours(30 * 24);

    /// With all that hangs on it: events, hooks, changes, deliveries, indexes. `None` of no requests.
    pub fn bytes_per_request(&self) -> Option<u64> {
        self.file_bytes
            .saturating_sub(self.free_bytes)
            .checked_div(self.requests)
    }

    /// `None` while there is less than a day of history: an hour says little of a day.
    ///
    /// What is kept reaches back to the oldest request that ended, and no further than `retention`: an open one that is older
    /// than that says nothing of how many there were.
    pub fn growth(&self, now: Timestamp, retention: Option<Duration>) -> Option<Growth> {
        let age = now.since(self.oldest_ended_at?).min(Self::RECENT);
        let age = retention.map_or(age, |retention| age.min(retention));
        let bytes_per_request = self.bytes_per_request()?;
        (age >= DAY).then(|| {
            let requests_per_day = float(self.recent_requests) / (age.as_secs_f64() / DAY.as_secs_f64());
            Growth {
                requests_per_day,
                bytes_per_day: whole(requests_per_day * float(bytes_per_request)),
            }
        })
    }
}

impl Growth {
    /// What so long a retention comes to if all goes on as it did.
    pub fn bytes_within(&self, retention: Duration) -> u64 {
        whole(float(self.bytes_per_day) * (retention.as_secs_f64() / DAY.as_secs_f64()))
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn float(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never negative, and `as` holds what is too large to the largest"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_328_880_000);

    fn size(age: Duration) -> Size {
        Size {
            file_bytes: 1_100_000,
            wal_bytes: 5000,
            free_bytes: 100_000,
            requests: 1000,
            events: 10_000,
            events_estimated: false,
            oldest_at: Some(NOW.minus(age)),
            oldest_ended_at: Some(NOW.minus(age)),
            recent_requests: 300,
        }
    }

    #[test]
    fn growth_is_the_room_of_a_request_times_those_of_a_day() {
        let growth = size(700 * DAY).growth(NOW, None).unwrap();
        assert_eq!((growth.requests_per_day, growth.bytes_per_day), (10.0, 10_000));
        assert_eq!(growth.bytes_within(90 * DAY), 900_000);
        let young = size(3 * DAY).growth(NOW, None).unwrap();
        assert_eq!((young.requests_per_day, young.bytes_per_day), (100.0, 100_000));
    }

    #[test]
    fn an_open_request_that_is_older_than_all_that_is_kept_slows_no_growth() {
        let with_old = Size {
            oldest_at: Some(NOW.minus(300 * DAY)),
            ..size(10 * DAY)
        };
        assert_eq!(with_old.growth(NOW, None).unwrap().bytes_per_day, 30_000);
        let kept = size(700 * DAY).growth(NOW, Some(15 * DAY)).unwrap();
        assert_eq!(kept.bytes_per_day, 20_000);
        let none_ended = Size {
            oldest_ended_at: None,
            ..with_old
        };
        assert_eq!(none_ended.growth(NOW, None), None);
    }

    #[test]
    fn a_history_of_hours_or_of_nothing_has_no_growth() {
        assert_eq!(size(DAY / 2).growth(NOW, None), None);
        let empty = Size {
            requests: 0,
            oldest_at: None,
            oldest_ended_at: None,
            ..size(DAY)
        };
        assert_eq!((empty.growth(NOW, None), empty.bytes_per_request()), (None, None));
    }
}
