//! `ccwatch requests`

use super::Failure;
use super::filters::Filters;
use super::listing::{self, Listing};
use super::output::{self, Column, cell, noted_status_cell};
use super::when;
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
            vec![
                cell(Some(&times.show(request.started_at.or(Some(request.first_seen_at))))),
                cell(Some(&request.target)),
                cell(request.operation.as_deref()),
                cell(request.type_name.as_deref()),
                cell(request.identifier.as_deref()),
                noted_status_cell(request.status.as_deref(), request.error_code.as_deref()),
                cell(Some(&when::seconds(request.duration_s))),
                cell(Some(&hooks)),
                cell(Some(output::short_token(&request.request_token))),
            ]
        },
    )
}
