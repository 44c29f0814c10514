//! Durations and rates, each for itself and in relation.

use crate::assert_problems;

/// Durations and rates stay within bounds.
#[test]
fn durations_and_rates() {
    assert_problems(
        r#"[poll]
discover_every = "0s"
idle_every = "-5m"
sweep_every = "5 parsecs"
min_look_every = ""
max_look_every = "2days"
"#,
        r#"2:18: poll.discover_every: expected a duration from 100ms to 1day, found "0s"
3:14: poll.idle_every: expected a duration from 100ms to 1day, found the negative "-5m"
4:15: poll.sweep_every: expected a duration from 100ms to 1day, such as "10s", "5m" or "1h 30m", found "5 parsecs"
5:18: poll.min_look_every: expected a duration from 100ms to 1day, such as "10s", "5m" or "1h 30m", found ""
6:18: poll.max_look_every: expected a duration from 100ms to 1day, found "2days""#,
    );
    assert_problems(
        "[poll]
max_calls_per_second = 0
",
        "2:24: poll.max_calls_per_second: expected a number above 0 and up to 25, found 0",
    );
    assert_problems(
        "[poll]
max_calls_per_second = -1
",
        "2:24: poll.max_calls_per_second: expected a number above 0 and up to 25, found -1",
    );
    assert_problems(
        "[poll]
max_calls_per_second = 25.5
",
        "2:24: poll.max_calls_per_second: expected a number above 0 and up to 25, found 25.5",
    );
    assert_problems(
        "[poll]
max_calls_per_second = nan
",
        "2:24: poll.max_calls_per_second: expected a number above 0 and up to 25, found NaN",
    );
    assert_problems(
        r#"[history]
retention = "7days"
"#,
        r#"2:13: history.retention: expected a duration from 8days to 100years or "forever", found "7days""#,
    );
    assert_problems(
        r#"[[receivers]]
name = "a"
type = "log"
time_out = "1h"
give_up_after = "0s"
"#,
        r#"4:12: receivers[0].time_out: expected a duration from 100ms to 10m, found "1h"
5:17: receivers[0].give_up_after: expected a duration from 1s to 30days, found "0s""#,
    );
}

/// Intervals that contradict each other are told once, where the file gives one of them.
#[test]
fn intervals_in_relation() {
    assert_problems(
        r#"[poll]
min_look_every = "10m"
idle_every = "5s"
"#,
        "2:18: poll.min_look_every: expected at most max_look_every, which is 5m, found 10m
3:14: poll.idle_every: expected at least discover_every, which is 10s, found 5s",
    );
    assert_problems(
        r#"[poll]
min_look_every = "10m"
max_look_every = "9m"
"#,
        "2:18: poll.min_look_every: expected at most max_look_every, which is 9m, found 10m",
    );
    assert_problems(
        r#"[poll]
min_look_every = "20m"
max_look_every = "1h"
[[targets]]
name = "a"
regions = "eu-west-1"
max_look_every = "10m"
"#,
        "7:18: targets[0].max_look_every: expected at least min_look_every, which is 20m, found 10m",
    );
    assert_problems(
        r#"[poll]
min_look_every = "10m"
max_look_every = "x"
[[targets]]
name = "a"
regions = "eu-west-1"
min_look_every = "10m"
"#,
        r#"3:18: poll.max_look_every: expected a duration from 100ms to 1day, such as "10s", "5m" or "1h 30m", found "x""#,
    );
}
