//! A request's timeline: what was seen when, and for how long it stayed so, as bars on one scale.
//!
//! Times are those at which ccwatch saw something: the service's own are not in order, and its clock is not ours. So a
//! status lasts from the look that showed it to the look that showed the next one. What lies between the start that the
//! service tells and the first look is drawn as not seen.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::Story;
use crate::cli::output::{Column, Table, cell, status_cell};
use crate::cli::when::rough;
use crate::model::rows::{HookEventRow, ProgressEventRow};
use crate::model::{HookStatus, RequestStatus, Timestamp};

/// Characters of a bar, where there is room.
const BAR: usize = 32;

/// A line of the timeline, as `--format csv` gives it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Step {
    pub(super) at: Timestamp,
    /// When something else was seen. `None`: it lasts, or was but a moment.
    pub(super) until: Option<Timestamp>,
    pub(super) what: String,
    pub(super) status: Option<String>,
    pub(super) detail: String,
    #[serde(skip)]
    pub(super) stroke: Stroke,
}

/// How a step is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Stroke {
    /// A status of the request.
    #[default]
    Status,
    /// A status of a hook.
    Hook,
    /// A moment: an end, a delivery.
    Moment,
    /// Not looked at, or not yet.
    Unseen,
}

impl Stroke {
    fn sign(self) -> char {
        match self {
            Self::Status => '█',
            Self::Hook => '▓',
            Self::Moment => '◆',
            Self::Unseen => '░',
        }
    }
}

/// From when to when the timeline is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    pub(super) begin: Timestamp,
    pub(super) end: Timestamp,
}

impl Scale {
    /// The request's life, as far as it is known at `now`. What is told later is drawn at its end.
    pub(super) fn of(story: &Story, now: Timestamp) -> Self {
        let request = &story.request;
        let begin = request
            .started_at
            .map_or(request.first_seen_at, |started| started.min(request.first_seen_at));
        let events = story.progress_events.iter().map(|event| event.observed_at);
        let hooks = story.hook_events.iter().map(|event| event.observed_at);
        let last = events.chain(hooks).max().unwrap_or(request.first_seen_at);
        let end = if request.open { now } else { last };
        Self {
            begin,
            end: end.max(begin),
        }
    }

    pub(super) fn length(self) -> Duration {
        self.end.since(self.begin)
    }

    /// A bar of `width` characters. What is short is one character, and what lies outside is at the edge.
    pub(super) fn bar(self, step: &Step, width: usize) -> String {
        let place = |time: Timestamp| -> usize {
            let length = self.length().as_millis();
            if length == 0 || width == 0 {
                return 0;
            }
            let share = time.since(self.begin).as_millis().min(length);
            usize::try_from(share * width as u128 / length).unwrap_or(0)
        };
        let begin = place(step.at).min(width.saturating_sub(1));
        let end = match (step.until, step.stroke) {
            (_, Stroke::Moment) => begin + 1,
            (Some(until), _) => place(until).max(begin + 1),
            (None, _) => width,
        };
        let signs = std::iter::repeat_n(step.stroke.sign(), end.min(width).saturating_sub(begin));
        std::iter::repeat_n(' ', begin).chain(signs).collect()
    }
}

/// Writes the timeline in a terminal of so many columns. A bar is as long as there is room, and left out where there is hardly
/// any: it is nothing that can be folded.
pub(super) fn write(out: &mut impl Write, scale: Scale, steps: &[Step], width: Option<u16>) -> io::Result<()> {
    let heading = format!("TIMELINE ({})", rough(scale.length()));
    let longest = table(scale, steps, &heading, Some(BAR));
    let bar = longest.room(BAR_AT, width).map(|room| room.min(BAR));
    table(scale, steps, &heading, bar).write_within(out, width)
}

/// Where among the columns the bar is.
const BAR_AT: usize = 2;

fn table<'a>(scale: Scale, steps: &[Step], heading: &'a str, bar: Option<usize>) -> Table<'a> {
    let mut columns = vec![
        Column::whole("AFTER"),
        Column::whole("LASTED").yields(2),
        Column::bar(heading).yields(3),
        Column::words("WHAT"),
        Column::whole("STATUS"),
        Column::text("DETAIL").yields(1),
    ];
    if bar.is_none() {
        columns.remove(BAR_AT);
    }
    let mut table = Table::new(columns);
    for step in steps {
        let lasted = step.until.map(|until| rough(until.since(step.at)));
        let mut cells = vec![
            cell(Some(&after(step.at, scale.begin))),
            cell(lasted.as_deref()),
            cell(Some(&step.what)),
            status_cell(step.status.as_deref()),
            cell(Some(&step.detail)),
        ];
        if let Some(width) = bar {
            let bar = scale.bar(step, width);
            cells.insert(BAR_AT, cell(Some(&format!("{bar:width$}"))));
        }
        table.row(cells);
    }
    table
}

