//! A scenario file: TOML in, a [`Scenario`] out, or every problem at once with its line and column.
//!
//! What is left out is as in [`Scenario::default`], so that a file of one line is a scenario. It is read by the means of
//! the configuration (`config::document`), so that both fail in the same words; serde would stop at the first problem,
//! and could not say where two keys contradict each other.
//!
//! What comes out can be lived in: shares are shares, weights leave something to choose, durations can be added, and
//! what others ask for fits into the memory of a small machine.

use std::io;
use std::path::Path;
use std::time::Duration;

use humantime::format_duration;

use super::values::{DURATIONS, given_or, refuse_over_one, share, spread, weight};
use super::{ListOrder, RetryAfterPolicy, Scenario, faults, hooks, types};
use crate::config::ConfigErrors;
use crate::config::document::{self, Item, Section};
use crate::config::problems::{Read, all};
use crate::config::values::{checked, duration, integer, is_account_id, is_region, number, one_of};
use crate::model::Operation;

/// What the document is, in messages.
const WHAT: &str = "scenario";

pub(super) const KEYS: [&str; 19] = [
    "account_id",
    "region",
    "arrivals_per_second",
    "operations",
    "pending",
    "cancelling",
    "fail",
    "never_start",
    "failed_without_operation",
    "list_order",
    "list_lag",
    "retention",
    "truth_limit",
    "retry_after",
    "hooks",
    "types",
    "other_types",
    "failures",
    "faults",
];
pub(super) const RETRY_AFTER_KEYS: [&str; 5] = ["after", "absent", "past", "far", "far_after"];

/// Far more than one account starts; beyond it, a small machine would do nothing else.
const MOST_ARRIVALS: f64 = 10_000.0;

/// How many requests a world may remember at once, so that it stays below a few gigabytes.
const MOST_REMEMBERED: f64 = 1_000_000.0;

const LONGEST_RETENTION: Duration = Duration::from_hours(366 * 24);

impl Scenario {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// With all that is wrong with it, or with why it can't be read.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        Self::parse(&document::load(path, WHAT)?, path)
    }

    /// Reads what is piped in, and is called `path` in messages.
    ///
    /// # Errors
    ///
    /// With all that is wrong with it, or with why it can't be read.
    pub fn load_from(source: impl io::Read, path: &Path) -> Result<Self, ConfigErrors> {
        Self::parse(&document::load_from(source, path, WHAT)?, path)
    }

    /// Reads the text of the file at `path`, which is named in messages.
    ///
    /// # Errors
    ///
    /// With all that is wrong with it.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigErrors> {
        // Nothing in a scenario is doubtful but not wrong: there are no warnings.
        document::parse(text, path, WHAT, read).map(|(scenario, _)| scenario)
    }
}

/// What the document says. Each key is read, whatever is wrong with the others, so that all of it is told.
fn read(document: &Item<'_>) -> Read<Scenario> {
    let root = document.section("a table")?;
    let plain = Scenario::default();
    let known = root.refuse_unknown(&KEYS, "");
    let account_id = given_or(&root, "account_id", plain.account_id, |item| {
        checked(item, "an account id of 12 digits", is_account_id)
    });
    let region = given_or(&root, "region", plain.region, |item| {
        checked(item, "a Region, such as \"eu-west-1\"", is_region)
    });
    let types = types::read(&root);
    let other_types = types::read_others(&root);
    let failures = types::read_failures(&root);
    let operations = given_or(&root, "operations", plain.operations, operations);
    let arrivals = given_or(&root, "arrivals_per_second", plain.arrivals_per_second, arrivals);
    let pending = given_or(&root, "pending", plain.pending, spread);
    let cancelling = given_or(&root, "cancelling", plain.cancelling, spread);
    let fail = given_or(&root, "fail", plain.fail, share);
    let never_start = given_or(&root, "never_start", plain.never_start, share);
    let failed_without_operation = given_or(&root, "failed_without_operation", 0.0, share);
    let hooks = hooks::read(&root);
    let retry_after = given_or(&root, "retry_after", plain.retry_after, retry_after);
    let list_order = given_or(&root, "list_order", plain.list_order, list_order);
    let list_lag = given_or(&root, "list_lag", plain.list_lag, |item| duration(item, &DURATIONS, ""));
    let retention = given_or(&root, "retention", plain.retention, |item| {
        duration(item, &(Duration::from_secs(1)..=LONGEST_RETENTION), "")
    });
    let truth_limit = given_or(&root, "truth_limit", plain.truth_limit, truth_limit);
    let faults = faults::read(&root);
    let fits = refuse_too_many_arrivals(&root, arrivals, retention);
    known?;
    let (types, other_types) = (types?, other_types?);
    if types.is_empty() && other_types.is_none() {
        let message = "no type is known: expected [[types]], or other_types that is not false";
        return Err(root.error("types", message));
    }
    fits?;
    Ok(Scenario {
        account_id: account_id?,
        region: region?,
        types,
        other_types,
        operations: operations?,
        arrivals_per_second: arrivals?,
        pending: pending?,
        cancelling: cancelling?,
        fail: fail?,
        never_start: never_start?,
        failures: failures?.unwrap_or(plain.failures),
        failed_without_operation: failed_without_operation?,
        hooks: hooks?,
        retry_after: retry_after?,
        list_order: list_order?,
        list_lag: list_lag?,
        retention: retention?,
        faults: faults?,
        truth_limit: truth_limit?,
    })
}

