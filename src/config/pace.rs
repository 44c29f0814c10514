//! `[poll]`, and the same keys in a `[[targets]]` entry.

use std::ops::RangeInclusive;
use std::time::Duration;

use humantime::format_duration;

use super::document::{Item, Section};
use super::problems::Read;
use super::values::{duration, number};
use crate::decide::cadence::Pace;

pub(super) const KEYS: [&str; 6] = [
    "discover_every",
    "idle_every",
    "sweep_every",
    "min_look_every",
    "max_look_every",
    "max_calls_per_second",
];

/// No interval is so short that it makes a hot loop, nor so long that much of AWS's seven days could pass between two.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);

/// About 30 calls a second were measured for an account and Region, which those who deploy share.
const MOST_CALLS_PER_SECOND: f64 = 25.0;

/// A [`Pace`] in the making. What was given and is wrong is not compared with anything, lest one mistake be reported as
/// two.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    discover_every: Read<Duration>,
    idle_every: Read<Duration>,
    sweep_every: Read<Duration>,
    min_look_every: Read<Duration>,
    max_look_every: Read<Duration>,
    max_calls_per_second: Read<f64>,
}

impl Default for Draft {
    fn default() -> Self {
        let pace = Pace::default();
        Self {
            discover_every: Ok(pace.discover_every),
            idle_every: Ok(pace.idle_every),
            sweep_every: Ok(pace.sweep_every),
            min_look_every: Ok(pace.min_look_every),
            max_look_every: Ok(pace.max_look_every),
            max_calls_per_second: Ok(pace.max_calls_per_second),
        }
    }
}

impl Draft {
    /// `[poll]`, over the defaults.
    pub(super) fn of_poll(root: &Section<'_>) -> Self {
        let defaults = Self::default();
        let Some(Ok(section)) = root.get("poll").map(|item| item.section("a table, [poll]")) else {
            return defaults;
        };
        // Reported, and no reason not to look at the rest.
        let _ = section.refuse_unknown(&KEYS, " of [poll]");
        defaults.overridden(&section)
    }

    /// With what the section says in place of what it was.
    pub(super) fn overridden(&self, section: &Section<'_>) -> Self {
        let interval = |key, inherited| match section.get(key) {
            Some(item) => duration(&item, &INTERVALS, ""),
            None => inherited,
        };
        let new = Self {
            discover_every: interval("discover_every", self.discover_every),
            idle_every: interval("idle_every", self.idle_every),
            sweep_every: interval("sweep_every", self.sweep_every),
            min_look_every: interval("min_look_every", self.min_look_every),
            max_look_every: interval("max_look_every", self.max_look_every),
            max_calls_per_second: match section.get("max_calls_per_second") {
                Some(item) => calls_per_second(&item),
                None => self.max_calls_per_second,
            },
        };
        refuse_longer(
            section,
            ("discover_every", new.discover_every),
            ("idle_every", new.idle_every),
        );
        refuse_longer(
            section,
            ("min_look_every", new.min_look_every),
            ("max_look_every", new.max_look_every),
        );
        new
    }

    pub(super) fn finish(&self) -> Read<Pace> {
        Ok(Pace {
            discover_every: self.discover_every?,
            idle_every: self.idle_every?,
            sweep_every: self.sweep_every?,
            min_look_every: self.min_look_every?,
            max_look_every: self.max_look_every?,
            max_calls_per_second: self.max_calls_per_second?,
        })
    }
}

/// Reports it where `shorter` is longer than `longer`, at the one of the two that this section gives. Where it gives
/// neither, both are inherited and were reported there.
fn refuse_longer(
    section: &Section<'_>,
    (shorter_key, shorter): (&str, Read<Duration>),
    (longer_key, longer): (&str, Read<Duration>),
) {
    let (Ok(shorter), Ok(longer)) = (shorter, longer) else {
        return;
    };
    if shorter <= longer {
        return;
    }
    let (shorter, longer) = (format_duration(shorter), format_duration(longer));
    if let Some(item) = section.get(shorter_key) {
        item.error(format!(
            "expected at most {longer_key}, which is {longer}, found {shorter}"
        ));
    } else if let Some(item) = section.get(longer_key) {
        item.error(format!(
            "expected at least {shorter_key}, which is {shorter}, found {longer}"
        ));
    }
}

fn calls_per_second(item: &Item<'_>) -> Read<f64> {
    let expected = format!("a number above 0 and up to {MOST_CALLS_PER_SECOND}");
    number(item, &expected, |number| {
        number > 0.0 && number <= MOST_CALLS_PER_SECOND
    })
}
