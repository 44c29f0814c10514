//! `ccwatch events`

use std::io::Write;
use std::time::Duration;

use super::Failure;
use super::history_file;
use super::output::{self, Format};
use super::when::Times;
use crate::clock::Clock;
use crate::history::Reader;
use crate::model::printable;
use crate::model::rows::ChangeRow;

/// Show what changed, oldest first; with --follow, go on as it happens.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch events --limit 100
  ccwatch events --follow --format jsonl | jq 'select(.to_status == \"FAILED\")'")]
pub(super) struct Arguments {
    #[command(flatten)]
    history: history_file::HistoryFile,
    /// Wait for more, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Begin with so many of the latest; 0 for all.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: usize,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Show absolute times, in UTC.
    #[arg(long)]
    utc: bool,
}

/// Between two looks for more. Another process writes, so there is no bell to wait for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Read at once.
const BATCH: usize = 1000;

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let reader = arguments.history.open()?;
    let latest = match arguments.limit {
        0 => all(&reader)?,
        limit => reader.last_changes(limit)?,
    };
    let mut last = latest.last().map_or(0, |change| change.id);
    // A growing output is written a line at a time: one array, or one table, would have to wait for its end.
    let format = if arguments.follow && arguments.format == Format::Json {
        Format::Jsonl
    } else {
        arguments.format
    };
    show(&latest, format, arguments)?;
    if !arguments.follow {
        return Ok(());
    }
    loop {
        let more = reader.changes_after(last, BATCH)?;
        if let Some(change) = more.last() {
            last = change.id;
            show(&more, format, arguments)?;
        }
        if more.len() < BATCH {
            std::thread::park_timeout(LOOK_EVERY);
        }
    }
}

fn all(reader: &Reader) -> Result<Vec<ChangeRow>, Failure> {
    let mut changes: Vec<ChangeRow> = Vec::new();
    loop {
        let more = reader.changes_after(changes.last().map_or(0, |change| change.id), BATCH)?;
        if more.is_empty() {
            return Ok(changes);
        }
        changes.extend(more);
    }
}

fn show(changes: &[ChangeRow], format: Format, arguments: &Arguments) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if format != Format::Table {
        output::write_rows(&mut out, changes, format)?;
        return Ok(out.flush()?);
    }
    if changes.is_empty() {
        return Ok(());
    }
    // What follows has no end to be relative to.
    let times = Times {
        utc: arguments.utc || arguments.follow,
        now: Clock::system().now(),
    };
    for change in changes {
        writeln!(out, "{}", line(change, times))?;
    }
    Ok(out.flush()?)
}

/// One change, one line, whose columns stand still however many follow.
fn line(change: &ChangeRow, times: Times) -> String {
    let status = change.to_status.as_deref().unwrap_or(&change.kind);
    let width = if times.utc { 24 } else { 11 };
    let words = [
        what(change),
        change.type_name.clone().unwrap_or_default(),
        change
            .identifier
            .clone()
            .unwrap_or_else(|| change.request_token.clone()),
        format!("({})", change.target),
        detail(change),
    ];
    let words: Vec<_> = words
        .iter()
        .filter(|word| !word.is_empty())
        .map(|word| printable(word))
        .collect();
    format!(
        "{:width$}  {}  {}",
        times.show(Some(change.at)),
        output::paint(status, 23),
        words.join(" ")
    )
}

fn what(change: &ChangeRow) -> String {
    match &change.hook_type_name {
        Some(hook) => format!("hook {hook}"),
        None => change.operation.clone().unwrap_or_else(|| "request".to_owned()),
    }
}

fn detail(change: &ChangeRow) -> String {
    let parts = [change.error_code.as_deref(), change.message.as_deref()];
    let detail = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
    if change.observed_late {
        format!("{detail} [seen late]").trim_start().to_owned()
    } else {
        detail
    }
}
