//! Where, when ccwatch did not look, and what is still open.

use std::cmp::Reverse;

use super::{Section, failed_share, percentiles, picture};
use crate::render::report::table::{Table, number, text};
use crate::render::report::{Report, minute, strips};
use crate::statistics::{Groups, rough, thousands};

/// Gaps in the table at the most: the longest.
const GAPS: usize = 25;

pub(super) fn targets(report: &Report<'_>) -> Section {
    Section {
        title: "Targets".into(),
        table: Some(grouped("By target", "target", &report.survey.by_target)),
        ..Section::default()
    }
}

pub(super) fn gaps(report: &Report<'_>) -> Section {
    let Report { gaps, from, to, .. } = *report;
    let mut longest: Vec<_> = gaps.iter().map(|gap| (strips::within(gap, from, to), gap)).collect();
    longest.sort_by_key(|(within, _)| Reverse(*within));
    let mut table = Table::new(
        format!("The longest {GAPS} at the most"),
        [
            text("target"),
            text("from"),
            text("to"),
            number("in this time"),
            text("why"),
        ],
    );
    for (within, gap) in longest.into_iter().take(GAPS) {
        let cells = [
            text(minute(gap.from_at)),
            text(gap.to_at.map_or_else(|| "still".to_owned(), minute)),
            number(rough(within)),
            text(&gap.reason),
        ];
        table.row(Some(&gap.target), cells);
    }
    let unwatched_since = report.unwatched_since.filter(|last| *last < to);
    let note = match report.targets_since {
        _ if !gaps.is_empty() => {
            "What began and was forgotten in such a time is missing from this page, and what ended in it \
             ended earlier than was seen."
                .to_owned()
        }
        None => "ccwatch has no target, so nothing was looked at.".to_owned(),
        Some(since) if since <= from && unwatched_since.is_none() => {
            "In all of this time every target was looked at.".to_owned()
        }
        Some(since) => format!(
            "ccwatch knows of no gap since {}, when the last of its targets was added; what was before that, it did not see.",
            minute(since)
        ),
    };
    let unwatched = unwatched_since.map(|last| {
        format!(
            "No ccwatch looked when this page was made: what came after {} is not known yet.",
            minute(last)
        )
    });
    Section {
        title: "When ccwatch did not look".into(),
        notes: unwatched.into_iter().chain([note]).collect(),
        plot: strips::plot(gaps, from, to).map(picture),
        table: table.unless_empty(),
        ..Section::default()
    }
}

pub(super) fn open(report: &Report<'_>) -> Section {
    let mut table = Table::new(
        "Open for longest",
        [text("token"), number("open for")]
            .into_iter()
            .chain(["target", "operation", "type", "identifier", "status"].map(text)),
    );
    for request in report.open {
        let began = request.started_at.unwrap_or(request.first_seen_at);
        let known = |value: Option<&str>| text(value.unwrap_or("–"));
        let cells = [
            number(rough(report.made_at.since(began))),
            text(&request.target),
            known(request.operation.as_deref()),
            known(request.type_name.as_deref()),
            known(request.identifier.as_deref()),
            known(request.status.as_deref()),
        ];
        table.row(Some(&request.request_token), cells);
    }
    let table = table.unless_empty();
    let note = table.is_none().then(|| "No request is open.".to_owned());
    Section {
        title: "Open requests".into(),
        notes: note.into_iter().collect(),
        table,
        ..Section::default()
    }
}

fn grouped(caption: &str, of: &str, groups: &Groups) -> Table {
    let heads = ["requests", "failed", "share", "p50", "p90", "p99"];
    let mut table = Table::new(caption, [text(of)].into_iter().chain(heads.map(number)));
    for (name, tally) in groups.by_count() {
        let outcomes = tally.outcomes();
        let counts = [
            thousands(outcomes.count()),
            thousands(outcomes.failed),
            failed_share(outcomes),
        ];
        table.row(
            name,
            counts
                .map(number)
                .into_iter()
                .chain(percentiles(tally.durations().percentiles())),
        );
    }
    table
}
