//! What goes wrong between a client and the service, on purpose.
//!
//! Faults belong to the answers, never to the world: the same seed gives the same lives with and without them (a test
//! of `world` holds that), so that a history kept through faults can be compared with the truth.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::model::Timestamp;

/// The most that a token bucket holds or gains in a second.
pub(super) const MOST_CALLS: f64 = 1e6;

/// The longest that a call is made to wait: more than any client does.
pub(super) const SLOWEST: Duration = Duration::from_hours(1);

/// The largest difference between two clocks.
pub(super) const WIDEST_SKEW: Duration = Duration::from_hours(366 * 24);

/// The service's operations, all of them: those of the request API, and the two reads.
pub(super) const OPERATIONS: [&str; 8] = [
    "CreateResource",
    "UpdateResource",
    "DeleteResource",
    "GetResourceRequestStatus",
    "ListResourceRequests",
    "CancelResourceRequest",
    "GetResource",
    "ListResources",
];

/// What goes wrong. All off by default; shares are probabilities from 0 to 1, drawn for each call (or each answer's
/// field) alone. The same words stand in a scenario's `[faults]` and in JSON; there, durations are written as humantime
/// has it (`"1m 30s"`), the skew with a sign.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The account's call budget, as AWS has it: what exceeds it gets ThrottlingException.
    pub throttle: Option<Throttle>,
    /// Share of calls that get ThrottlingException whatever the budget says, as when others use it up.
    pub throttled: f64,
    /// Share of calls answered with HTTP 500 or 503.
    pub server_errors: f64,
    /// Share of calls whose connection is reset; in half of them the call was carried out before.
    pub resets: f64,
    /// Share of answers that break off in the middle of the body. The call was carried out.
    pub cut_off: f64,
    /// Share of calls that wait `slow_by` before they are looked at.
    pub slow: f64,
    #[serde(with = "humantime_text")]
    pub slow_by: Duration,
    /// Every call gets ExpiredTokenException.
    pub expired_credentials: bool,
    /// Operations that get AccessDeniedException; `*` for all.
    pub access_denied: BTreeSet<String>,
    /// How far the service's clock is ahead of ours (behind, if negative). Moves Date, EventTime and RetryAfter.
    pub clock_skew: Skew,
    /// Share of each optional field's appearances that are left out. RequestToken alone always stays.
    pub missing_fields: f64,
    /// Share of the statuses, of requests and of hooks, in whose place stands a word that no documentation knows.
    pub unknown_statuses: f64,
    /// Share of the pages after the first whose NextToken is the one that was sent.
    pub repeated_next_tokens: f64,
    /// Share of the pages after the first that begin a few entries early or late: entries come twice or not at all.
    pub shifting_pages: f64,
    /// Share of answers that are `{}`. The call was carried out.
    pub empty_bodies: f64,
}

/// A token bucket: `burst` calls at once, and `per_second` in the long run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    pub per_second: f64,
    pub burst: f64,
}

/// A difference between two clocks, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skew {
    pub by: Duration,
    pub behind: bool,
}

impl Skew {
    pub const fn ahead(by: Duration) -> Self {
        Self { by, behind: false }
    }

    pub const fn behind(by: Duration) -> Self {
        Self { by, behind: true }
    }

    /// What the skewed clock shows at `now`.
    pub(super) fn shown(self, now: Timestamp) -> Timestamp {
        if self.behind {
            now.minus(self.by)
        } else {
            now.plus(self.by)
        }
    }
}

/// Why these faults can't be.
#[derive(Debug, Error, PartialEq)]
pub enum FaultsError {
    #[error("`{name}` is {value}: a share is a number from 0 to 1")]
    Share { name: &'static str, value: f64 },
    #[error("`throttle.{name}` is {value}: it must be a number from 0 to {MOST_CALLS}")]
    Throttle { name: &'static str, value: f64 },
    #[error("`{name}` is longer than {}", humantime::format_duration(*.longest))]
    Duration { name: &'static str, longest: Duration },
    #[error("`slow` is given without `slow_by`: how long do the calls wait?")]
    SlowByNothing,
    #[error("`access_denied` names {operation:?}: expected `*` or some of {}", OPERATIONS.join(", "))]
    Operation { operation: String },
}

impl Faults {
    /// Whether each value can be meant.
    pub fn check(&self) -> Result<(), FaultsError> {
        let shares = [
            ("throttled", self.throttled),
            ("server_errors", self.server_errors),
            ("resets", self.resets),
            ("cut_off", self.cut_off),
            ("slow", self.slow),
            ("missing_fields", self.missing_fields),
            ("unknown_statuses", self.unknown_statuses),
            ("repeated_next_tokens", self.repeated_next_tokens),
            ("shifting_pages", self.shifting_pages),
            ("empty_bodies", self.empty_bodies),
        ];
        if let Some((name, value)) = shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(FaultsError::Share { name, value });
        }
        let bucket = self.throttle.map_or([("", 0.0); 2], |bucket| {
            [("per_second", bucket.per_second), ("burst", bucket.burst)]
        });
        if let Some((name, value)) = bucket
            .into_iter()
            .find(|(_, value)| !(0.0..=MOST_CALLS).contains(value))
        {
            return Err(FaultsError::Throttle { name, value });
        }
        let durations = [
            ("slow_by", self.slow_by, SLOWEST),
            ("clock_skew", self.clock_skew.by, WIDEST_SKEW),
        ];
        if let Some((name, _, longest)) = durations.into_iter().find(|(_, found, longest)| found > longest) {
            return Err(FaultsError::Duration { name, longest });
        }
        if self.slow > 0.0 && self.slow_by.is_zero() {
            return Err(FaultsError::SlowByNothing);
        }
        let is_known = |name: &str| name == "*" || OPERATIONS.contains(&name);
        match self.access_denied.iter().find(|name| !is_known(name)) {
            Some(name) => Err(FaultsError::Operation {
                operation: name.chars().take(80).collect(),
            }),
            None => Ok(()),
        }
    }

    pub(super) fn denies(&self, operation: &str) -> bool {
        self.access_denied.contains("*") || self.access_denied.contains(operation)
    }
}

/// Whether something of this probability happens. Draws only where there is something to decide, so that a fault that
/// is off leaves the sequence of the others as it is.
pub(super) fn happens(rng: &mut Rng, share: f64) -> bool {
    share > 0.0 && rng.f64() < share
}

/// What is left in the token bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    left: f64,
    filled_at: Timestamp,
}

impl Bucket {
    pub(super) fn full(throttle: Option<Throttle>, now: Timestamp) -> Self {
        Self {
            left: throttle.map_or(0.0, |throttle| throttle.burst),
            filled_at: now,
        }
    }

