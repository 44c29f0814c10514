//! `ccwatch requests`

use std::time::Duration;

use super::Failure;
use super::filters::Filters;
use super::listing::{self, Listing};
use super::output::{self, Column, cell, noted_status_cell};
use super::when::{self, Times, rough};
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

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (reader, filter, times) = arguments.common.begin(|now| arguments.filters.filter(now))?;
    listing::show(
        arguments.common.format,
        Listing {
            columns: &[
                Column::whole("STARTED"),
                Column::whole("TARGET").yields(3),
                Column::whole("OPERATION").yields(4),
                Column::name("TYPE"),
                Column::name("IDENTIFIER").yields(5),
                Column::words("STATUS"),
                Column::whole("TOOK").yields(1),
                Column::whole("HOOKS").yields(2),
                Column::token("TOKEN"),
            ],
            none: "no requests match",
            history: &reader,
            filter: Some(&filter),
            most: arguments.common.limits().0,
        },
        |each| Ok(reader.each_request(&filter, each)?),
        |request: &RequestRow| {
            let hooks = match (request.hooks_total, request.hooks_failed) {
                (0, _) => "-".to_owned(),
                (total, 0) => total.to_string(),
                (total, failed) => format!("{total}, {failed} failed"),
            };
            let unseen = unseen(request.open, request.last_seen_at, times);
            vec![
                cell(Some(&times.show(request.started_at.or(Some(request.first_seen_at))))),
                cell(Some(&request.target)),
                cell(request.operation.as_deref()),
                cell(request.type_name.as_deref()),
                cell(request.identifier.as_deref()),
                noted_status_cell(
                    request.status.as_deref(),
                    request.error_code.as_deref().or(unseen.as_deref()),
                ),
                cell(Some(&when::seconds(request.duration_s))),
                cell(Some(&hooks)),
                cell(Some(output::short_token(&request.request_token))),
            ]
        },
    )
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
        format!("seen {last_seen_at}")
    } else {
        format!("seen {} ago", rough(about))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(in_utc.as_deref(), Some("seen 2026-11-22T06:22:00.000Z"));
    }
}
