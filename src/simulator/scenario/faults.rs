//! `[faults]`, in the words that `/_simulator/faults` has in JSON.

use std::collections::BTreeSet;
use std::time::Duration;

use super::values::{given_or, members, required, share};
use crate::config::document::{Item, Section};
use crate::config::problems::Read;
use crate::config::values::{boolean, duration, number, one_of};
use crate::config::wording::quoted;
use crate::simulator::faults::{Faults, MOST_CALLS, OPERATIONS, SLOWEST, Skew, Throttle, WIDEST_SKEW};

pub(super) const KEYS: [&str; 15] = [
    "throttle",
    "throttled",
    "server_errors",
    "resets",
    "cut_off",
    "slow",
    "slow_by",
    "expired_credentials",
    "access_denied",
    "clock_skew",
    "missing_fields",
    "unknown_statuses",
    "repeated_next_tokens",
    "shifting_pages",
    "empty_bodies",
];
pub(super) const THROTTLE_KEYS: [&str; 2] = ["per_second", "burst"];

pub(super) fn read(root: &Section<'_>) -> Read<Faults> {
    let Some(item) = root.get("faults") else {
        return Ok(Faults::default());
    };
    let section = item.section("a table, [faults]")?;
    let known = section.refuse_unknown(&KEYS, " of [faults]");
    let share_of = |key| given_or(&section, key, 0.0, share);
    let throttle = section.optional("throttle", throttle);
    let throttled = share_of("throttled");
    let server_errors = share_of("server_errors");
    let resets = share_of("resets");
    let cut_off = share_of("cut_off");
    let slow = share_of("slow");
    let slow_by = given_or(&section, "slow_by", Duration::ZERO, |item| {
        duration(item, &(Duration::ZERO..=SLOWEST), "")
    });
    let expired_credentials = given_or(&section, "expired_credentials", false, boolean);
    let access_denied = given_or(&section, "access_denied", BTreeSet::new(), access_denied);
    let clock_skew = given_or(&section, "clock_skew", Skew::default(), skew);
    let missing_fields = share_of("missing_fields");
    let unknown_statuses = share_of("unknown_statuses");
    let repeated_next_tokens = share_of("repeated_next_tokens");
    let shifting_pages = share_of("shifting_pages");
    let empty_bodies = share_of("empty_bodies");
    let waits = match (section.get("slow"), slow, slow_by) {
        (Some(item), Ok(share), Ok(Duration::ZERO)) if share > 0.0 => {
            Err(item.error("expected slow_by beside it: how long do these calls wait?"))
        }
        _ => Ok(()),
    };
    known?;
    waits?;
    Ok(Faults {
        throttle: throttle?,
        throttled: throttled?,
        server_errors: server_errors?,
        resets: resets?,
        cut_off: cut_off?,
        slow: slow?,
        slow_by: slow_by?,
        expired_credentials: expired_credentials?,
        access_denied: access_denied?,
        clock_skew: clock_skew?,
        missing_fields: missing_fields?,
        unknown_statuses: unknown_statuses?,
        repeated_next_tokens: repeated_next_tokens?,
        shifting_pages: shifting_pages?,
        empty_bodies: empty_bodies?,
    })
}

fn throttle(item: &Item<'_>) -> Read<Throttle> {
    let section = item.section("a table, { per_second = …, burst = … }")?;
    let known = section.refuse_unknown(&THROTTLE_KEYS, " of a token bucket");
    let expected = format!("a number of calls from 0 to {MOST_CALLS}");
    let calls = |item: &Item<'_>| number(item, &expected, |calls| (0.0..=MOST_CALLS).contains(&calls));
    let per_second = required(&section, "per_second", &expected, calls);
    let burst = required(&section, "burst", &expected, calls);
    known?;
    Ok(Throttle {
        per_second: per_second?,
        burst: burst?,
    })
}

fn access_denied(item: &Item<'_>) -> Read<BTreeSet<String>> {
    let words: Vec<_> = OPERATIONS.into_iter().chain(["*"]).map(|word| (word, word)).collect();
    let operation = |item: &Item<'_>| one_of(item, &words).map(str::to_owned);
    let members = members(item, "an array of operations, or [\"*\"]", operation)?;
    Ok(members.into_iter().collect())
}

fn skew(item: &Item<'_>) -> Read<Skew> {
    let expected = "how far the clock is ahead, such as \"90s\", or behind, such as \"-90s\"";
    let text = item.string(expected)?;
    match text.parse::<Skew>() {
        Ok(skew) if skew.by <= WIDEST_SKEW => Ok(skew),
        Ok(_) => {
            let most = humantime::format_duration(WIDEST_SKEW);
            Err(item.error(format!("expected at most {most}, found {}", quoted(text))))
        }
        Err(_) => Err(item.error(format!("expected {expected}, found {}", quoted(text)))),
    }
}
