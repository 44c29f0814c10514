//! Tables for people, records for machines, and words for standard error.

mod answers;
mod columns;
mod flat;
mod records;
mod table;

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use clap::ValueEnum;
use comfy_table::Color;
use serde::Serialize;

use super::{Failure, logging};
use crate::model::{HookStatus, RequestStatus, printable};

pub(super) use answers::{Answers, Room};
pub(super) use columns::{Column, shortened};
pub(super) use records::{Rows, of_csv, write_json, write_json_line, write_rows};
pub(super) use table::{Stream, Table, cell, noted_status_cell, status_cell, terminal_width, write_facts};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people: fits the terminal's width.
    Table,
    /// One JSON array, or for `stats` an object; what a public view has stands under its columns' names.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// With the names of the columns as its first line.
    Csv,
}

/// How one thing that has parts is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DocumentFormat {
    /// For people: fits the terminal's width.
    Table,
    /// JSON over several lines.
    Json,
    /// JSON in one line.
    Jsonl,
}

/// Shows one thing on standard output: to people as `tell` writes it.
pub(super) fn show_document<T: Serialize>(
    thing: &T,
    format: DocumentFormat,
    tell: impl FnOnce(&mut BufWriter<StdoutLock<'_>>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match format {
        DocumentFormat::Table => tell(&mut out)?,
        DocumentFormat::Json => write_json(&mut out, thing)?,
        DocumentFormat::Jsonl => write_json_line(&mut out, thing)?,
    }
    Ok(out.flush()?)
}

/// Whether standard output is a terminal that wants colour.
pub(super) fn wants_colour() -> bool {
    io::stdout().is_terminal() && allows_colour()
}

/// Whether the environment has nothing against colour on a terminal.
pub(super) fn allows_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// Whether standard error is a terminal on which lines move. One that is `dumb`, or does not say what it is, takes none of
/// the escapes for that.
pub(super) fn lines_move() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb")
}

/// Enough of a request token to be told apart by, on a terminal, where room is scarce; all of it elsewhere. `show` takes
/// either.
pub(super) fn short_token(token: &str) -> &str {
    if io::stdout().is_terminal() {
        &token[..token.floor_char_boundary(columns::SHORT_TOKEN)]
    } else {
        token
    }
}

fn colour_of(status: &str) -> Option<Color> {
    let hook = HookStatus::from(status);
    if hook.is_failure() || status == RequestStatus::Failed.as_str() {
        return Some(Color::Red);
    }
    if hook == HookStatus::CompleteSucceeded || status == RequestStatus::Success.as_str() {
        return Some(Color::Green);
    }
    let is_known = RequestStatus::KNOWN.contains(&status) || HookStatus::KNOWN.contains(&status);
    is_known.then_some(Color::Yellow)
}

/// An error and its causes, without those whose words another one has already.
fn told_once(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Says on standard error why a command failed.
pub(super) fn complain(failure: &Failure) {
    let text = match failure {
        Failure::Configuration(error) | Failure::Work(error) => told_once(error),
        other => other.to_string(),
    };
    // A path or an argument that is repeated may hold anything.
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    // A log file of JSON lines or a terminal takes it as it is; the journal sorts each line by its priority.
    let priority = logging::journal_priority(tracing::Level::ERROR);
    let text = lines.join(&format!("\n{priority}"));
    // There is nowhere left to say that standard error is closed.
    let _ = writeln!(io::stderr(), "{priority}ccwatch: {text}");
}
