//! `ccwatch history export`

mod parquet_file;
mod records;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::progress;
use crate::cli::Failure;
use crate::cli::filters::PlaceAndTime;
use crate::cli::history_file::HistoryFile;
use crate::cli::interruption::{Interruption, interruptible};
use crate::cli::new_file::NewFile;
use crate::cli::unknown;
use crate::clock::Clock;
use crate::history::{Cell, Filter, Reader, View};
use parquet_file::ParquetFile;
use records::{Csv, JsonLines};

/// Rows read at once. A row is some hundred bytes.
const PORTION: usize = 2000;

/// Take the rows of a public view elsewhere, as a file for other programs.
///
/// The columns are those of the view, in its order. Rows are read a few thousand at a time while ccwatch runs: no row comes
/// twice, and every one that was there all along comes, but two may be from different moments. For one state of everything,
/// make a backup and export that, with --history.
///
/// --since and --until go by when a request started (for resource_models too), a hook was first seen, an event was observed, a
/// change, an attempt or a notice was made, a delivery came, an incident was opened, a silence was asked for. A gap counts if
/// any of it lies between them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch history export --since 30d -o requests.parquet
  ccwatch history export --view changes --since 2026-11-01 --until 2026-12-01 -o november.csv
  ccwatch history export --view hook_events --target 'prod*' -o - | jq .status")]
pub(super) struct Arguments {
    /// The new file, or `-` for standard output.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// How rows are written. Without it, FILE's ending tells.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The view, without its `v_`.
    #[arg(long, value_enum, default_value_t = Chosen(View::Requests))]
    view: Chosen,
    /// Replace FILE if it is there, once the new one is whole, and keep its mode.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    history: HistoryFile,
    #[command(flatten)]
    filters: PlaceAndTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line.
    Jsonl,
    /// With the names of the columns as its first line.
    Csv,
    /// Apache Parquet, with types.
    Parquet,
}

/// A view, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chosen(View);

impl ValueEnum for Chosen {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Chosen; View::ALL.len()] = {
            let mut all = [Chosen(View::Requests); View::ALL.len()];
            let mut number = 0;
            while number < all.len() {
                all[number] = Chosen(View::ALL[number]);
                number += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}

/// Where rows go.
trait Sink {
    fn row(&mut self, cells: Vec<Cell>) -> Result<(), Failure>;

    /// What stands at the end, and what is still held.
    fn finish(self: Box<Self>) -> Result<(), Failure>;
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let format = format(arguments)?;
    let view = arguments.view.0;
    let filter = arguments.filters.filter(Clock::system().now())?;
    if (filter.target.is_some() || filter.region.is_some()) && !view.has_target() {
        return Err(Failure::Arguments(format!(
            "{} belong to no target: leave --target and --region out",
            view.name()
        )));
    }
    if is_standard_output(&arguments.output) {
        let reader = arguments.history.open()?;
        let out = BufWriter::new(io::stdout().lock());
        let sink: Box<dyn Sink + '_> = match format {
            Format::Jsonl => Box::new(JsonLines::new(view, out)),
            Format::Csv => Box::new(Csv::new(view, out, io::IsTerminal::is_terminal(&io::stdout()))?),
            Format::Parquet => {
                let text = "Parquet is not for standard output: name a file with -o".to_owned();
                return Err(Failure::Arguments(text));
            }
        };
        if copy(&reader, view, &filter, sink)? == 0 {
            unknown::say(&format!("no {} match", view.name()), &reader, view, &filter)?;
        }
        return Ok(());
    }
    interruptible("no file was made", async |interruption| {
        make(arguments, format, &filter, interruption)
    })
}

fn make(arguments: &Arguments, format: Format, filter: &Filter, interruption: &Interruption) -> Result<(), Failure> {
    let view = arguments.view.0;
    let reader = arguments.history.open()?.heeding(interruption.stop())?;
    let new = NewFile::begin(&arguments.output, arguments.force, &arguments.history.path()?)?;
    let out = BufWriter::new(new.writer());
    let sink: Box<dyn Sink + '_> = match format {
        Format::Jsonl => Box::new(JsonLines::new(view, out)),
        Format::Csv => Box::new(Csv::new(view, out, false)?),
        Format::Parquet => Box::new(ParquetFile::new(view, out)?),
    };
    let rows = copy(&reader, view, filter, sink)?;
    new.keep_with_former_mode(interruption)?;
    writeln!(io::stderr(), "{}: {rows} {}", arguments.output.display(), view.name())?;
    if rows == 0 {
        unknown::say(&format!("no {} match", view.name()), &reader, view, filter)?;
    }
    Ok(())
}

/// Returns how many rows that were.
fn copy(reader: &Reader, view: View, filter: &Filter, mut sink: Box<dyn Sink + '_>) -> Result<u64, Failure> {
    let bar = progress::rows("exporting", reader.last_id(view)?.unsigned_abs());
    let (mut after, mut rows) = (0, 0);
    let copied = loop {
        match reader.portion(view, filter, after, PORTION) {
            Ok(Some(portion)) => {
                after = portion.last;
                rows += portion.rows.len() as u64;
                if let Err(failure) = portion.rows.into_iter().try_for_each(|cells| sink.row(cells)) {
                    break Err(failure);
                }
                bar.set_position(after.unsigned_abs());
            }
            Ok(None) => break sink.finish(),
            Err(error) => break Err(error.into()),
        }
    };
    bar.finish_and_clear();
    copied.map(|()| rows)
}

fn is_standard_output(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn format(arguments: &Arguments) -> Result<Format, Failure> {
    if let Some(format) = arguments.format {
        return Ok(format);
    }
    let ending = arguments.output.extension().and_then(|ending| ending.to_str());
    match ending {
        Some("jsonl") => Ok(Format::Jsonl),
        Some("csv") => Ok(Format::Csv),
        Some("parquet") => Ok(Format::Parquet),
        _ if is_standard_output(&arguments.output) => Ok(Format::Jsonl),
        _ => Err(Failure::Arguments(format!(
            "the ending of {} tells no format: let it be .jsonl, .csv or .parquet, or give --format",
            arguments.output.display()
        ))),
    }
}
