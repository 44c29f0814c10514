//! `ccwatch gaps`
//!
//! A table says as well that no ccwatch looks just now: the time since the last look becomes a gap only when one starts again.

use std::io::{self, Write};

use super::Failure;
use super::filters::PlaceAndTime;
use super::listing::{self, Listing};
use super::output::{Column, Format, cell};
use super::when::rough;
use crate::history::{Filter, View};
use crate::model::rows::GapRow;

/// List the times in which a target was not, or could not be, looked at, newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch gaps --open
  ccwatch gaps --target prod --since 30d")]
pub(super) struct Arguments {
    #[command(flatten)]
    common: listing::Common,
    #[command(flatten)]
    filters: PlaceAndTime,
    /// Only those that last.
    #[arg(long, help_heading = "Filters")]
    open: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (reader, filter, times) = arguments.common.begin(|now| {
        Ok(Filter {
            open: arguments.open,
            ..arguments.filters.filter(now)?
        })
    })?;
    listing::show_all(
        arguments.common.format,
        Listing {
            columns: &[
                Column::whole("FROM"),
                Column::whole("TO").yields(2),
                Column::whole("LASTED"),
                Column::whole("TARGET"),
                Column::text("REASON").yields(1),
            ],
            none: "no gaps match",
            history: &reader,
            filter: Some((View::Gaps, &filter)),
            most: arguments.common.limits().0,
        },
        reader.gaps(&filter)?,
        |gap: &GapRow| {
            let to = gap.to_at.map_or_else(|| "now".to_owned(), |to| times.show(Some(to)));
            vec![
                cell(Some(&times.show(Some(gap.from_at)))),
                cell(Some(&to)),
                cell(Some(&rough(gap.to_at.unwrap_or(times.now).since(gap.from_at)))),
                cell(Some(&gap.target)),
                cell(Some(&gap.reason)),
            ]
        },
    )?;
    if arguments.common.format == Format::Table
        && let Some(last) = reader.unwatched_since()?
    {
        let ago = rough(times.now.since(last));
        writeln!(
            io::stderr(),
            "no ccwatch looks now: the last look was {ago} ago, at {last}"
        )?;
    }
    Ok(())
}