/// How long after the begin.
pub(super) fn after(time: Timestamp, begin: Timestamp) -> String {
    format!("+{}", rough(time.since(begin)))
}

/// Everything of a story in the order in which it was seen. Hooks run before the provisioning that they guard, so where one
/// look showed both they come first.
pub(super) fn steps(story: &Story) -> Vec<Step> {
    let mut steps = unseen(story);
    steps.extend(hooks(&story.hook_events));
    steps.extend(progress(&story.progress_events));
    let lost = story.changes.iter().filter(|change| change.kind == "request.lost");
    steps.extend(lost.map(|change| Step {
        at: change.at,
        until: None,
        what: "lost".to_owned(),
        status: None,
        detail: change.message.clone().unwrap_or_default(),
        stroke: Stroke::Moment,
    }));
    steps.sort_by_key(|step| step.at);
    steps
}

/// Before the first look, and in gaps.
fn unseen(story: &Story) -> Vec<Step> {
    let first_seen = story.request.first_seen_at;
    let before = story
        .request
        .started_at
        .filter(|started| first_seen.since(*started).as_secs() > 0);
    let before = before.map(|started| Step {
        at: started,
        until: Some(first_seen),
        what: "not seen yet".to_owned(),
        status: None,
        detail: String::new(),
        stroke: Stroke::Unseen,
    });
    let gaps = story.gaps.iter().map(|gap| Step {
        at: gap.from_at,
        until: gap.to_at,
        what: "not looked at".to_owned(),
        status: None,
        detail: gap.reason.clone(),
        stroke: Stroke::Unseen,
    });
    before.into_iter().chain(gaps).collect()
}

fn progress(events: &[ProgressEventRow]) -> impl Iterator<Item = Step> {
    events.iter().enumerate().map(|(index, event)| {
        let is_end = event
            .status
            .as_deref()
            .is_some_and(|status| RequestStatus::from(status).is_final());
        let detail = [event.error_code.as_deref(), event.status_message.as_deref()];
        Step {
            at: event.observed_at,
            until: events.get(index + 1).map(|next| next.observed_at),
            what: "request".to_owned(),
            status: event.status.clone(),
            detail: detail.into_iter().flatten().collect::<Vec<_>>().join(": "),
            stroke: if is_end { Stroke::Moment } else { Stroke::Status },
        }
    })
}

/// Which invocation of which hook an event is of.
fn invocation(event: &HookEventRow) -> ([Option<&str>; 4], i64) {
    let hook = [
        &event.hook_type_name,
        &event.hook_type_arn,
        &event.hook_type_version_id,
        &event.invocation_point,
    ];
    (hook.map(Option::as_deref), event.invocation)
}

