//! `ccwatch gaps`

use std::ops::ControlFlow;

use super::Failure;
use super::filters::{Limit, PlaceAndTime};
use super::history_file;
use super::listing::{self, Listing};
use super::output::{Format, cell};
use super::when::{Times, rough};
use crate::clock::Clock;
use crate::model::rows::GapRow;

/// List the times in which a target was not, or could not be, looked at, newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch gaps --open
  ccwatch gaps --target prod --since 30d")]
pub(super) struct Arguments {
    #[command(flatten)]
    history: history_file::HistoryFile,
    #[command(flatten)]
    filters: PlaceAndTime,
    /// Only those that last.
    #[arg(long, help_heading = "Filters")]
    open: bool,
    #[command(flatten)]
    limit: Limit,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Show absolute times, in UTC.
    #[arg(long)]
    utc: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let now = Clock::system().now();
    let mut filter = arguments.filters.filter(now)?;
    filter.open = arguments.open;
    filter.limit = arguments.limit.rows();
    let gaps = arguments.history.open()?.gaps(&filter)?;
    let times = Times {
        utc: arguments.utc,
        now,
    };
    listing::show(
        arguments.format,
        Listing {
            headings: &["FROM", "TO", "LASTED", "TARGET", "REASON"],
            none: "no gaps match",
        },
        |each| {
            // Where the pipe was closed nothing is left to do.
            let _: ControlFlow<()> = gaps.into_iter().try_for_each(each);
            Ok(())
        },
        |gap: &GapRow| {
            let to = gap.to_at.map_or_else(|| "now".to_owned(), |to| times.show(Some(to)));
            vec![
                cell(Some(&times.show(Some(gap.from_at)))),
                cell(Some(&to)),
                cell(Some(&rough(gap.to_at.unwrap_or(now).since(gap.from_at)))),
                cell(Some(&gap.target)),
                cell(Some(&gap.reason)),
            ]
        },
    )
}