    /// Takes one call's share; false if there is none left.
    pub(super) fn take(&mut self, throttle: Throttle, now: Timestamp) -> bool {
        let gained = now.since(self.filled_at).as_secs_f64() * throttle.per_second;
        self.left = (self.left + gained).min(throttle.burst);
        self.filled_at = self.filled_at.max(now);
        let enough = self.left >= 1.0;
        if enough {
            self.left -= 1.0;
        }
        enough
    }
}

mod humantime_text {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*duration))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map_err(|error| serde::de::Error::custom(format!("`{text}`: {error}")))
    }
}

impl Serialize for Skew {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sign = if self.behind { "-" } else { "" };
        serializer.collect_str(&format_args!("{sign}{}", humantime::format_duration(self.by)))
    }
}

impl FromStr for Skew {
    type Err = humantime::DurationError;

    /// A duration, with a `-` in front if the clock is behind.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (behind, length) = match text.strip_prefix('-') {
            Some(length) => (true, length),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let by = humantime::parse_duration(length)?;
        Ok(Self { by, behind })
    }
}

impl<'de> Deserialize<'de> for Skew {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error| serde::de::Error::custom(format!("`{text}`: {error}; for example \"-90s\"")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_read_as_they_are_written() {
        let faults = Faults {
            throttle: Some(Throttle {
                per_second: 2.5,
                burst: 10.0,
            }),
            slow: 0.5,
            slow_by: Duration::from_millis(1500),
            access_denied: BTreeSet::from(["CancelResourceRequest".to_owned()]),
            clock_skew: Skew::behind(Duration::from_secs(90)),
            ..Faults::default()
        };
        let text = serde_json::to_string(&faults).unwrap();
        assert!(text.contains(r#""slow_by":"1s 500ms""#), "{text}");
        assert!(text.contains(r#""clock_skew":"-1m 30s""#), "{text}");
        assert_eq!(serde_json::from_str::<Faults>(&text).unwrap(), faults);
        assert_eq!(serde_json::from_str::<Faults>("{}").unwrap(), Faults::default());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        assert!(
            serde_json::from_str::<Faults>(r#"{"throtled":1}"#)
                .unwrap_err()
                .to_string()
                .contains("throtled")
        );
        assert!(serde_json::from_str::<Faults>(r#"{"clock_skew":"soon"}"#).is_err());
        let faults = Faults {
            resets: 1.5,
            ..Faults::default()
        };
        assert_eq!(
            faults.check(),
            Err(FaultsError::Share {
                name: "resets",
                value: 1.5
            })
        );
        let faults = Faults {
            throttle: Some(Throttle {
                per_second: -1.0,
                burst: 1.0,
            }),
            ..Faults::default()
        };
        assert_eq!(
            faults.check(),
            Err(FaultsError::Throttle {
                name: "per_second",
                value: -1.0
            })
        );
        let slow = Faults {
            slow: 0.5,
            ..Faults::default()
        };
        assert_eq!(slow.check(), Err(FaultsError::SlowByNothing));
        let absurd = Faults {
            clock_skew: Skew::behind(Duration::MAX),
            ..Faults::default()
        };
        let longest = WIDEST_SKEW;
        assert_eq!(
            absurd.check(),
            Err(FaultsError::Duration {
                name: "clock_skew",
                longest
            })
        );
        let denied = Faults {
            access_denied: BTreeSet::from(["ListResource".to_owned()]),
            ..Faults::default()
        };
        let error = denied.check().unwrap_err().to_string();
        assert!(
            error.starts_with("`access_denied` names \"ListResource\": expected `*`"),
            "{error}"
        );
        assert_eq!(Faults::default().check(), Ok(()));
    }

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_its_rate_in_the_long_run() {
        let throttle = Throttle {
            per_second: 2.0,
            burst: 5.0,
        };
        let mut bucket = Bucket::full(Some(throttle), Timestamp::from_millis(0));
        let mut taken = |millis| {
            (0..100)
                .filter(|_| bucket.take(throttle, Timestamp::from_millis(millis)))
                .count()
        };
        assert_eq!(taken(0), 5);
        assert_eq!(taken(400), 0);
        assert_eq!(taken(500), 1);
        assert_eq!(taken(2_500), 4);
        assert_eq!(taken(1_000), 0, "a clock that steps back gives nothing");
        assert_eq!(taken(1_000_000), 5);
    }
}
