//! Rows that are listed: what every command that lists takes, and how they are shown: a table that needs all of them, or
//! records that are written as they are read.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use comfy_table::Cell;
use serde::Serialize;

use super::Failure;
use super::filters::Limit;
use super::history_file::HistoryFile;
use super::output::{Column, Format, Rows, Table};
use super::unknown;
use super::when::Times;
use crate::clock::Clock;
use crate::history::{Filter, Reader, View};
use crate::model::Timestamp;

/// What every command that lists takes. What it may be asked for is its own.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) history: HistoryFile,
    #[command(flatten)]
    pub(super) limit: Limit,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Show absolute times, in UTC.
    #[arg(long)]
    utc: bool,
}

impl Common {
    pub(super) fn times(&self) -> Times {
        Times {
            utc: self.utc,
            now: Clock::system().now(),
        }
    }

    /// How many rows there may be, and how many to ask for: where a table is to say that there are more, one more.
    pub(super) fn limits(&self) -> (Option<usize>, Option<usize>) {
        let most = self.limit.rows();
        let one_more = usize::from(self.format == Format::Table);
        (most, most.map(|most| most.saturating_add(one_more)))
    }

    /// Opens the history for what `filter`, which is handed the time, asks of it. What is wrong with that is said first.
    pub(super) fn begin(
        &self,
        filter: impl FnOnce(Timestamp) -> Result<Filter, Failure>,
    ) -> Result<(Reader, Filter, Times), Failure> {
        let times = self.times();
        let filter = Filter {
            limit: self.limits().1,
            ..filter(times.now)?
        };
        Ok((self.history.open()?, filter, times))
    }
}

/// What a table says besides its rows.
#[derive(Clone, Copy)]
pub(super) struct Listing<'a> {
    pub(super) columns: &'a [Column<'a>],
    /// Said on standard error where there are none, such as "no requests match"; and in which history.
    pub(super) none: &'a str,
    pub(super) history: &'a Reader,
    /// What was asked of it, and of what there, if it was narrowed.
    pub(super) filter: Option<(View, &'a Filter)>,
    /// So many rows at the most.
    pub(super) most: Option<usize>,
}

/// Says that there is nothing to show, and where: whoever has a history, and a service with another, may ask the wrong one.
/// So may whoever asks for a name that it does not have.
pub(super) fn say_none(none: &str, history: &Reader, filter: Option<(View, &Filter)>) -> Result<(), Failure> {
    let why = filter.map(|(view, filter)| unknown::in_words(history, view, filter));
    let why = why.transpose()?.unwrap_or_default();
    Ok(unknown::say_none(none, history, &why)?)
}

/// Says that a table does not have all.
pub(super) fn say_more(most: usize) -> io::Result<()> {
    writeln!(io::stderr(), "the newest {most}; --limit 0 shows all")
}

/// Shows the rows that `read` hands on, one after the other; in a table with the `cells` of each.
pub(super) fn show<R: Serialize + Default>(
    format: Format,
    listing: Listing<'_>,
    read: impl FnOnce(&mut dyn FnMut(R) -> ControlFlow<()>) -> Result<(), Failure>,
    cells: impl Fn(&R) -> Vec<Cell>,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    if format == Format::Table {
        let mut table = Table::new(listing.columns);
        let mut rows = 0;
        let mut more = None;
        read(&mut |row| {
            if let Some(most) = listing.most.filter(|most| rows >= *most) {
                more = Some(most);
                return ControlFlow::Break(());
            }
            rows += 1;
            table.row(cells(&row));
            ControlFlow::Continue(())
        })?;
        if table.is_empty() {
            return say_none(listing.none, listing.history, listing.filter);
        }
        table.write(&mut out)?;
        out.flush()?;
        return Ok(more.map_or(Ok(()), say_more)?);
    }
    let mut rows = Rows::begin(&mut out, format)?;
    let mut written = Ok(());
    read(&mut |row| match rows.row(&row) {
        Ok(()) => ControlFlow::Continue(()),
        Err(failure) => {
            written = Err(failure);
            ControlFlow::Break(())
        }
    })?;
    written?;
    rows.end()?;
    Ok(out.flush()?)
}

/// The same of rows that are all there.
pub(super) fn show_all<R: Serialize + Default>(
    format: Format,
    listing: Listing<'_>,
    rows: Vec<R>,
    cells: impl Fn(&R) -> Vec<Cell>,
) -> Result<(), Failure> {
    let read = |each: &mut dyn FnMut(R) -> ControlFlow<()>| {
        // Where the pipe was closed nothing is left to do.
        let _: ControlFlow<()> = rows.into_iter().try_for_each(each);
        Ok(())
    };
    show(format, listing, read, cells)
}
