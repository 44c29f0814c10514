//! What took long, what failed, and why.

use std::cmp::Reverse;

use super::{ROWS, Section, failed_share, picture};
use crate::render::report::table::{Table, number, text};
use crate::render::report::{Report, bars, ranges};
use crate::statistics::{Durations, Tally, rough, thousands};

/// How many must have ended for their failure share or percentiles to be ranked: one of one failing is no pattern.
const ENOUGH: u64 = 5;

pub(super) fn durations(report: &Report<'_>) -> Option<Section> {
    let types = report.survey.by_type.by_count();
    let rows: Vec<_> = types
        .iter()
        .filter_map(|(name, tally)| Some((*name, tally.durations().percentiles()?)))
        .take(ROWS)
        .collect();
    Some(Section {
        title: "How long it took".into(),
        notes: vec![
            "Of the types with the most requests, those that succeeded. A dot is the median, a ring the 90th and a bar the \
             99th percentile; the axis is logarithmic."
                .into(),
        ],
        plot: Some(picture(ranges::plot(&rows)?)),
        ..Section::default()
    })
}

pub(super) fn slowest(report: &Report<'_>) -> Option<Section> {
    let mut types: Vec<_> = report
        .survey
        .by_type
        .by_count()
        .into_iter()
        .filter(|(_, tally)| enough(tally.durations()))
        .filter_map(|(name, tally)| Some((name, tally, tally.durations().percentiles()?)))
        .collect();
    types.sort_by_key(|(_, _, percentiles)| Reverse(percentiles.p90));
    let mut table = Table::new(
        format!("By their p90; types of which {ENOUGH} or more succeeded"),
        [text("type")]
            .into_iter()
            .chain(["succeeded", "p50", "p90", "p99"].map(number)),
    );
    for (name, tally, percentiles) in types.into_iter().take(ROWS) {
        let durations = [percentiles.p50, percentiles.p90, percentiles.p99];
        let count = number(thousands(tally.durations().count() as u64));
        let durations = durations.map(|duration| number(rough(duration)));
        table.row(name, [count].into_iter().chain(durations));
    }
    Some(Section {
        title: "Slowest types".into(),
        table: Some(table.unless_empty()?),
        ..Section::default()
    })
}

pub(super) fn most_failing(report: &Report<'_>) -> Option<Section> {
    let mut types: Vec<_> = report
        .survey
        .by_type
        .by_count()
        .into_iter()
        .filter(|(_, tally)| tally.outcomes().failed > 0 && tally.outcomes().ended() >= ENOUGH)
        .collect();
    let share = |tally: &Tally| tally.outcomes().failed_share().unwrap_or_default();
    types.sort_by(|(_, one), (_, other)| share(other).total_cmp(&share(one)));
    let mut table = Table::new(
        format!("By the share that failed; types of which {ENOUGH} or more have ended"),
        [text("type")]
            .into_iter()
            .chain(["ended", "failed", "share"].map(number)),
    );
    for (name, tally) in types.into_iter().take(ROWS) {
        let outcomes = tally.outcomes();
        let cells = [
            thousands(outcomes.ended()),
            thousands(outcomes.failed),
            failed_share(outcomes),
        ];
        table.row(name, cells.map(number));
    }
    Some(Section {
        title: "Most failing types".into(),
        table: Some(table.unless_empty()?),
        ..Section::default()
    })
}

pub(super) fn errors(report: &Report<'_>) -> Option<Section> {
    let errors = report.survey.by_error.by_count();
    let counts: Vec<_> = errors
        .iter()
        .take(ROWS)
        .map(|(name, tally)| (*name, tally.outcomes().count()))
        .collect();
    Some(Section {
        title: "Why requests failed".into(),
        notes: vec!["By the error code that the service gave.".into()],
        plot: Some(picture(bars::plot("errors", "Failed requests by error code", &counts)?)),
        ..Section::default()
    })
}

fn enough(durations: &Durations) -> bool {
    durations.count() as u64 >= ENOUGH
}
