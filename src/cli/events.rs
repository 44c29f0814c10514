//! `ccwatch events`

use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::time::Duration;

use comfy_table::Cell;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Failure;
use super::filters::Filters;
use super::listing;
use super::output::{self, Column, Format, Rows, Stream, cell, status_cell};
use super::unknown;
use super::when::Times;
use crate::history::View;
use crate::model::rows::ChangeRow;

/// Show what changed, oldest first; with --follow, go on as it happens.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch events --limit 100
  ccwatch events --failed --target prod --since 1d
  ccwatch events --follow --type 'AWS::RDS::*'
  ccwatch events --follow --format jsonl | jq 'select(.to_status == \"FAILED\")'

In a pattern, `*` stands for any characters and `!` in front excludes; several may be given with commas between.")]
pub(super) struct Arguments {
    /// Wait for more, until Ctrl-C. `--since 0s` leaves out what was before.
    #[arg(long, short, conflicts_with = "until")]
    follow: bool,
    #[command(flatten)]
    common: listing::Common,
    #[command(flatten)]
    filters: Filters,
}

/// Between two looks for more. Another process writes, so there is no bell to wait for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Read at once.
const BATCH: usize = 1000;

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (reader, mut filter, times) = arguments.common.begin(|now| arguments.filters.filter(now))?;
    // A growing output is written a line at a time: one array would have to wait for its end.
    let format = if arguments.follow && arguments.common.format == Format::Json {
        Format::Jsonl
    } else {
        arguments.common.format
    };
    // What follows has no end to be relative to.
    let times = Times {
        utc: times.utc || arguments.follow,
        ..times
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut written = Written::begin(&mut out, format, times)?;
    let most = arguments.common.limits().0;
    let counted = most.filter(|_| format == Format::Table && !arguments.follow);
    if counted.is_none() {
        filter.limit = most;
    }
    let mut held = Vec::new();
    let mut found = false;
    let mut failed = Ok(());
    let mut last = reader.each_change(&filter, |change| {
        found = true;
        if counted.is_some() {
            held.push(change);
            return ControlFlow::Continue(());
        }
        match written.show(&change) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                failed = Err(failure);
                ControlFlow::Break(())
            }
        }
    })?;
    failed?;
    if !arguments.follow {
        // The oldest comes first, so if there are more, that is the one that is too many.
        let more = counted.filter(|most| held.len() > *most);
        for change in held.iter().skip(usize::from(more.is_some())) {
            written.show(change)?;
        }
        if format == Format::Table && written.stream.is_empty() {
            return listing::say_none("no events match", &reader, Some((View::Changes, &filter)));
        }
        written.end()?;
        return Ok(more.map_or(Ok(()), listing::say_more)?);
    }
    written.flush()?;
    if !found {
        // It may come, but who slipped would wait for ever.
        unknown::say("no events match yet", &reader, View::Changes, &filter)?;
    }
    loop {
        let more = reader.changes_after(&filter, last, BATCH)?;
        for change in &more.changes {
            written.show(change)?;
        }
        if !more.changes.is_empty() {
            written.flush()?;
        }
        last = more.last;
        if more.is_all && reader_has_gone(LOOK_EVERY)? {
            return Err(Failure::ClosedPipe);
        }
    }
}

/// Waits, but no longer than there is someone to write for: the next change may be hours away.
fn reader_has_gone(longest: Duration) -> Result<bool, Failure> {
    let stdout = std::io::stdout();
    // Nothing is asked for: that the other end was closed is told in any case (poll(2)).
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    let longest = Timespec::try_from(longest).map_err(anyhow::Error::from)?;
    match poll(&mut watched, Some(&longest)) {
        Ok(_) => Ok(watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(std::io::Error::from(error).into()),
    }
}

/// What a change is shown as, to people.
const COLUMNS: [Column<'static>; 3] = [
    Column::whole("SEEN"),
    Column::whole("STATUS"),
    Column::text("WHAT").yields(1),
];
/// Enough for a time and a status, so that columns stand still.
const WIDTHS: [u16; 2] = [11, 23];
const WIDTHS_IN_UTC: [u16; 2] = [24, 23];

/// Changes as they are written.
struct Written<'o, W: Write> {
    rows: Rows<'o, W, ChangeRow>,
    stream: Stream<'static>,
    format: Format,
    times: Times,
}

impl<'o, W: Write> Written<'o, W> {
    fn begin(out: &'o mut W, format: Format, times: Times) -> Result<Self, Failure> {
        Ok(Self {
            rows: Rows::begin(out, format)?,
            stream: Stream::new(&COLUMNS, if times.utc { &WIDTHS_IN_UTC } else { &WIDTHS }),
            format,
            times,
        })
    }

    fn show(&mut self, change: &ChangeRow) -> Result<(), Failure> {
        if self.format == Format::Table {
            return Ok(self.stream.row(self.rows.out(), cells(change, self.times))?);
        }
        self.rows.row(change)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.rows.out().flush()?)
    }

    fn end(mut self) -> Result<(), Failure> {
        if self.format == Format::Table {
            return self.flush();
        }
        self.rows.end()
    }
}

fn cells(change: &ChangeRow, times: Times) -> Vec<Cell> {
    let status = change.to_status.as_deref().unwrap_or(&change.kind);
    let words = [
        what(change),
        change.type_name.clone().unwrap_or_default(),
        change.identifier.clone().unwrap_or_default(),
        format!("({})", change.target),
        came_from(change),
        detail(change),
        // The way on to `show`.
        format!("[{}]", output::short_token(&change.request_token)),
    ];
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    vec![
        cell(Some(&times.show(Some(change.at)))),
        status_cell(Some(status)),
        cell(Some(&words.join(" "))),
    ]
}

/// The status before, where the change is one of status.
fn came_from(change: &ChangeRow) -> String {
    match (&change.from_status, &change.to_status) {
        (Some(from), Some(to)) if from != to => format!("[was {from}]"),
        _ => String::new(),
    }
}

fn what(change: &ChangeRow) -> String {
    match change.hook() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn each_line_ends_with_the_token_that_leads_on() {
        let now = Timestamp::from_millis(1_795_328_880_000);
        for identifier in [None, Some("orders".to_owned())] {
            let change = ChangeRow {
                at: now,
                request_token: "73553e7d-6c1b-4f9e-9c55-0d2f6f7f4f0e".to_owned(),
                type_name: Some("AWS::S3::Bucket".to_owned()),
                to_status: Some("FAILED".to_owned()),
                message: Some("a sentence of the service".to_owned()),
                identifier,
                ..ChangeRow::default()
            };
            let cells = cells(&change, Times { utc: false, now });
            let told = cells.last().unwrap().content();
            let (_, token) = told.split_once("a sentence of the service [").unwrap();
            assert!(token.starts_with("73553e7d") && token.ends_with(']'), "{told}");
            assert_eq!(told.matches("73553e7d").count(), 1, "{told}");
        }
    }
}
