//! `group_by`, `group_wait` and `group_interval` of a route.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::document::{Item, Section};
use super::problems::{Read, all};
use super::values::{duration, one_of};
use super::wording::quoted;
use crate::decide::grouping::Grouping;
use crate::decide::route::Field;

/// No wait at all is right: the first change of a group is told at once, and what follows it once an interval.
const WAITS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(1);
const INTERVALS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);

pub(super) fn read(section: &Section<'_>) -> Read<Option<Grouping>> {
    let by = section.optional("group_by", fields);
    let wait = section.optional("group_wait", |item| duration(item, &WAITS, ""));
    let interval = section.optional("group_interval", |item| duration(item, &INTERVALS, ""));
    if section.get("group_by").is_none() {
        let alone = ["group_wait", "group_interval"]
            .into_iter()
            .filter_map(|key| section.get(key));
        all(alone.map(|item| {
            Err::<(), _>(
                item.error("is for routes with group_by; group_by = [] makes one group of all that the route tells"),
            )
        }))?;
    }
    let (wait, interval) = (wait?, interval?);
    Ok(by?.map(|by| Grouping {
        by,
        wait: wait.unwrap_or(Grouping::DEFAULT_WAIT),
        interval: interval.unwrap_or(Grouping::DEFAULT_INTERVAL),
    }))
}

fn fields(item: &Item<'_>) -> Read<Vec<Field>> {
    let expected = "what a group has in common, such as [\"target\", \"type_name\"]";
    let members = item.members().ok_or_else(|| item.wrong_type(expected))?;
    let mut seen = Vec::new();
    all(members.iter().map(|member| {
        let field = one_of(member, &Field::ALL)?;
        if seen.contains(&field) {
            return Err(member.error(format!("{} is named twice", quoted(field.key()))));
        }
        seen.push(field);
        Ok(field)
    }))
}
