//! `ccwatch report`

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::HumanBytes;

use super::Failure;
use super::filters::Filters;
use super::history_file;
use super::interruption::interruptible;
use super::new_file::NewFile;
use super::period::Period;
use super::unknown;
use crate::clock::Clock;
use crate::history::{Filter, Reader, View};
use crate::model::Timestamp;
use crate::render::{self, Report};
use crate::statistics::{Buckets, OVERALL_BUCKETS, Scorecard, Survey};

/// Make a page with plots: what happened, what failed, what took long, and when ccwatch did not look.
///
/// Of the last 30 days, unless --since says otherwise. The page is one file of HTML that stands by itself: it loads nothing
/// and runs nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ccwatch report --since 30d -o report.html
  ccwatch report --since 2026-10-01T00:00:00Z --until 2026-11-01T00:00:00Z -o october.html
  ccwatch report > report.html")]
pub(super) struct Arguments {
    #[command(flatten)]
    history: history_file::HistoryFile,
    /// The file to make; `-` for standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Replace FILE if it is there, once the new one is whole, and keep its mode.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    filters: Filters,
}

/// Open requests on the page at the most.
const OPEN: usize = 15;

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let now = Clock::system().now();
    let mut filter = arguments.filters.filter(now)?;
    let period = Period::of(&mut filter, now)?;
    let only = arguments.filters.in_words();
    let page = |reader: &Reader| make(reader, &filter, period, &only, now);
    if arguments.output.as_path() == Path::new("-") {
        if io::stdout().is_terminal() {
            let text = "the report is a page for a browser, and not for a terminal: name a file with -o".to_owned();
            return Err(Failure::Arguments(text));
        }
        let page = page(&arguments.history.open()?)?;
        let mut out = io::stdout().lock();
        out.write_all(page.as_bytes())?;
        return Ok(out.flush()?);
    }
    interruptible("no report was made", async |interruption| {
        // Begun before the work, so that what is wrong with it is said at once.
        let new = NewFile::begin(&arguments.output, arguments.force, &arguments.history.path()?)?;
        let page = page(&arguments.history.open()?.heeding(interruption.stop())?)?;
        let written = new.file().write_all(page.as_bytes());
        written.with_context(|| format!("the report can't be written to {}", arguments.output.display()))?;
        new.keep_with_former_mode(interruption)?;
        let size = HumanBytes(page.len() as u64);
        Ok(writeln!(io::stderr(), "{}: {size}", arguments.output.display())?)
    })
}

fn make(reader: &Reader, filter: &Filter, period: Period, only: &[String], now: Timestamp) -> Result<String, Failure> {
    let first = reader.first_request_at()?;
    let from = first.map_or(period.from, |first| first.max(period.from)).min(period.to);
    let mut survey = Survey::new(Buckets::over(from, period.to, OVERALL_BUCKETS));
    let mut found = false;
    reader.request_facts(filter, |request| {
        found = true;
        survey.add(request);
    })?;
    let mut scorecard = Scorecard::default();
    reader.hook_facts(filter, |hook| scorecard.add(hook))?;
    if !found && scorecard.rows().is_empty() {
        // The page is of requests and of hooks, as changes are.
        unknown::say("nothing matches", reader, View::Changes, filter)?;
    }
    let gaps = reader.gaps(filter)?;
    let open = reader.longest_open(filter, OPEN)?;
    let report = Report {
        from: period.from,
        to: period.to,
        made_at: now,
        only,
        survey: &survey,
        scorecard: &scorecard,
        gaps: &gaps,
        targets_since: reader.last_registered_at()?,
        unwatched_since: reader.unwatched_since()?,
        open: &open,
    };
    Ok(render::page(&report).map_err(anyhow::Error::from)?)
}
