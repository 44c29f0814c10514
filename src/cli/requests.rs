//! `ccwatch requests`

use std::time::Duration;

use comfy_table::Cell;

use super::Failure;
use super::filters::Filters;
use super::listing::{self, Listing};
use super::output::{self, Column, cell, noted_status_cell};
use super::when::{self, Times, rough};
use crate::history::View;
use crate::model::Timestamp;
use crate::model::rows::RequestRow;

/// List requests, newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch requests --open
  ccwatch requests --failed --type 'AWS::RDS::*' --since 2d
  ccwatch requests --hook 'Acme::Guard::*' --status '!SUCCESS'
  ccwatch requests --format json | jq '.[].request_token'
  ccwatch requests --limit 0 --format csv > requests.csv

In a pattern, `*` stands for any characters and `!` in front excludes; several may be given with commas between.")]
pub(super) struct Arguments {
    #[command(flatten)]
    common: listing::Common,
    #[command(flatten)]
    filters: Filters,
}

const COLUMNS: [Column<'static>; 9] = [
    Column::whole("STARTED").yields_late(6),
    Column::whole("TARGET").yields(3),
    Column::whole("OP").yields_late(7),
    Column::name("TYPE"),
    Column::name("IDENTIFIER").yields(5),
    Column::words("STATUS"),
    Column::whole("TOOK").yields(1),
    Column::whole("HOOKS").yields(2),
    Column::token("TOKEN"),
];

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (reader, filter, times) = arguments.common.begin(|now| arguments.filters.filter(now))?;
    listing::show(
        arguments.common.format,
        Listing {
            columns: &COLUMNS,
            none: "no requests match",
            history: &reader,
            filter: Some((View::Requests, &filter)),
            most: arguments.common.limits().0,
        },
        |each| Ok(reader.each_request(&filter, each)?),
        |request: &RequestRow| cells(request, times),
    )
}

fn cells(request: &RequestRow, times: Times) -> Vec<Cell> {
    let hooks = match (request.hooks_total, request.hooks_failed) {
        (0, _) => "-".to_owned(),
        (total, 0) => total.to_string(),
        (total, failed) => format!("{total}, {failed} failed"),
    };
    let lost = request.is_lost().then(|| "lost".to_owned());
    let note = lost.or_else(|| unseen(request.open, request.last_seen_at, times));
    vec![
        cell(Some(&times.show(request.started_at.or(Some(request.first_seen_at))))),
        cell(Some(&request.target)),
        cell(request.operation.as_deref()),
        cell(request.type_name.as_deref()),
        cell(request.identifier.as_deref()),
        noted_status_cell(
            request.status.as_deref(),
            request.error_code.as_deref().or(note.as_deref()),
        ),
        cell(Some(&when::seconds(request.duration_s))),
        cell(Some(&hooks)),
        cell(Some(output::short_token(&request.request_token))),
    ]
}

/// An open request that was last seen longer ago than that is hardly looked at any more.
const UNSEEN_FOR: Duration = Duration::from_mins(5);

/// When an open request that no one seems to look at any more was last seen.
fn unseen(open: bool, last_seen_at: Timestamp, times: Times) -> Option<String> {
    let ago = times.now.since(last_seen_at);
    if !open || ago <= UNSEEN_FOR {
        return None;
    }
    let units = [86_400, 3_600, 60].map(Duration::from_secs);
    let unit = units.into_iter().find(|unit| *unit <= ago).unwrap_or(UNSEEN_FOR);
    // The largest unit says enough, and leaves more room for the rest.
    let about = Duration::from_secs(ago.as_secs() / unit.as_secs() * unit.as_secs());
    Some(if times.utc {
        format!("seen {}", last_seen_at.to_utc().strftime("%Y-%m-%dT%H:%MZ"))
    } else {
        format!("seen {} ago", rough(about))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Table;

    #[test]
    fn a_request_that_was_lost_does_not_look_as_if_it_went_on() {
        let now = Timestamp::from_millis(1_795_328_880_000);
        let lost = RequestRow {
            status: Some("IN_PROGRESS".to_owned()),
            ..RequestRow::default()
        };
        let cells = cells(&lost, Times { utc: false, now });
        assert_eq!(cells[5].content(), "IN_PROGRESS (lost)");
    }

    fn shown(width: u16) -> String {
        let now = Timestamp::from_millis(1_795_328_880_000);
        let ago = |seconds| now.minus(Duration::from_secs(seconds));
        let request = |token: &str, type_name: &str, status: &str| RequestRow {
            target: "production/eu-west-1".to_owned(),
            request_token: format!("{token}-6c1b-4f9e-9c55-0d2f6f7f4f0e"),
            type_name: Some(type_name.to_owned()),
            identifier: Some("a-name-that-is-long-e5fd8dc25509be71f".to_owned()),
            operation: Some("DELETE".to_owned()),
            status: Some(status.to_owned()),
            started_at: Some(ago(970)),
            last_seen_at: ago(960),
            ..RequestRow::default()
        };
        let rows = [
            RequestRow {
                open: true,
                ..request("11111111", "AWS::Logs::LogGroup", "IN_PROGRESS")
            },
            RequestRow {
                error_code: Some("ResourceConflict".to_owned()),
                hooks_total: 2,
                ..request("22222222", "AWS::S3::Bucket", "FAILED")
            },
        ];
        let mut table = Table::new(COLUMNS);
        for row in &rows {
            table.row(cells(row, Times { utc: false, now }));
        }
        let mut out = Vec::new();
        table.write_within(&mut out, Some(width)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_was_asked_for_outranks_what_its_hooks_did() {
        for width in 50..=200 {
            let shown = shown(width);
            assert_eq!(shown.matches("DELETE").count(), 2, "{width}: {shown}");
            let headings = shown.lines().next().unwrap();
            assert!(
                ["TYPE", "STATUS", "TOKEN"]
                    .iter()
                    .all(|heading| headings.contains(heading)),
                "{headings}"
            );
            if headings.contains("HOOKS") {
                assert!(
                    headings.contains("IDENTIFIER") && headings.contains("STARTED"),
                    "{width}: {headings}"
                );
            }
            let lines = shown.lines().count();
            assert!(lines <= 5, "two lines a row at the most, at {width}: {shown}");
        }
        let headings: Vec<String> = shown(80)
            .lines()
            .next()
            .unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        assert_eq!(headings, ["STARTED", "OP", "TYPE", "IDENTIFIER", "STATUS", "TOKEN"]);
    }

    #[test]
    fn an_open_request_that_no_one_looks_at_says_when_it_was_seen() {
        let now = Timestamp::from_millis(1_795_328_880_000);
        let times = Times { utc: false, now };
        let said = |open, seconds| unseen(open, now.minus(Duration::from_secs(seconds)), times);
        assert_eq!(said(true, 300), None);
        assert_eq!(said(true, 301).as_deref(), Some("seen 5m ago"));
        assert_eq!(said(true, 16 * 60 + 59).as_deref(), Some("seen 16m ago"));
        assert_eq!(said(true, 3 * 86_400 + 5).as_deref(), Some("seen 3d ago"));
        assert_eq!(said(false, 86_400), None);
        let in_utc = unseen(true, now.minus(Duration::from_mins(6)), Times { utc: true, now });
        assert_eq!(in_utc.as_deref(), Some("seen 2026-11-22T06:22Z"));
    }
}
