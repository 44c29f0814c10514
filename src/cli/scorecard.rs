//! The scorecard of `ccwatch hooks --scorecard`: how each version of each hook did.

use std::io::{BufWriter, Write};

use serde::Serialize;

use super::Failure;
use super::listing;
use super::output::{self, Column, Format, Table, cell};
use super::when::{self, Times};
use crate::history::{Filter, Reader, View};
use crate::model::Timestamp;
use crate::statistics::{HookVersion, Percentiles, Score, Scorecard, thousands};

/// As machines get it.
#[derive(Debug, Default, Serialize)]
struct Row<'a> {
    hook_type_name: Option<&'a str>,
    hook_type_version_id: Option<&'a str>,
    invocations: u64,
    passed: u64,
    /// Failed in FAIL mode.
    blocked: u64,
    /// Failed in WARN mode: would have blocked in FAIL mode.
    warned: u64,
    failed_in_unknown_mode: u64,
    /// No end was seen.
    running: u64,
    /// Of the failed ones, those in which the hook itself broke: HOOK_FAILED.
    broken: u64,
    /// Seconds, as ccwatch saw it.
    p50_s: Option<f64>,
    p90_s: Option<f64>,
    p99_s: Option<f64>,
    first_seen_at: Timestamp,
    last_seen_at: Timestamp,
}

impl<'a> Row<'a> {
    fn new(version: &'a HookVersion, score: &Score) -> Self {
        let seconds = score.latencies.percentiles().map(Percentiles::in_seconds);
        Self {
            hook_type_name: version.hook_type_name.as_deref(),
            hook_type_version_id: version.hook_type_version_id.as_deref(),
            invocations: score.invocations(),
            passed: score.passed,
            blocked: score.blocked,
            warned: score.warned,
            failed_in_unknown_mode: score.failed_in_unknown_mode,
            running: score.running,
            broken: score.broken,
            p50_s: seconds.map(|[p50, ..]| p50),
            p90_s: seconds.map(|[_, p90, _]| p90),
            p99_s: seconds.map(|[.., p99]| p99),
            first_seen_at: score.first_seen_at,
            last_seen_at: score.last_seen_at,
        }
    }
}

const COLUMNS: [Column<'static>; 14] = [
    Column::name("HOOK"),
    Column::name("VERSION"),
    Column::whole("COUNT").right(),
    Column::whole("PASSED").right().yields(9),
    Column::whole("BLOCKED").right(),
    Column::whole("WARNED").right(),
    Column::whole("FAILED").right().yields(3),
    Column::whole("BROKEN").right().yields(6),
    Column::whole("RUNNING").right().yields(5),
    Column::whole("P50").right().yields(4),
    Column::whole("P90").right().yields(2),
    Column::whole("P99").right().yields(7),
    Column::whole("FIRST SEEN").yields(1),
    Column::whole("LAST SEEN").yields(8),
];

/// What the columns mean.
const LEGEND: [(&[&str], &str); 6] = [
    (&["BLOCKED"], "failed in FAIL mode."),
    (&["WARNED"], "failed in WARN mode, and would have blocked in FAIL mode."),
    (&["FAILED"], "failed in a mode that the service did not say."),
    (
        &["BROKEN"],
        "of all that failed, those in which the hook itself broke (HOOK_FAILED).",
    ),
    (&["RUNNING"], "no end was seen."),
    (
        &["P50", "P90", "P99"],
        "from the first look at it to the look that saw its end, so no finer than the looks are apart;\n\
         what had ended by the first look is left out.",
    ),
];

/// Writes a scorecard, as a table with a word on how to read it.
pub(super) fn show(
    scorecard: &Scorecard,
    format: Format,
    times: Times,
    (history, filter): (&Reader, &Filter),
) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let rows = scorecard.rows();
    let rows: Vec<Row<'_>> = rows.iter().map(|(version, score)| Row::new(version, score)).collect();
    if format != Format::Table {
        output::write_rows(&mut out, &rows, format)?;
        return Ok(out.flush()?);
    }
    if rows.is_empty() {
        return listing::say_none("no hooks match", history, Some((View::Hooks, filter)));
    }
    let mut table = Table::new(COLUMNS);
    for row in &rows {
        table.row([
            cell(row.hook_type_name),
            cell(row.hook_type_version_id),
            cell(Some(&thousands(row.invocations))),
            cell(Some(&thousands(row.passed))),
            cell(Some(&thousands(row.blocked))),
            cell(Some(&thousands(row.warned))),
            cell(Some(&thousands(row.failed_in_unknown_mode))),
            cell(Some(&thousands(row.broken))),
            cell(Some(&thousands(row.running))),
            cell(Some(&when::seconds(row.p50_s))),
            cell(Some(&when::seconds(row.p90_s))),
            cell(Some(&when::seconds(row.p99_s))),
            cell(Some(&times.show(Some(row.first_seen_at)))),
            cell(Some(&times.show(Some(row.last_seen_at)))),
        ]);
    }
    table.write(&mut out)?;
    writeln!(out)?;
    table.write_legend(&mut out, &LEGEND)?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At a width: what has a column, and what is explained.
    fn shown(width: u16) -> (Vec<String>, String) {
        let mut table = Table::new(COLUMNS);
        let version = ["Acme::Guard::EncryptionAtRest", "00000001", "1,234"].map(|text| cell(Some(text)));
        let counts = ["1,200", "20", "14", "0", "3", "0"].map(|text| cell(Some(text)));
        let times = ["1m 2s", "2m 5s", "12m 9s", "29d 23h ago", "12m 50s ago"].map(|text| cell(Some(text)));
        table.row(version.into_iter().chain(counts).chain(times).collect::<Vec<_>>());
        let (mut rows, mut legend) = (Vec::new(), Vec::new());
        table.write_within(&mut rows, Some(width)).unwrap();
        table.write_legend_within(&mut legend, &LEGEND, Some(width)).unwrap();
        let rows = String::from_utf8(rows).unwrap();
        let headings = rows
            .lines()
            .next()
            .unwrap()
            .split("  ")
            .map(|heading| heading.trim().to_owned());
        (headings.collect(), String::from_utf8(legend).unwrap())
    }

    #[test]
    fn what_passed_outranks_what_hardly_ever_happens() {
        for width in 50..=200 {
            let (headings, _) = shown(width);
            let has = |heading: &str| headings.iter().any(|other| other == heading);
            assert!(has("PASSED") || !has("FAILED"), "{width}: {headings:?}");
        }
        assert!(shown(80).0.contains(&"PASSED".to_owned()));
    }

    #[test]
    fn only_what_is_shown_is_explained() {
        for width in 50..=200 {
            let (headings, legend) = shown(width);
            for (explained, _) in LEGEND {
                for heading in explained {
                    let is_shown = headings.iter().any(|other| other == heading);
                    let is_explained = legend.lines().any(|line| {
                        line.split_once(": ")
                            .is_some_and(|(names, _)| names.split(", ").any(|name| name == *heading))
                    });
                    assert_eq!(is_shown, is_explained, "{width}, {heading}: {headings:?}\n{legend}");
                }
            }
        }
        assert!(shown(200).1.contains("P50, P90, P99: from"));
    }
}
