//! `[[routes.mute]]`: hours in which a route is mute.
//!
//! Time zones are looked up here, so that whoever decides by them need not: in the system's database, which is renewed
//! when a government changes its mind, else in the one that is built in.

use jiff::civil::{Time, Weekday};
use jiff::tz::{self, TimeZone};

use super::document::{Item, Section};
use super::problems::{Read, all};
use super::wording::{quoted, suggestion};
use crate::decide::mute::{self, MuteWindow};

pub(super) const KEYS: [&str; 4] = ["days", "from", "to", "time_zone"];

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

pub(super) fn read(route: &Section<'_>) -> Read<Vec<MuteWindow>> {
    let entries = route.entries("mute")?;
    let windows = all(entries.iter().map(window))?;
    if mute::leave_no_moment(&windows) {
        let message = "leaves no moment of a week in which the route could tell what it holds";
        return Err(route
            .get("mute")
            .map_or_else(|| route.error("mute", message), |item| item.error(message)));
    }
    Ok(windows)
}

fn window(section: &Section<'_>) -> Read<MuteWindow> {
    let known = section.refuse_unknown(&KEYS, " of [[routes.mute]]");
    let days = section.optional("days", days);
    let from = section.required("from", TIME).and_then(|item| time(&item));
    let to = section.required("to", TIME).and_then(|item| time(&item));
    let zone = section.optional("time_zone", zone);
    known?;
    Ok(MuteWindow {
        days: days?.unwrap_or_default(),
        from: from?,
        to: to?,
        zone: zone?.unwrap_or(TimeZone::UTC),
    })
}

const DAY: &str = "a day, such as \"sat\", or days in a row, such as \"mon-fri\"";

fn days(item: &Item<'_>) -> Read<Vec<Weekday>> {
    let members = item.one_or_more("days, such as [\"mon-fri\", \"sun\"]")?;
    let ranges = all(members.iter().map(|member| {
        let text = member.string(DAY)?;
        let day = |name: &str| DAYS.iter().position(|(known, _)| name.eq_ignore_ascii_case(known));
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (Some(first), Some(last)) = (day(first), day(last)) else {
            let suggestion = suggestion(text, DAYS.map(|(name, _)| name));
            return Err(member.error(format!("expected {DAY}, found {}{suggestion}", quoted(text))));
        };
        // From Friday to Monday is over the weekend.
        let length = (last + DAYS.len() - first) % DAYS.len() + 1;
        Ok((first..first + length).map(|day| DAYS[day % DAYS.len()].1))
    }))?;
    let mut days: Vec<Weekday> = ranges.into_iter().flatten().collect();
    days.sort_unstable_by_key(|day| day.to_monday_zero_offset());
    days.dedup();
    Ok(days)
}

const TIME: &str = "a time of day from \"00:00\" to \"23:59\"";

fn time(item: &Item<'_>) -> Read<Time> {
    let text = item.string(TIME)?;
    parse_time(text).ok_or_else(|| item.error(format!("expected {TIME}, found {}", quoted(text))))
}

fn parse_time(text: &str) -> Option<Time> {
    let number = |digits: &str| -> Option<i8> {
        let is_right = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_right.then(|| digits.parse().ok())?
    };
    let (hour, minute) = text.split_once(':')?;
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

fn zone(item: &Item<'_>) -> Read<TimeZone> {
    let expected = "the name of a time zone, such as \"Europe/Berlin\"";
    let text = item.string(expected)?;
    tz::db().get(text).map_err(|_| {
        let names: Vec<_> = tz::db().available().map(|name| name.to_string()).collect();
        let suggestion = suggestion(text, names.iter().map(String::as_str));
        item.error(format!("expected {expected}, found {}{suggestion}", quoted(text)))
    })
}