fn hooks(events: &[HookEventRow]) -> impl Iterator<Item = Step> {
    events.iter().enumerate().map(|(index, event)| {
        let next = events
            .iter()
            .skip(index + 1)
            .find(|later| invocation(later) == invocation(event));
        let is_end = event
            .status
            .as_deref()
            .is_some_and(|status| HookStatus::from(status).is_final());
        let mode = event.failure_mode.as_deref();
        Step {
            at: event.observed_at,
            until: next.map(|next| next.observed_at),
            what: format!(
                "hook {}{}",
                event.name(),
                mode.map_or_else(String::new, |mode| format!(" ({mode})"))
            ),
            status: event.status.clone(),
            detail: event.status_message.clone().unwrap_or_default(),
            stroke: if is_end { Stroke::Moment } else { Stroke::Hook },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_328_880_000 + seconds * 1000)
    }

    fn bar(from: i64, until: Option<i64>, stroke: Stroke) -> String {
        let scale = Scale {
            begin: at(0),
            end: at(100),
        };
        let step = Step {
            at: at(from),
            until: until.map(at),
            what: String::new(),
            status: None,
            detail: String::new(),
            stroke,
        };
        scale.bar(&step, 10)
    }

    #[test]
    fn a_bar_begins_where_it_begins_and_lasts_as_long_as_it_lasts() {
        assert_eq!(bar(0, Some(50), Stroke::Status), "█████");
        assert_eq!(bar(50, Some(60), Stroke::Hook), "     ▓");
        assert_eq!(bar(20, None, Stroke::Unseen), "  ░░░░░░░░");
    }

    #[test]
    fn what_is_short_is_seen_and_what_is_outside_is_at_the_edge() {
        assert_eq!(bar(31, Some(32), Stroke::Status), "   █");
        assert_eq!(bar(100, None, Stroke::Moment), "         ◆");
        assert_eq!(bar(5000, Some(6000), Stroke::Status), "         █");
        assert_eq!(bar(-50, Some(-10), Stroke::Unseen), "░");
        assert_eq!(bar(-50, Some(500), Stroke::Unseen), "░".repeat(10));
    }

    #[test]
    fn a_life_of_a_moment_and_a_width_of_nothing_are_drawn() {
        let moment = Scale {
            begin: at(0),
            end: at(0),
        };
        let step = Step {
            at: at(0),
            until: None,
            what: String::new(),
            status: None,
            detail: String::new(),
            stroke: Stroke::Moment,
        };
        assert_eq!(moment.bar(&step, 10), "◆");
        assert_eq!(moment.bar(&step, 0), "");
    }

    #[test]
    fn two_invocations_of_one_hook_last_each_for_itself() {
        let event = |invocation, seconds, status: &str| HookEventRow {
            hook_type_name: Some("Acme::Guard::Tags".to_owned()),
            observed_at: at(seconds),
            status: Some(status.to_owned()),
            invocation,
            ..HookEventRow::default()
        };
        let events = [
            event(1, 0, "HOOK_IN_PROGRESS"),
            event(2, 10, "HOOK_IN_PROGRESS"),
            event(1, 20, "HOOK_COMPLETE_SUCCEEDED"),
            event(2, 40, "HOOK_COMPLETE_FAILED"),
        ];
        let told: Vec<_> = hooks(&events).map(|step| (step.what, step.until)).collect();
        let (first, second) = ("hook Acme::Guard::Tags", "hook Acme::Guard::Tags #2");
        let told: Vec<_> = told.iter().map(|(what, until)| (what.as_str(), *until)).collect();
        assert_eq!(
            told,
            [
                (first, Some(at(20))),
                (second, Some(at(40))),
                (first, None),
                (second, None)
            ]
        );
    }

    fn step(from: i64, until: Option<i64>, stroke: Stroke) -> Step {
        Step {
            at: at(from),
            until: until.map(at),
            what: "hook Acme::Guard::EncryptionAtRest (WARN)".to_owned(),
            status: Some("HOOK_COMPLETE_SUCCEEDED".to_owned()),
            detail: "a sentence of the service that is long ".repeat(5),
            stroke,
        }
    }

    /// A request of 100 seconds, in the middle of which a hook ran for 25.
    fn told(width: Option<u16>) -> String {
        let scale = Scale {
            begin: at(0),
            end: at(100),
        };
        let steps = [
            step(0, None, Stroke::Status),
            step(50, Some(75), Stroke::Hook),
            step(100, None, Stroke::Moment),
        ];
        let mut out = Vec::new();
        write(&mut out, scale, &steps, width).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Where the characters of a bar are, in each line that has any.
    fn bars(told: &str) -> Vec<(usize, usize)> {
        let is_bar = |c: &char| ['█', '▓', '◆'].contains(c);
        let of = |line: &str| {
            let places = line.chars().enumerate().filter(|(_, c)| is_bar(c));
            let places: Vec<usize> = places.map(|(place, _)| place).collect();
            Some((*places.first()?, places.len()))
        };
        told.lines().filter_map(of).collect()
    }

    #[test]
    fn a_name_is_broken_between_its_parts_alone() {
        for width in 80..=240 {
            let told = told(Some(width));
            assert_eq!(told.matches("EncryptionAtRest").count(), 3, "{width}: {told}");
        }
        let wide = told(Some(160));
        assert_eq!(
            wide.matches("hook Acme::Guard::EncryptionAtRest (WARN)").count(),
            3,
            "{wide}"
        );
    }

    #[test]
    fn at_any_width_a_bar_is_on_one_line_and_begins_where_its_offset_says() {
        for width in (20..=240).map(Some).chain([None]) {
            let told = told(width);
            let Some(room) = width else {
                assert_eq!(bars(&told).len(), 3, "{told}");
                continue;
            };
            let fits = |line: &str| line.chars().count() <= usize::from(room);
            assert!(told.lines().all(fits), "{room}: {told}");
            let Some(heading) = told.lines().find_map(|line| line.find("TIMELINE (1m 40s)")) else {
                assert!(bars(&told).is_empty(), "{room}: {told}");
                assert!(room < 80, "{room}: {told}");
                continue;
            };
            // In blocks the bar is beside its heading, in a table below it.
            let is_table = told.starts_with("AFTER  ") && heading > 0;
            let begin = if is_table { heading } else { "TIMELINE (1m 40s)  ".len() };
            let [status, hook, end] = bars(&told)[..] else {
                panic!("{room}, each bar is on a line: {told}");
            };
            let length = status.1;
            assert!((10..=BAR).contains(&length), "{room}: {told}");
            assert_eq!(status.0, begin, "{room}: {told}");
            assert_eq!(hook.0, begin + length / 2, "{room}: {told}");
            assert_eq!(end, (begin + length - 1, 1), "{room}: {told}");
        }
        assert_eq!(bars(&told(Some(200)))[0].1, BAR);
        assert_eq!(bars(&told(None)), bars(&told(Some(400))));
    }
}
