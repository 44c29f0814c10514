//! `ccwatch report`

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Failure;
use super::filters::Filters;
use super::history_file;
use super::period::Period;
use crate::clock::Clock;
use crate::history::{Filter, Reader};
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
    #[command(flatten)]
    filters: Filters,
    /// The file to make; `-` for standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

/// Open requests on the page at the most.
const OPEN: usize = 15;

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let now = Clock::system().now();
    let mut filter = arguments.filters.filter(now)?;
    let period = Period::of(&mut filter, now)?;
    let to_file = arguments.output != Path::new("-");
    // Said before the work, and made sure of after it.
    if to_file && !arguments.force && arguments.output.symlink_metadata().is_ok() {
        return Err(is_there(&arguments.output));
    }
    let only = arguments.filters.in_words();
    let page = make(&arguments.history.open()?, &filter, period, &only, now)?;
    if !to_file {
        let mut out = io::stdout().lock();
        out.write_all(page.as_bytes())?;
        return Ok(out.flush()?);
    }
    let path = &arguments.output;
    match put(path, page.as_bytes(), arguments.force) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(is_there(path)),
        put => Ok(put.with_context(|| format!("the report can't be written to {}", path.display()))?),
    }
}

fn make(reader: &Reader, filter: &Filter, period: Period, only: &[String], now: Timestamp) -> Result<String, Failure> {
    let first = reader.first_request_at()?;
    let from = first.map_or(period.from, |first| first.max(period.from)).min(period.to);
    let mut survey = Survey::new(Buckets::over(from, period.to, OVERALL_BUCKETS));
    reader.request_facts(filter, |request| survey.add(request))?;
    let mut scorecard = Scorecard::default();
    reader.hook_facts(filter, |hook| scorecard.add(hook))?;
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
        open: &open,
    };
    Ok(render::page(&report).map_err(anyhow::Error::from)?)
}

fn is_there(path: &Path) -> Failure {
    Failure::Work(anyhow::anyhow!(
        "{} is there already: --force replaces it",
        path.display()
    ))
}

/// Writes next to the file and then gives it its name, so that no one ever finds half a page.
fn put(path: &Path, page: &[u8], force: bool) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = File::options()
        .write(true)
        .create_new(true)
        .open(&part)
        .and_then(|mut file| {
            file.write_all(page)?;
            file.sync_all()
        })
        .and_then(|()| name_it(&part, path, force));
    // After a rename there is none.
    match (written, fs::remove_file(&part)) {
        (Ok(()), Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
        (written, _) => written,
    }
}

/// Without `force`, a file that came to be meanwhile stays: a link, unlike a rename, replaces nothing. Where the file system
/// has no links (FAT, say), the look before the work is all that there is.
fn name_it(part: &Path, path: &Path, force: bool) -> io::Result<()> {
    if force {
        return fs::rename(part, path);
    }
    match fs::hard_link(part, path) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
            ) =>
        {
            fs::rename(part, path)
        }
        linked => linked,
    }
}
