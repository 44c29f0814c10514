//! `[attention]`: what is called stuck, and how often that is told again.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::AttentionSettings;
use super::document::{Item, Section};
use super::problems::Read;
use super::values::duration;
use crate::decide::stuck::Patience;

pub(super) const KEYS: [&str; 2] = ["stuck_after", "remind_every"];

/// The word for what is not wanted.
const NEVER: &str = "never";

/// AWS forgets a request after seven days, whereupon it is lost rather than stuck.
const BOUNDS: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(7 * 24);

pub(super) fn read(root: &Section<'_>) -> Read<AttentionSettings> {
    let defaults = AttentionSettings::default();
    let Some(section) = root.optional("attention", |item| item.section("a table, [attention]"))? else {
        return Ok(defaults);
    };
    let known = section.refuse_unknown(&KEYS, " of [attention]");
    let stuck_after = section.optional("stuck_after", duration_or_never);
    let remind_every = section.optional("remind_every", duration_or_never);
    known?;
    Ok(AttentionSettings {
        patience: Patience {
            stuck_after: stuck_after?.unwrap_or(defaults.patience.stuck_after),
        },
        remind_every: remind_every?.unwrap_or(defaults.remind_every),
    })
}

/// `None` for never.
fn duration_or_never(item: &Item<'_>) -> Read<Option<Duration>> {
    if item.text() == Some(NEVER) {
        return Ok(None);
    }
    duration(item, &BOUNDS, " or \"never\"").map(Some)
}
