//! Keys of every receiver that say how much it is told, and who is told when it fails.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::document::{Item, Section};
use crate::config::problems::{Read, all};
use crate::config::values::{duration, integer, number};
use crate::config::wording::{listed, quoted, suggestion};
use crate::config::{Escalation, ReceiverSettings};
use crate::decide::route::Audience;

const DIGEST_BOUNDS: RangeInclusive<i64> = 1..=1000;

/// A hundred a second: more is no limit to anyone.
const MOST_MESSAGES_PER_MINUTE: f64 = 6000.0;

const ESCALATE_AFTER: Duration = Duration::from_mins(15);
const ESCALATE_BOUNDS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(7 * 24);

/// Programs are handed each change, and an incident is opened by one: a digest is for those who read.
pub(super) fn digest_over(section: &Section<'_>, type_: &str, audience: Audience) -> Read<Option<u32>> {
    section.optional("digest_over", |item| {
        if audience != Audience::People {
            return Err(item.error(format!(
                "a receiver of type {} is told each change for itself, never in a digest",
                quoted(type_)
            )));
        }
        let number = integer(item, &DIGEST_BOUNDS)?;
        u32::try_from(number).map_err(|_| item.error("expected a smaller number"))
    })
}

pub(super) fn messages_per_minute(item: &Item<'_>) -> Read<f64> {
    let expected = format!("a number above 0 and up to {MOST_MESSAGES_PER_MINUTE}");
    number(item, &expected, |number| {
        number > 0.0 && number <= MOST_MESSAGES_PER_MINUTE
    })
}

/// Whether the name is a receiver's is not known yet: it may stand further down. See [`check_escalations`].
pub(super) fn escalation(section: &Section<'_>) -> Read<Option<Escalation>> {
    let to = section.optional("escalate_to", |item| item.string(RECEIVER).map(str::to_owned));
    let after = section.optional("escalate_after", |item| duration(item, &ESCALATE_BOUNDS, ""));
    if let (Some(item), None) = (section.get("escalate_after"), section.get("escalate_to")) {
        return Err(item.error("is for receivers with escalate_to, which says whom to tell"));
    }
    let after = after?.unwrap_or(ESCALATE_AFTER);
    Ok(to?.map(|to| Escalation { to, after }))
}

const RECEIVER: &str = "the name of another receiver";

/// That each `escalate_to` names another receiver, and not one that would tell this one in turn: when both fail, no one
/// would be told. `entries` and `receivers` are in the same order.
pub(super) fn check_escalations(entries: &[Section<'_>], receivers: &[ReceiverSettings]) -> Read<()> {
    let escalates_to = |index: usize| receivers[index].escalation.as_ref().map(|found| found.to.as_str());
    let checked = entries.iter().enumerate().filter_map(|(index, section)| {
        let (item, to) = (section.get("escalate_to")?, escalates_to(index)?);
        let name = receivers[index].name.as_str();
        let found = quoted(to);
        let fault = match receivers.iter().position(|receiver| receiver.name == to) {
            None => {
                let names = receivers.iter().map(|receiver| receiver.name.as_str());
                let suggestion = suggestion(to, names.clone());
                format!("no receiver is named {found}{suggestion}; known are {}", listed(names))
            }
            Some(other) if other == index => "names the receiver itself, which is what fails then".to_owned(),
            // Told once, at the later of the two.
            Some(other) if other < index && escalates_to(other) == Some(name) => {
                format!("{found} escalates to this receiver in turn: when both fail, no one is told")
            }
            Some(_) => return None,
        };
        Some(Err(item.error(fault)))
    });
    all(checked).map(|_: Vec<()>| ())
}
