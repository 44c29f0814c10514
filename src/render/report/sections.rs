//! The page's parts, in their order: what happened, what failed, what took long, what hooks did, and what is not known.

mod hooks;
mod over_time;
mod places;
mod types;

use minijinja::value::Value;
use serde::Serialize;

use super::Report;
use super::table::{Cell, Table, number};
use crate::statistics::{Outcomes, Percentiles, percent, rough, thousands};

/// Rows of a table, and of a plot with a row for each name, at the most.
const ROWS: usize = 15;

#[derive(Debug, Serialize)]
pub(super) struct Tile {
    name: &'static str,
    value: String,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Section {
    title: String,
    notes: Vec<String>,
    key: Vec<Key>,
    /// Safe: drawn by [`super::svg`].
    plot: Option<Value>,
    table: Option<Table>,
    /// Whether the table is shown only to whoever asks for it.
    folded: bool,
}

/// What a colour stands for.
#[derive(Debug, Serialize)]
struct Key {
    class: &'static str,
    text: &'static str,
}

pub(super) fn tiles(report: &Report<'_>) -> Vec<Tile> {
    let total = report.survey.by_type.total();
    let (blocked, warned) = report
        .scorecard
        .rows()
        .iter()
        .fold((0, 0), |(blocked, warned), (_, score)| {
            (blocked + score.blocked, warned + score.warned)
        });
    let percentiles = total.durations().percentiles();
    let tile = |name, value| Tile { name, value };
    vec![
        tile("requests", thousands(total.outcomes().count())),
        tile("failed", failed_share(total.outcomes())),
        tile("median duration", duration(percentiles, |percentiles| percentiles.p50)),
        tile("p99 duration", duration(percentiles, |percentiles| percentiles.p99)),
        tile("blocked by hooks", thousands(blocked)),
        tile("warned by hooks", thousands(warned)),
    ]
}

pub(super) fn sections(report: &Report<'_>) -> Vec<Section> {
    let total = report.survey.by_type.total();
    let is_empty = total.outcomes().count() == 0;
    let mut sections = Vec::new();
    if is_empty {
        sections.push(Section {
            title: "Requests".into(),
            notes: vec!["No request began in this time, as far as ccwatch looked.".into()],
            ..Section::default()
        });
    } else {
        sections.extend([over_time::requests(report, &total), over_time::failures(report, &total)]);
        sections.extend(
            [
                types::durations(report),
                types::slowest(report),
                types::most_failing(report),
                types::errors(report),
            ]
            .into_iter()
            .flatten(),
        );
    }
    sections.extend(hooks::hooks(report));
    if !is_empty {
        sections.push(places::targets(report));
    }
    sections.push(places::gaps(report));
    sections.push(places::open(report));
    sections
}

fn failed_share(outcomes: &Outcomes) -> String {
    outcomes.failed_share().map_or_else(|| "–".to_owned(), percent)
}

fn duration(percentiles: Option<Percentiles>, which: fn(Percentiles) -> std::time::Duration) -> String {
    percentiles.map_or_else(|| "–".to_owned(), |percentiles| rough(which(percentiles)))
}

fn percentiles(percentiles: Option<Percentiles>) -> [Cell; 3] {
    [
        |all: Percentiles| all.p50,
        |all: Percentiles| all.p90,
        |all: Percentiles| all.p99,
    ]
    .map(|which| number(duration(percentiles, which)))
}

/// What was drawn here is safe to stand in the page as it is.
fn picture(svg: String) -> Value {
    Value::from_safe_string(svg)
}