/// What others ask for, by weight: `{ CREATE = 6, UPDATE = 3, DELETE = 1 }`.
fn operations(item: &Item<'_>) -> Read<Vec<(f64, Operation)>> {
    let section = item.section("a table of weights, { CREATE = …, UPDATE = …, DELETE = … }")?;
    let known = section.refuse_unknown(Operation::KNOWN, " of the operations");
    let given = Operation::KNOWN.iter().filter_map(|name| {
        let weight = weight(&section.get(name)?);
        Some(weight.map(|weight| (weight, Operation::from(*name))))
    });
    let operations = all(given);
    known?;
    let operations = operations?;
    if operations.iter().all(|(weight, _)| *weight <= 0.0) {
        return Err(item.error("expected at least one weight above 0"));
    }
    Ok(operations)
}

fn arrivals(item: &Item<'_>) -> Read<f64> {
    let expected = format!("a number of requests a second from 0 to {MOST_ARRIVALS}");
    number(item, &expected, |number| (0.0..=MOST_ARRIVALS).contains(&number))
}

/// Reports it where others ask for more than can be remembered.
fn refuse_too_many_arrivals(root: &Section<'_>, arrivals: Read<f64>, retention: Read<Duration>) -> Read<()> {
    let (Ok(arrivals), Ok(retention)) = (arrivals, retention) else {
        return Ok(());
    };
    if arrivals * retention.as_secs_f64() <= MOST_REMEMBERED {
        return Ok(());
    }
    let message = format!(
        "{arrivals} requests a second are more than the {MOST_REMEMBERED} that may be remembered, if each is for {}: \
         expected fewer, or a shorter retention",
        format_duration(retention)
    );
    Err(root.get("arrivals_per_second").map_or_else(
        || root.error("retention", message.as_str()),
        |item| item.error(message.as_str()),
    ))
}

fn retry_after(item: &Item<'_>) -> Read<RetryAfterPolicy> {
    let plain = RetryAfterPolicy::default();
    let section = item.section("a table, [retry_after]")?;
    let known = section.refuse_unknown(&RETRY_AFTER_KEYS, " of [retry_after]");
    let after = given_or(&section, "after", plain.after, spread);
    let absent = given_or(&section, "absent", plain.absent, share);
    let past = given_or(&section, "past", plain.past, share);
    let far = given_or(&section, "far", plain.far, share);
    let far_after = given_or(&section, "far_after", plain.far_after, |item| {
        duration(item, &DURATIONS, "")
    });
    let kinds = refuse_over_one(&section, &[("absent", absent), ("past", past), ("far", far)]);
    known?;
    kinds?;
    Ok(RetryAfterPolicy {
        after: after?,
        absent: absent?,
        past: past?,
        far: far?,
        far_after: far_after?,
    })
}

fn list_order(item: &Item<'_>) -> Read<ListOrder> {
    one_of(
        item,
        &[
            ("unordered", ListOrder::Unordered),
            ("newest-first", ListOrder::NewestFirst),
            ("oldest-first", ListOrder::OldestFirst),
        ],
    )
}

fn truth_limit(item: &Item<'_>) -> Read<usize> {
    let limit = integer(item, &(0..=100_000_000))?;
    usize::try_from(limit).map_err(|_| item.error("more than this machine can count"))
}
