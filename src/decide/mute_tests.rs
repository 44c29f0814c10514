use jiff::civil::time;
use proptest::prelude::*;
use proptest::{collection, sample};

use super::*;

const WORKDAYS: [Weekday; 5] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
];

fn at(text: &str) -> Timestamp {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

/// `days` from `from` to `to` (`22:00`) in a zone.
fn window(days: &[Weekday], from: &str, to: &str, zone: &str) -> MuteWindow {
    MuteWindow {
        days: days.to_vec(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        zone: TimeZone::get(zone).unwrap(),
    }
}

/// Holds what `windows` say at each moment against the end that is expected of them, `""` for none.
#[track_caller]
fn assert_held(windows: &[MuteWindow], expected: &[(&str, &str)]) {
    for (now, end) in expected {
        let end = (!end.is_empty()).then(|| at(end));
        assert_eq!(held_until(at(now), windows), end, "at {now}");
    }
}

#[test]
fn hours_of_a_day_are_held_until_they_end() {
    // 2026-11-20 is a Friday.
    assert_held(
        &[window(&WORKDAYS, "12:00", "13:30", "UTC")],
        &[
            ("2026-11-20T11:59:59.999Z", ""),
            ("2026-11-20T12:00:00Z", "2026-11-20T13:30:00Z"),
            ("2026-11-20T13:29:59.999Z", "2026-11-20T13:30:00Z"),
            ("2026-11-20T13:30:00Z", ""),
            ("2026-11-21T12:30:00Z", ""),
        ],
    );
}

#[test]
fn a_night_belongs_to_the_day_that_it_begins_on() {
    assert_held(
        &[window(&[Weekday::Friday], "22:00", "07:00", "UTC")],
        &[
            ("2026-11-20T06:59:00Z", ""),
            ("2026-11-20T22:00:00Z", "2026-11-21T07:00:00Z"),
            ("2026-11-21T06:59:00Z", "2026-11-21T07:00:00Z"),
            ("2026-11-21T22:00:00Z", ""),
        ],
    );
}

#[test]
fn the_same_time_twice_is_a_whole_day() {
    assert_held(
        &[window(&[Weekday::Saturday], "06:00", "06:00", "UTC")],
        &[
            ("2026-11-21T05:59:00Z", ""),
            ("2026-11-21T06:00:00Z", "2026-11-22T06:00:00Z"),
            ("2026-11-22T06:00:00Z", ""),
        ],
    );
}

#[test]
fn windows_that_touch_or_overlap_are_one() {
    // The nights, and the weekend: from Friday's evening to Monday's morning.
    let weekend = [Weekday::Saturday, Weekday::Sunday];
    let windows = [
        window(&[], "20:00", "00:00", "Europe/Berlin"),
        window(&[], "23:00", "07:30", "Europe/Berlin"),
        window(&weekend, "00:00", "00:00", "Europe/Berlin"),
    ];
    assert_held(
        &windows,
        &[
            ("2026-11-20T18:59:59Z", ""),
            ("2026-11-20T19:00:00Z", "2026-11-23T06:30:00Z"),
            ("2026-11-22T12:00:00Z", "2026-11-23T06:30:00Z"),
            ("2026-11-23T06:30:00Z", ""),
        ],
    );
}

#[test]
fn a_night_is_shorter_when_the_clock_is_put_forward_and_longer_when_back() {
    assert_held(
        &[window(&[], "22:00", "07:00", "Europe/Berlin")],
        &[
            // In Berlin 2 o'clock becomes 3 on 2026-03-29: this night has eight hours.
            ("2026-03-28T21:00:00Z", "2026-03-29T05:00:00Z"),
            ("2026-03-29T05:00:00Z", ""),
            // And 3 becomes 2 on 2026-10-25: this one has ten.
            ("2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z"),
            ("2026-10-25T05:59:00Z", "2026-10-25T06:00:00Z"),
        ],
    );
}

#[test]
fn a_time_that_is_skipped_is_when_the_clock_jumps() {
    let berlin = |from, to| [window(&[], from, to, "Europe/Berlin")];
    let jump = "2026-03-29T01:00:00Z";
    assert_held(
        &berlin("02:30", "03:15"),
        &[
            ("2026-03-29T00:59:59Z", ""),
            (jump, "2026-03-29T01:15:00Z"),
            ("2026-03-30T00:45:00Z", "2026-03-30T01:15:00Z"),
        ],
    );
    assert_held(&berlin("01:00", "02:30"), &[("2026-03-29T00:30:00Z", jump), (jump, "")]);
    assert_held(&berlin("02:10", "02:50"), &[("2026-03-29T00:59:59Z", ""), (jump, "")]);
}

#[test]
fn a_time_that_comes_twice_is_held_both_times() {
    assert_held(
        &[window(&[], "02:15", "02:45", "Europe/Berlin")],
        &[
            ("2026-10-25T00:14:59Z", ""),
            ("2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z"),
            ("2026-10-25T01:44:00Z", "2026-10-25T01:45:00Z"),
            ("2026-10-25T01:45:00Z", ""),
        ],
    );
}

#[test]
fn what_leaves_no_moment_is_seen_and_mutes_nothing() {
    let always = [window(&[], "00:00", "00:00", "Europe/Berlin")];
    let in_turns = [
        window(&[], "08:00", "20:00", "UTC"),
        window(&[], "20:00", "08:00", "UTC"),
    ];
    for windows in [&always[..], &in_turns] {
        assert!(leave_no_moment(windows));
        assert_held(windows, &[("2026-11-20T12:00:00Z", "")]);
    }
    // By which hour London's clock is ahead in summer, no moment is left.
    let in_summer = [
        window(&[], "00:00", "12:00", "UTC"),
        window(&[], "13:00", "01:00", "Europe/London"),
    ];
    assert!(leave_no_moment(&in_summer));
    assert!(!leave_no_moment(&[]));
    assert!(!leave_no_moment(&[window(&[], "00:00", "23:59", "UTC")]));
}

#[test]
fn the_only_free_moment_may_be_skipped_for_a_week() {
    let sunday = [Weekday::Sunday];
    let others = [&WORKDAYS[..], &[Weekday::Saturday]].concat();
    let windows = [
        window(&others, "00:00", "00:00", "Europe/Berlin"),
        window(&sunday, "00:00", "02:10", "Europe/Berlin"),
        window(&sunday, "02:50", "00:00", "Europe/Berlin"),
    ];
    assert!(!leave_no_moment(&windows));
    assert_held(&windows, &[("2026-03-22T12:00:00Z", "2026-04-05T00:10:00Z")]);
}

#[test]
fn the_ends_of_time_do_no_harm() {
    let windows = [window(&[], "00:00", "00:00", "Pacific/Apia")];
    for now in [i64::MIN, i64::MAX] {
        assert_eq!(held_until(Timestamp::from_millis(now), &windows), None);
    }
}

/// Zones that change their clocks by an hour, by half of one, at midnight, by a day, and never.
const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Pacific/Apia",
    "America/Santiago",
    "UTC",
];

fn any_window() -> impl Strategy<Value = MuteWindow> {
    let days = sample::subsequence([&WORKDAYS[..], &[Weekday::Saturday, Weekday::Sunday]].concat(), 0..=7);
    (days, 0..24i8, 0..60i8, 0..24i8, 0..60i8, sample::select(&ZONES)).prop_map(
        |(days, from, minute, to, to_minute, zone)| MuteWindow {
            days,
            from: time(from, minute, 0, 0),
            to: time(to, to_minute, 0, 0),
            zone: TimeZone::get(zone).unwrap(),
        },
    )
}

/// From 2010 (Samoa left out a day in 2011) to 2030.
fn any_moment() -> impl Strategy<Value = Timestamp> {
    (1_262_304_000_000..1_893_456_000_000i64).prop_map(Timestamp::from_millis)
}

/// Whether a clock on the wall says so.
fn reads_within(window: &MuteWindow, moment: Timestamp) -> bool {
    let shown = window.zone.to_datetime(moment.to_jiff());
    let begins_on = |day: Date| window.days.is_empty() || window.days.contains(&day.weekday());
    let (today, yesterday) = (begins_on(shown.date()), begins_on(shown.date().yesterday().unwrap()));
    let (after_begin, before_end) = (shown.time() >= window.from, shown.time() < window.to);
    if window.from < window.to {
        today && after_begin && before_end
    } else {
        (today && after_begin) || (yesterday && before_end)
    }
}

proptest! {
    #[test]
    fn what_is_held_is_held_to_a_free_moment_and_muted_until_then(
        windows in collection::vec(any_window(), 1..4),
        now in any_moment(),
        part in 0.0..1.0f64,
    ) {
        let is_mute = |moment| windows.iter().any(|window| window.end_around(moment).is_some());
        match held_until(now, &windows) {
            Some(end) => {
                prop_assert!(end > now && !is_mute(end), "{}", end);
                prop_assert!(is_mute(now) && is_mute(now.plus(end.since(now).mul_f64(part * 0.999))));
            }
            None if is_mute(now) => prop_assert!(is_mute(now.plus(FARTHEST.mul_f64(part)))),
            None => {}
        }
    }

    #[test]
    fn a_window_is_what_a_clock_on_the_wall_says(window in any_window(), now in any_moment()) {
        // Where the clock has just been changed, it does not tell all.
        let near = |change: jiff::Timestamp| change.duration_since(now.to_jiff()).abs() < jiff::SignedDuration::from_hours(50);
        let (mut before, mut after) = (window.zone.preceding(now.to_jiff()), window.zone.following(now.to_jiff()));
        let changes = [before.next().map(|change| change.timestamp()), after.next().map(|change| change.timestamp())];
        prop_assume!(!changes.into_iter().flatten().any(near));
        prop_assert_eq!(window.end_around(now).is_some(), reads_within(&window, now));
    }
}
