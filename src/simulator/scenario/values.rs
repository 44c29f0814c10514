//! What single values of a scenario must look like: shares, weights, durations and how they spread, type names.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::document::{Item, Section};
use crate::config::problems::{Read, all};
use crate::config::values::{checked, duration, number};
use crate::simulator::Spread;
use crate::simulator::wire::is_type_name;

/// Longer than anything takes that a test waits for, and short enough that times can be added.
pub(super) const DURATIONS: RangeInclusive<Duration> = Duration::ZERO..=Spread::LONGEST;

/// A weight above that is a slip: weights count against each other.
const HEAVIEST: f64 = 1e6;

/// More messages or hooks than that on each request's way are a slip, and would keep a busy world busy with them alone.
const MOST_STEPS: usize = 100;

/// StatusMessage's limit in the service model, in characters.
const LONGEST_MESSAGE: usize = 2_048;

/// The key's value as `read` has it, or what it is where the file does not say.
pub(super) fn given_or<'d, T>(
    section: &Section<'d>,
    key: &str,
    otherwise: T,
    read: impl FnOnce(&Item<'d>) -> Read<T>,
) -> Read<T> {
    Ok(section.optional(key, read)?.unwrap_or(otherwise))
}

/// A probability.
pub(super) fn share(item: &Item<'_>) -> Read<f64> {
    number(item, "a share from 0 to 1", |share| (0.0..=1.0).contains(&share))
}

pub(super) fn weight(item: &Item<'_>) -> Read<f64> {
    let expected = format!("a weight from 0 to {HEAVIEST}");
    number(item, &expected, |weight| (0.0..=HEAVIEST).contains(&weight))
}

/// Reports weights that leave nothing to choose.
pub(super) fn refuse_weightless(section: &Section<'_>, key: &str, weights: impl IntoIterator<Item = f64>) -> Read<()> {
    match section.get(key) {
        Some(item) if weights.into_iter().all(|weight| weight <= 0.0) => {
            Err(item.error("expected at least one entry with a weight above 0"))
        }
        _ => Ok(()),
    }
}

/// Reports shares of the same whole that are more than it: at the last one that is given.
pub(super) fn refuse_over_one(section: &Section<'_>, shares: &[(&str, Read<f64>)]) -> Read<()> {
    let sum = shares
        .iter()
        .try_fold(0.0, |sum, (_, share)| share.map(|share| sum + share));
    // What is not exact in binary must not make 0.7 and 0.2 and 0.1 more than 1. What is wrong has been reported.
    let Some(sum) = sum.ok().filter(|sum| *sum > 1.0 + 1e-9) else {
        return Ok(());
    };
    let names: Vec<_> = shares.iter().map(|(name, _)| *name).collect();
    let message = format!(
        "{} exclude each other: expected at most 1 in all, found {}",
        names.join(", "),
        // Rounded, as 0.6 + 0.7 is 1.2999999999999998.
        (sum * 1e6).round() / 1e6
    );
    let last = names.iter().rev().find_map(|name| section.get(name));
    last.map_or(Ok(()), |item| Err(item.error(message)))
}

/// `"5s"`, `{ from = "1s", to = "5s" }` or `{ median = "5s", p99 = "20s" }`.
pub(super) fn spread(item: &Item<'_>) -> Read<Spread> {
    const OR: &str = ", { from = …, to = … } or { median = …, p99 = … }";
    if item.text().is_some() {
        return duration(item, &DURATIONS, OR).map(Spread::Fixed);
    }
    let expected = format!("a duration in quotes{OR}");
    let section = item.section(&expected)?;
    section.refuse_unknown(&["from", "to", "median", "p99"], " of a spread")?;
    let has = |keys: [&str; 2]| keys.map(|key| section.get(key).is_some());
    match (has(["from", "to"]), has(["median", "p99"])) {
        ([true, true], [false, false]) => {
            let (from, to) = in_order(&section, "from", "to", &DURATIONS)?;
            Ok(Spread::Uniform { from, to })
        }
        ([false, false], [true, true]) => {
            // No logarithm of nothing.
            let bounds = Duration::from_millis(1)..=Spread::LONGEST;
            let (median, p99) = in_order(&section, "median", "p99", &bounds)?;
            Ok(Spread::log_normal(median, p99))
        }
        _ => Err(item.error(format!("expected {expected}, found other keys together"))),
    }
}

fn in_order(
    section: &Section<'_>,
    shorter: &str,
    longer: &str,
    bounds: &RangeInclusive<Duration>,
) -> Read<(Duration, Duration)> {
    let read = |key| {
        let item = section.required(key, "a duration")?;
        duration(&item, bounds, "").map(|duration| (item, duration))
    };
    let (first, second) = (read(shorter), read(longer));
    let ((_, first), (item, second)) = (first?, second?);
    if first > second {
        return Err(item.error(format!(
            "expected at least {shorter}, which is {}, found {}",
            humantime::format_duration(first),
            humantime::format_duration(second)
        )));
    }
    Ok((first, second))
}

/// What a StatusMessage or HookStatusMessage says.
pub(super) fn message(item: &Item<'_>) -> Read<String> {
    let expected = format!("a message of at most {LONGEST_MESSAGE} characters");
    checked(item, &expected, |text| text.chars().count() <= LONGEST_MESSAGE)
}

/// The type of a resource or of a hook, of a shape that the service takes.
pub(super) fn type_name(item: &Item<'_>) -> Read<String> {
    let expected = "a type's name of three parts, such as \"AWS::S3::Bucket\"";
    checked(item, expected, |text| {
        (10..=196).contains(&text.len()) && is_type_name(text)
    })
}

/// Reports that there are more of something on each request's way than anyone means.
pub(super) fn refuse_too_many(section: &Section<'_>, key: &str, count: usize) -> Read<()> {
    match section.get(key) {
        Some(item) if count > MOST_STEPS => Err(item.error(format!("expected at most {MOST_STEPS}, found {count}"))),
        _ => Ok(()),
    }
}

/// The members of an array, each as `read` has it.
pub(super) fn members<'d, T>(item: &Item<'d>, expected: &str, read: impl FnMut(&Item<'d>) -> Read<T>) -> Read<Vec<T>> {
    let members = item.members().ok_or_else(|| item.wrong_type(expected))?;
    all(members.iter().map(read))
}

/// The entries of an array of tables, each as `read` has it, if there is such a key.
pub(super) fn entries<'d, T>(
    section: &Section<'d>,
    key: &str,
    read: impl FnMut(&Section<'d>) -> Read<T>,
) -> Read<Option<Vec<T>>> {
    match section.get(key) {
        Some(_) => section
            .entries(key)
            .and_then(|entries| all(entries.iter().map(read)))
            .map(Some),
        None => Ok(None),
    }
}

/// The value, as `read` has it, of a key that must be there.
pub(super) fn required<'d, T>(
    section: &Section<'d>,
    key: &str,
    expected: &str,
    read: impl FnOnce(&Item<'d>) -> Read<T>,
) -> Read<T> {
    read(&section.required(key, expected)?)
}
