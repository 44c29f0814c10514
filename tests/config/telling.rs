//! How much is told at once, when, and to whom else: grouping, mute windows, digests, escalation, `[attention]`.

use std::path::Path;
use std::time::Duration;

use ccwatch::config::{Config, Environment};
use ccwatch::decide::route::Field;
use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;

use crate::{RIGHT, assert_problems};

fn parse(lines: &str) -> Config {
    let environment: Environment = [("HOME", "/home/ada")].into_iter().collect();
    let text = format!("{lines}{RIGHT}");
    Config::parse(&text, Path::new("/etc/ccwatch.toml"), &environment).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Problems of a route that is right but for these lines.
#[track_caller]
fn assert_route_problems(lines: &str, expected: &str) {
    assert_problems(&format!("[[routes]]\nname = \"a\"\nto = \"log\"\n{lines}"), expected);
}

/// A receiver of a type, with these lines.
fn receiver(name: &str, type_: &str, lines: &str) -> String {
    let own = match type_ {
        "slack" | "webhook" => "url = \"https://example.com/\"\n",
        "exec" => "command = \"/bin/true\"\n",
        _ => "",
    };
    format!("[[receivers]]\nname = \"{name}\"\ntype = \"{type_}\"\n{own}{lines}")
}

#[test]
fn grouping() {
    let route = |lines: &str| {
        parse(&format!("[[routes]]\nname = \"a\"\nto = \"log\"\n{lines}"))
            .routes
            .remove(0)
    };
    assert_eq!(route("").group, None);
    let all = route("group_by = []\n").group.unwrap();
    assert_eq!(
        (all.by, all.wait, all.interval),
        (vec![], Duration::from_secs(10), Duration::from_mins(5))
    );
    let some = route("group_by = [\"target\", \"type_name\"]\ngroup_wait = \"0s\"\ngroup_interval = \"1h\"\n")
        .group
        .unwrap();
    assert_eq!(some.by, [Field::Target, Field::TypeName]);
    assert_eq!((some.wait, some.interval), (Duration::ZERO, Duration::from_hours(1)));

    assert_route_problems(
        r#"group_by = ["targt", "status", "status", 1]
group_wait = "2h"
group_interval = "0s"
"#,
        r#"4:13: routes[0].group_by[0]: expected one of {fields}, found "targt" (did you mean "target"?)
4:32: routes[0].group_by[2]: "status" is named twice
4:42: routes[0].group_by[3]: expected one of {fields}, found an integer
5:14: routes[0].group_wait: expected a duration from 0s to 1h, found "2h"
6:18: routes[0].group_interval: expected a duration from 1s to 1day, found "0s""#,
    );
    assert_route_problems(
        "group_by = \"target\"\n",
        r#"4:12: routes[0].group_by: expected what a group has in common, such as ["target", "type_name"], found a string"#,
    );
    assert_route_problems(
        "group_wait = \"1s\"\ngroup_interval = \"1m\"\n",
        "4:14: routes[0].group_wait: is for routes with group_by; group_by = [] makes one group of all that the route tells
5:18: routes[0].group_interval: is for routes with group_by; group_by = [] makes one group of all that the route tells",
    );
}

#[test]
fn mute_windows() {
    use Weekday::{Friday, Monday, Saturday, Sunday, Tuesday, Wednesday};

    let config = parse(
        r#"[[routes]]
name = "a"
to = "log"
[[routes.mute]]
days = ["fri-mon", "wed", "SUN"]
from = "22:00"
to = "07:05"
time_zone = "Europe/Berlin"
[[routes.mute]]
from = "12:00"
to = "12:00"
days = "tue"
"#,
    );
    let [night, day] = config.routes[0].mute.as_slice() else {
        panic!("{:?}", config.routes[0])
    };
    assert_eq!(night.days, [Monday, Wednesday, Friday, Saturday, Sunday]);
    assert_eq!((night.from, night.to), (time(22, 0, 0, 0), time(7, 5, 0, 0)));
    assert_eq!(night.zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(
        (day.days.as_slice(), day.from, &day.zone),
        (&[Tuesday][..], day.to, &TimeZone::UTC)
    );

    assert_route_problems(
        r#"[[routes.mute]]
days = ["monday", "mon-", "mon-fri-sat", "", 1]
from = "22"
to = "24:00"
time_zone = "Europe/Berln"
[[routes.mute]]
day = []
days = []
from = 22
time_zone = "../../etc/passwd"
"#,
        r#"5:9: routes[0].mute[0].days[0]: expected a day, such as "sat", or days in a row, such as "mon-fri", found "monday"
5:19: routes[0].mute[0].days[1]: expected a day, such as "sat", or days in a row, such as "mon-fri", found "mon-" (did you mean "mon"?)
5:27: routes[0].mute[0].days[2]: expected a day, such as "sat", or days in a row, such as "mon-fri", found "mon-fri-sat"
5:42: routes[0].mute[0].days[3]: expected a day, such as "sat", or days in a row, such as "mon-fri", found ""
5:46: routes[0].mute[0].days[4]: expected a day, such as "sat", or days in a row, such as "mon-fri", found an integer
6:8: routes[0].mute[0].from: expected a time of day from "00:00" to "23:59", found "22"
7:6: routes[0].mute[0].to: expected a time of day from "00:00" to "23:59", found "24:00"
8:13: routes[0].mute[0].time_zone: expected the name of a time zone, such as "Europe/Berlin", found "Europe/Berln" (did you mean "Europe/Berlin"?)
9:1: routes[0].mute[1].to: missing; expected a time of day from "00:00" to "23:59"
10:1: routes[0].mute[1].day: unknown key (did you mean "days"?); the keys of [[routes.mute]] are days, from, to, time_zone
11:8: routes[0].mute[1].days: expected days, such as ["mon-fri", "sun"], found an empty array
12:8: routes[0].mute[1].from: expected a time of day from "00:00" to "23:59", found an integer
13:13: routes[0].mute[1].time_zone: expected the name of a time zone, such as "Europe/Berlin", found "../../etc/passwd""#,
    );
    assert_route_problems(
        "mute = [{ from = \"08:00\", to = \"20:00\" }, { from = \"20:00\", to = \"08:00\" }]\n",
        "4:8: routes[0].mute: leaves no moment of a week in which the route could tell what it holds",
    );
    assert_route_problems(
        "mute = \"22:00-07:00\"\n",
        "4:8: routes[0].mute: expected entries that begin with [[routes.mute]], found a string",
    );
}

#[test]
fn fields_of_accounts_and_identifiers() {
    let config = parse("[[routes]]\nname = \"a\"\nto = \"log\"\naccount_id = \"1234*\"\nidentifier = \"x\"\n");
    let fields: Vec<_> = config.routes[0].matchers.iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, [Field::Identifier, Field::AccountId]);
    assert_route_problems(
        "account_id = \"12345678901\"\n",
        r#"4:14: routes[0].account_id: expected an id of twelve digits, found "12345678901""#,
    );
}

#[test]
fn digests_and_rates() {
    let config = parse(
        &[
            receiver("people", "slack", ""),
            receiver("many", "slack", "digest_over = 1000\nmax_messages_per_minute = 0.5\n"),
            receiver("machines", "webhook", "max_messages_per_minute = 6000\n"),
        ]
        .concat(),
    );
    let told: Vec<_> = config.receivers[..3]
        .iter()
        .map(|one| (one.digest_over, one.max_messages_per_minute))
        .collect();
    assert_eq!(told, [(Some(10), None), (Some(1000), Some(0.5)), (None, Some(6000.0))]);

    assert_problems(
        &[
            receiver("a", "slack", "digest_over = 0\nmax_messages_per_minute = 0\n"),
            receiver("b", "slack", "digest_over = 1001\nmax_messages_per_minute = 6001\n"),
            receiver("c", "exec", "digest_over = 10\nmax_messages_per_minute = \"1\"\n"),
        ]
        .concat(),
        r#"5:15: receivers[0].digest_over: expected a whole number from 1 to 1000, found 0
6:27: receivers[0].max_messages_per_minute: expected a number above 0 and up to 6000, found 0
11:15: receivers[1].digest_over: expected a whole number from 1 to 1000, found 1001
12:27: receivers[1].max_messages_per_minute: expected a number above 0 and up to 6000, found 6001
17:15: receivers[2].digest_over: a receiver of type "exec" is told each change for itself, never in a digest
18:27: receivers[2].max_messages_per_minute: expected a number above 0 and up to 6000, found a string"#,
    );
}

#[test]
fn escalation() {
    // A receiver may stand below the one that names it, and be named by no route.
    let config = parse(
        &[
            receiver("a", "log", "escalate_to = \"b\"\n"),
            receiver("b", "log", "escalate_to = \"c\"\nescalate_after = \"1h\"\n"),
            receiver("c", "log", ""),
        ]
        .concat(),
    );
    let escalations: Vec<_> = config
        .receivers
        .iter()
        .map(|receiver| {
            let escalation = receiver.escalation.as_ref()?;
            Some((escalation.to.as_str(), escalation.after))
        })
        .collect();
    let minutes = Duration::from_mins;
    assert_eq!(
        escalations,
        [Some(("b", minutes(15))), Some(("c", minutes(60))), None, None]
    );
    assert_eq!(
        config.warnings,
        ["/etc/ccwatch.toml:2:8: receivers[0].name: no route names \"a\": it is told nothing"]
    );

    assert_problems(
        &[
            receiver("a", "log", "escalate_to = \"a\"\n"),
            receiver("b", "log", "escalate_to = \"c\"\n"),
            receiver("c", "log", "escalate_to = \"b\"\n"),
            receiver("d", "log", "escalate_to = \"lug\"\n"),
        ]
        .concat(),
        r#"4:15: receivers[0].escalate_to: names the receiver itself, which is what fails then
12:15: receivers[2].escalate_to: "b" escalates to this receiver in turn: when both fail, no one is told
16:15: receivers[3].escalate_to: no receiver is named "lug" (did you mean "log"?); known are a, b, c, d, log"#,
    );
    assert_problems(
        &[
            receiver("a", "log", "escalate_after = \"15m\"\n"),
            receiver("b", "log", "escalate_to = 1\nescalate_after = \"8days\"\n"),
        ]
        .concat(),
        r#"4:18: receivers[0].escalate_after: is for receivers with escalate_to, which says whom to tell
8:15: receivers[1].escalate_to: expected the name of another receiver, found an integer
9:18: receivers[1].escalate_after: expected a duration from 1s to 7days, found "8days""#,
    );
}

#[test]
fn attention() {
    let hour = Duration::from_hours(1);
    for (lines, expected) in [
        ("", (Some(hour), None)),
        ("[attention]\n", (Some(hour), None)),
        (
            "[attention]\nstuck_after = \"2h\"\nremind_every = \"4h\"\n",
            (Some(hour * 2), Some(hour * 4)),
        ),
        (
            "[attention]\nstuck_after = \"never\"\nremind_every = \"never\"\n",
            (None, None),
        ),
    ] {
        let attention = parse(lines).attention;
        assert_eq!(
            (attention.patience.stuck_after, attention.remind_every),
            expected,
            "{lines}"
        );
    }
    assert_problems(
        "[attention]\nstuck = \"1h\"\nstuck_after = \"59s\"\nremind_every = \"nevr\"\n",
        r#"2:1: attention.stuck: unknown key; the keys of [attention] are stuck_after, remind_every
3:15: attention.stuck_after: expected a duration from 1m to 7days or "never", found "59s"
4:16: attention.remind_every: expected a duration from 1m to 7days or "never", such as "10s", "5m" or "1h 30m", found "nevr""#,
    );
    assert_problems(
        "attention = 1\n",
        "1:13: attention: expected a table, [attention], found an integer",
    );
}
